"""What is noised: one page a kind, one line of a table. Light: the parent process reads it before anything loads."""

import os

from noisecli.kinds.adversarial import ADVERSARIAL
from noisecli.kinds.arrays import ARRAYS
from noisecli.kinds.audio import AUDIO
from noisecli.kinds.images import IMAGES
from noisecli.kinds.latents import LATENTS
from noisecli.kinds.record import Format, Kind, load
from noisecli.kinds.unread import PACKED
from noisecli.kinds.weights import WEIGHTS

__all__ = [
    "FORMATS",
    "KINDS",
    "Kind",
    "always_loses",
    "format_of",
    "kinds_of",
    "load",
    "split_suffix",
    "suffix_of",
    "why_refused",
    "why_unread",
]

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        IMAGES,
        AUDIO,
        ARRAYS,
        WEIGHTS,
        LATENTS,
        ADVERSARIAL,
    )
}
"""In the order of `noisecli --help`. A suffix of several kinds is first of all that of the first."""


def _by_suffix() -> dict[str, Format]:
    formats: dict[str, Format] = {}
    for kind in KINDS.values():
        for suffix, (name, lossy, partly) in kind.formats.items():
            kinds = formats[suffix].kinds if suffix in formats else ()
            formats[suffix] = Format(name, (*kinds, kind.name), lossy, partly)
    return formats


FORMATS = _by_suffix()
"""Suffix (lower case) -> format. The one list of what noisecli reads and writes."""
_UNSUPPORTED = {
    suffix: tuple(kind.name for kind in KINDS.values() if suffix in kind.unsupported)
    for suffix in (suffix for kind in KINDS.values() for suffix in kind.unsupported)
}

_REFUSED = {suffix for kind in KINDS.values() for suffix in kind.refused}


def format_of(suffix: str) -> Format | None:
    """Return the format that a file name's suffix stands for, whatever its case."""
    return FORMATS.get(suffix.lower())


def always_loses(name: str) -> bool:
    """Whether every file of the format that a name says is lossy; of others some are, such as ADPCM in a WAV."""
    form = format_of(os.path.splitext(name)[1])
    return form is not None and form.lossy


def kinds_of(suffix: str) -> tuple[str, ...]:
    """Return the kinds that a suffix belongs to, those that read it first; none for what is not a dataset file."""
    plain = _unpacked(suffix.lower())
    form = FORMATS.get(plain)
    return tuple(dict.fromkeys((*(form.kinds if form else ()), *_UNSUPPORTED.get(plain, ()))))


def suffix_of(name: str) -> str:
    """Return the suffix that says what a file is, in lower case; that of a packed dataset file is two: .nii.gz."""
    stem, suffix = os.path.splitext(name.lower())
    inner = os.path.splitext(stem)[1] if suffix in PACKED else ""
    return inner + suffix if inner in FORMATS or inner in _UNSUPPORTED or inner in _REFUSED else suffix


def why_unread(suffix: str, kind: str) -> str:
    """Return what a file is that a kind does not read, and the way out."""
    plain = _unpacked(suffix)
    if words := KINDS[kind].unsupported.get(plain):
        return f"is {words}"
    if plain != suffix:
        packed = suffix.removeprefix(plain)
        return f"is packed ({packed}), and noisecli does not unpack it; unpack it first: {PACKED[packed]} x{suffix}"
    return f"is a format ({suffix or 'no suffix'}) that noisecli {kind} does not read; left alone"


def why_refused(suffix: str, kind: str) -> str | None:
    """Return what a file is that is a dataset file to one kind alone, packed or not, and the way out."""
    return KINDS[kind].refused.get(_unpacked(suffix))


def _unpacked(suffix: str) -> str:
    """Return a suffix as suffix_of() says it, without that of the packing."""
    plain, packing = os.path.splitext(suffix)
    return plain if packing in PACKED and plain else suffix


def split_suffix(name: str) -> tuple[str, str]:
    """Return a name without and with its suffix; .weights.h5 is one, as Keras asks for all of it."""
    stem, suffix = os.path.splitext(name)
    if suffix.lower() == ".h5" and stem.lower().endswith(".weights") and len(os.path.basename(stem)) > len(".weights"):
        return stem[: -len(".weights")], stem[-len(".weights") :] + suffix
    return stem, suffix
