"""Label masks among images: a mask's name, and few values. Noise would make other classes of its indices.

Of labels among arrays, see noisecli.run.label_arrays.
"""

import os
import re
import shlex
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import NamedTuple

from noisecli.engines import Job, Lost, cut, open_engine, run_all
from noisecli.errors import FileFailed, FileSkipped
from noisecli.kinds import KINDS, format_of, kinds_of, suffix_of
from noisecli.run.label_arrays import label_arrays
from noisecli.run.sources import Listing, pattern_of
from noisecli.settings import Settings
from noisecli.storage import escape_name, folder_at, is_url, split_location
from noisecli.workers.mask_files import MaskFiles

_WORDS = {
    *("alpha", "alphas", "ann", "anno", "annot", "annotation", "annotations", "annots", "anns", "groundtruth", "gt"),
    *("gts", "instance", "instances", "label", "labelmap", "labelmaps", "labels", "lbl", "lbls", "manual", "mask"),
    *("masks", "matte", "mattes", "panoptic", "parsing", "parsings", "pixelmap", "pixelmaps", "seg", "segm", "segmap"),
    *("segmaps", "segmentation", "segmentations", "segms", "segs", "semantic", "silhouette", "silhouettes"),
    *("stuffthingmap", "stuffthingmaps", "testannot", "trainannot", "trimap", "trimaps", "truth", "valannot"),
}
_WORN = {"incorrect", "incorrectly", "mask", "no", "weared", "wearing", "with", "without", "worn"}
"""Classes of faces, as with_mask, without_mask and mask_weared_incorrect: of such words alone, and of several."""
_MARKED = re.compile("(.+)_[PL]")
"""CamVid's masks: 0001TP_006690_P.png and _L.png of 0001TP_006690.png, in another folder."""
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


class _Suspicion(NamedTuple):
    """What makes a file look like a mask, and the glob of --include that asks for noise on it."""

    words: str
    glob: str
    is_twin: bool = False


def set_aside(settings: Settings, found: Listing) -> None:
    """Move the labels among the sources to `found.masks`; one file that is named alone is asked for, and stays.

    Sources without the mask that --mask asks for are problems.
    """
    names = settings.choice.names
    if names is not None and len(names) == 1:
        found.masks_asked_for = sum(looks_like_mask(settings, source) for source in found.sources)
    else:
        found.masks = label_masks(settings, found.sources, found.sources)
        if found.masks:
            found.sources = [source for source in found.sources if source not in found.masks]
    _leave_unmasked(settings, found)


def _leave_unmasked(settings: Settings, found: Listing) -> None:
    if settings.noise.mask is None:
        return
    masks, sources = MaskFiles(settings.noise.mask), found.sources
    found.sources = []
    for source in sources:
        try:
            masks.of(source)
            found.sources.append(source)
        except FileFailed as problem:
            found.problems.append((source, problem))


def looks_like_mask(settings: Settings, name: str) -> bool:
    """Whether one file is a label mask, or labels, by what its folder is called and holds."""
    root = settings.source if is_url(settings.source) else os.path.realpath(settings.source)
    folder, own = split_location(folder_at(root).location_of(name))
    try:
        names = folder_at(folder).names()
    except OSError:
        names = []
    above, last = split_location(folder)
    below = f"{last}/" if last else ""
    return bool(label_masks(replace(settings, source=above), [below + own], [below + other for other in names]))


def label_masks(settings: Settings, names: Iterable[str], among: Collection[str]) -> dict[str, FileSkipped]:
    """Return those of `names` that are labels of the sources `among` which they lie, and why they get no noise.

    Of images, their content is looked at in worker processes where the name, or an image beside it, gives reason to.
    """
    if KINDS[settings.kind].has_label_arrays:
        return label_arrays(settings, names, among)
    wanted = KINDS[settings.kind].mask_formats
    if not wanted:
        return {}
    images = [name for name in among if settings.kind in kinds_of(suffix_of(name))]
    beside = _beside(images)
    stems = {_own_stem(name) for name in images}
    suspects = {
        name: why
        for name in names
        if (form := format_of(suffix_of(name))) is not None
        and form.name in wanted
        and (why := _why(name, beside, stems)) is not None
        and not _is_asked_for(name, settings.choice.include)
    }
    counts = _count_values(settings, [(name, not why.is_twin) for name, why in suspects.items()]) if suspects else {}
    return {
        name: _skipped(suspects[name], count)
        for name, count in counts.items()
        if not suspects[name].is_twin or any(twin not in counts for twin in beside[os.path.splitext(name)[0]])
    }


def _beside(names: Iterable[str]) -> dict[str, list[str]]:
    """Return the names that differ by their suffix alone, by what they have in common."""
    by_stem: defaultdict[str, list[str]] = defaultdict(list)
    for name in names:
        by_stem[os.path.splitext(name)[0]].append(name)
    return {stem: twins for stem, twins in by_stem.items() if len(twins) > 1}


def _own_stem(name: str) -> str:
    return os.path.basename(os.path.splitext(name)[0])


def _why(name: str, beside: Collection[str], stems: Collection[str]) -> _Suspicion | None:
    """Say what makes a file look like a mask before it is looked at."""
    stem = os.path.splitext(name)[0]
    folder, own = os.path.split(stem)
    while folder:
        above, part = os.path.split(folder)
        if _label_words(part):
            return _Suspicion(f"in a folder called {part}", f"{folder}/**")
        folder = above
    if _label_words(own) or ((marked := _MARKED.fullmatch(own)) and marked[1] in stems):
        return _Suspicion("named like one", name)
    return _Suspicion("beside an image of its name", name, is_twin=True) if stem in beside else None


def is_called_labels(name: str) -> bool:
    """Whether a folder on a file's way, or its own name, has a word for labels."""
    return any(map(_label_words, name.split("/")))


def _label_words(text: str) -> bool:
    words = {word.lower() for word in _WORD.findall(text)}
    return not _WORDS.isdisjoint(words) and not (len(words) > 1 and words <= _WORN)


def _is_asked_for(name: str, include: Iterable[str]) -> bool:
    """Whether a glob of --include speaks of masks, or of this very file."""
    own = _own_stem(name)
    speaking = (glob for glob in include if _label_words(glob) or os.path.basename(glob).startswith(own))
    return any(pattern_of(glob).match(name) for glob in speaking)


def _count_values(settings: Settings, suspects: list[tuple[str, bool]]) -> dict[str, int]:
    """Return how many values those have that have few; one that cannot be read is left to whoever processes it.

    With each name goes whether it may be a mask of many instances.
    """
    counts: dict[str, int] = {}
    job = Job(
        "noisecli.workers.few_values:Looking", (settings,), KINDS[settings.kind].modules, reads=(settings.source,)
    )
    chunks = cut(suspects, len(suspects), settings.running.jobs)
    with open_engine(job, settings.running) as engine:
        for _, result in run_all(engine, chunks, lambda chunk: [[suspect] for suspect in chunk]):
            if not isinstance(result, Lost):
                counts.update(result)
    return counts


def _skipped(why: _Suspicion, count: int) -> FileSkipped:
    values = "1 value" if count == 1 else f"{count:,} values"
    glob = shlex.quote(escape_name(why.glob))
    return FileSkipped(
        "label-mask",
        f"looks like a label mask ({values}, {why.words}): left without noise; --include {glob} asks for it",
    )
