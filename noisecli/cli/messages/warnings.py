"""What rows warn of, in words; with -v the files too."""

from collections.abc import Iterator

from noisecli.kinds import Kind
from noisecli.run.summary import Summary
from noisecli.words import Warn

MEANINGS: dict[Warn, str] = {
    "wrong-suffix": "the name says another format than the content",
    "trailing-data": "bytes behind the end are left out",
    "leading-data": "bytes before the beginning are left out",
    "decoder-warning": "the decoder complained, so the file may be damaged",
    "metadata-lost": "the output cannot hold this metadata",
    "palette-to-colour": "a palette became colour; label masks stay as they are: --exclude GLOB --sidecars copy",
    "cmyk-to-colour": "CMYK became RGB",
    "grey-alpha-to-colour-alpha": "grey with alpha became colour with alpha",
    "transparency-to-alpha": "a transparent colour became an alpha channel",
    "name-not-utf8": "the name is not UTF-8 and is spelled with %FF",
    "not-finite": "NaN, infinities and marked samples stay as they are",
    "overshoot": "samples go beyond full scale, and are clipped at the file's own extremes",
    "padded": "the codec fills up the last block",
    "integers-kept": "integers beside floats stay as they are; --key GLOB says otherwise",
    "labels-kept": "arrays named like labels stay as they are; --key GLOB says otherwise",
    "none-chosen": "no array in it gets noise",
    "scales-kept": "scales of quantised tensors stay as they are",
    "buffers-kept": "running variances and constants stay as they are; --tensors '*running_var' and the like name them",
    "negative-variance": "negative running variances, which give NaN; omit their names from --tensors",
    "tied": "tensors that are stored twice get one noise",
    "depth": "an odd bit depth became a usual one",
    "alpha-assumed": "the fourth channel is taken for alpha",
    "unknown-length": "the header does not say how long it is; all to the end is taken",
    "wrong-length": "the header says another length; all samples are there",
    "channel-layout": "which loudspeaker each channel belongs to was assumed, or cannot be written",
    "lossy-mask": "the mask is a JPEG, in which pixels near an edge may be no longer black; a PNG keeps them",
}
"""What each fixed word means, and what to do."""
TOLD: tuple[Warn, ...] = (
    *("palette-to-colour", "none-chosen", "lossy-mask"),
    *("scales-kept", "buffers-kept", "negative-variance", "tied"),
)
"""Those that always have a line of their own: what they say of a run may be news."""


def warnings(summary: Summary, kind: Kind, *, everything: bool) -> Iterator[tuple[str, str]]:
    """Yield lines, each with the word of the examples that go with it."""
    own = [word for word in MEANINGS if summary.warnings[word] and (everything or word in TOLD)]
    for word in own:
        yield f"{kind.counted(summary.warnings[word])}: {MEANINGS[word]} ({word})", word
    rest = [word for word in sorted(summary.warnings) if summary.warnings[word] and word not in own]
    if rest:
        named = ", ".join(f"{word} ({kind.counted(summary.warnings[word])})" for word in rest)
        yield f"warnings: {named}", rest[0]
