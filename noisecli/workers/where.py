"""Where an image gets noise: inside its mask, inside a patch, or, with both, inside both."""

import contextlib
from dataclasses import replace
from typing import Any, NamedTuple, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from noisecli.codecs import Codec, Source
from noisecli.errors import FileFailed, FileProblem
from noisecli.model import Limits, Task
from noisecli.noise.measure import round_significant
from noisecli.noise.patch import draw_patch
from noisecli.noise.stream import Streams
from noisecli.settings import Settings
from noisecli.workers import Row
from noisecli.workers.mask_files import MaskFile, MaskFiles

Inside = NDArray[np.bool_]
Size = tuple[int, int]

_DIGITS = 9
_WIDEST_PIXEL = 8
"""Bytes of a pixel of a mask: four channels of 16 bits."""


class Picture(Protocol):
    """What the source of an image has beside its samples."""

    @property
    def shown_size(self) -> Size:
        """Height and width as a viewer shows it."""

    def upright(self, image: NDArray[Any]) -> NDArray[Any]:
        """Return samples as a viewer shows them."""

    def lying(self, shown: NDArray[Any]) -> NDArray[Any]:
        """Return something of the size shown as the samples are stored."""


class Region(NamedTuple):
    """Where one output gets noise.

    Attributes
    ----------
    inside
        Which pixels, (height, width), as the samples are stored.
    entries
        What the row says of it.
    words
        Warnings.
    """

    inside: Inside
    entries: Row
    words: tuple[str, ...]


class _Mask(NamedTuple):
    """A mask as a viewer shows it: which pixels are not black."""

    inside: Inside
    entries: Row
    words: tuple[str, ...]


class Regions:
    """Where the outputs of a request get noise. Masks and places are counted as viewers show the images."""

    def __init__(self, settings: Settings, codec: Codec) -> None:
        noise = settings.noise
        self._codec, self._limits, self._patch = codec, settings.running.limits, noise.patch
        self._masks = None if noise.mask is None else MaskFiles(noise.mask)
        self._seen: tuple[str, Size, _Mask] | None = None

    def of(self, task: Task, source: Source, *, applied: bool) -> Region | None:
        """Return where an output gets noise; None where there is no mask and no patch. Raises FileFailed.

        `applied` is whether it gets any.
        """
        if self._masks is None and self._patch is None:
            return None
        picture = cast(Picture, source)
        height, width = size = picture.shown_size
        mask = _Mask(np.ones(size, np.bool_), {}, ()) if self._masks is None else self._mask_of(task.source, size)
        inside, entries = mask.inside, dict(mask.entries)
        if self._patch is not None:
            patch = draw_patch(Streams(task.key), self._patch, width, height)
            inside = np.zeros(size, np.bool_)
            part = slice(patch.y, patch.y + patch.height), slice(patch.x, patch.x + patch.width)
            inside[part] = mask.inside[part]
            entries["patch"] = [*patch] if applied else None
        share = np.count_nonzero(inside) / inside.size if applied else 0.0
        entries["inside_fraction"] = round_significant(share, _DIGITS)
        return Region(picture.lying(inside), entries, mask.words)

    def _mask_of(self, source: str, size: Size) -> _Mask:
        """Return the mask of a source, read once for all of its outputs."""
        if self._seen is None or self._seen[:2] != (source, size):
            assert self._masks is not None
            self._seen = source, size, self._read(self._masks.of(source), size)
        return self._seen[2]

    def _read(self, mask: MaskFile, size: Size) -> _Mask:
        try:
            with mask.folder.open(mask.name, self._limits.max_bytes) as file:
                with contextlib.closing(self._codec.open_source(file, self._limits_of(file.size, size))) as source:
                    words = ("lossy-mask",) if source.format == "jpeg" else ()
                    inside = _not_black(source, size)
                return _Mask(inside, {"mask": mask.shown, "mask_sha256": file.sha256()}, words)
        except FileProblem as problem:
            raise FileFailed("bad-mask", f"has a mask that is no use, {mask.shown}: it {problem.message}") from problem

    def _limits_of(self, packed: int, size: Size) -> Limits:
        """Return the limits of a mask: one as large as its image may be packed better than any image."""
        if self._limits.max_decoded is not None:
            return self._limits
        return replace(
            self._limits, max_decoded=max(self._limits.most_decoded(packed), size[0] * size[1] * _WIDEST_PIXEL)
        )


def _not_black(source: Source, size: Size) -> Inside:
    """Return which pixels are not black, alpha aside, as a viewer shows them."""
    frames = list(source.blocks())
    if len(frames) > 1:
        raise FileFailed("bad-mask", f"has {len(frames)} frames, and one serves all frames of an image; save one")
    shown = cast(Picture, source).upright(frames[0])
    if shown.shape[:2] != size:
        (height, width), (its_height, its_width) = size, shown.shape[:2]
        words = f"is {its_width} x {its_height}, and the image {width} x {height}, as viewers show them"
        raise FileFailed("bad-mask", f"{words}; make them the same size")
    if shown.dtype.kind == "f" and not np.isfinite(shown).all():
        raise FileFailed("bad-mask", "has values that are not numbers; make them 0 or 1")
    if shown.ndim == 2:
        return np.asarray(shown != 0)
    return np.asarray((shown[..., : source.spec.noisy_channels] != 0).any(axis=-1))
