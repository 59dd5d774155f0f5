"""Rows of images: whole where there is room, else a window at one pixel for one."""

import itertools
import math
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from noisecli.codecs.image import open_source
from noisecli.model import SampleSpec
from noisecli.storage import SourceFile
from noisecli.views import axes
from noisecli.views.canvas import CLEAN, LINE, NOISY, WHITE, Canvas, blank, enlarge
from noisecli.views.histogram import BINS, HEIGHT, MARKS, ceiling_of, draw_histogram, shares_of
from noisecli.views.legend import Legend
from noisecli.views.noisy_copy import NoisyCopy, Viewing
from noisecli.views.sheet import Cell, Row
from noisecli.workers.scale import on_scale

Samples = NDArray[Any]

SIDE = 320
"""Pixels of a window into a large image, and of the largest view of one that is enlarged by itself."""
_WHOLE = 500
"""What has no more pixels is shown whole, and of a wide image a window has as many from side to side."""
_WIDE = 1.5
"""Wider images than so many times their height are wide: panoramas, lines of text; not photos."""
_NARROWEST = 96
_GUTTER = 44
_NOTE = "share of each grey level from 0 to 255; heights are square roots"
_DETAIL_SIDE = 1024
_SQUARE = 8
_BAND = 256


class _Window(NamedTuple):
    """A part of an image."""

    top: int
    left: int
    height: int
    width: int

    def of(self, samples: Samples) -> Samples:
        return samples[self.top : self.top + self.height, self.left : self.left + self.width]


@dataclass(frozen=True)
class _Look:
    """A decoded image the right way up; of several pages the first."""

    samples: Samples
    spec: SampleSpec
    pages: int
    format: str

    @property
    def size(self) -> tuple[int, int]:
        height, width = self.samples.shape[:2]
        return height, width


def draw_row(source: str, name: str, copies: Sequence[NoisyCopy], viewing: Viewing) -> Row:
    """Draw the image at the path `source`, and its noisy copies. Raises FileFailed, FileSkipped as the codec does."""
    clean = _look(source, viewing)
    height, width = clean.size
    times = viewing.zoom or max(1, min(SIDE // height, SIDE // width))
    window = _choose_window(clean, times, next((copy.patch for copy in copies if copy.patch), None))
    overview, place = None, ""
    if (window.height, window.width) != clean.size:
        place = f" from {window.left}, {window.top}"
        scale = f"at {min(1.0, SIDE / max(clean.size)):.2g} of its size"
        overview = Cell("whole image", (scale,), (_overview(clean, window),))
    zoomed = "pixel for pixel" if times == 1 else f"{times} x enlarged"
    captions = [("original", (zoomed + place,)), *((copy.title, copy.notes) for copy in copies)]
    about = _about(clean)
    views, histograms = [], []
    for look in itertools.chain([clean], (_look(copy.path, viewing) for copy in copies)):
        views.append(enlarge(_shown(window.of(look.samples), look.spec), times))
        histograms.append(shares_of(_counts(look), max(views[0].shape[1], _NARROWEST)))
    ceiling = ceiling_of(histograms)
    values = axes.below(len(histograms[0]), 0, BINS - 1, "")
    cells = [
        Cell(title, notes, (view, draw_histogram(histograms[0], noisy if number else None, ceiling), values))
        for number, ((title, notes), view, noisy) in enumerate(zip(captions, views, histograms, strict=True))
    ]
    percent = axes.beside(_GUTTER, HEIGHT - MARKS, 0, ceiling, "%", on_the_left=True, power=0.5)
    gutter = Cell("", (), (blank(views[0].shape[0] + MARKS, 1), percent))
    is_cut = any(bool((shares > ceiling).any()) for shares in histograms)
    return Row(name, about, tuple(cells), overview, gutter=gutter, legend=Legend(CLEAN, _NOTE, is_cut))


def _look(path: str, viewing: Viewing) -> _Look:
    limits = viewing.limits
    with SourceFile(path, limits.max_bytes) as file, closing(open_source(file, limits)) as source:
        frames = list(source.blocks())
        samples = source.upright(frames[0])
        bands = source.spec.noisy_channels or samples.shape[-1]
        if samples.ndim == 3 and bands != 3:  # of many bands the first three, of two the first
            samples = samples[..., :3] if bands > 3 else samples[..., 0]
        spec = on_scale(source.spec, viewing.full_scale, viewing.range)
        return _Look(samples, spec, len(frames), source.format)


def _about(look: _Look) -> str:
    height, width = look.size
    channels = {1: "grey", 3: "colour", 4: "colour with alpha"}[look.samples.shape[2] if look.samples.ndim == 3 else 1]
    pages = f", the first of {look.pages} pages" if look.pages > 1 else ""
    return f"{width} x {height}, {look.format}, {look.spec.dtype} {channels}{pages}"


def _room(height: int, width: int, times: int) -> tuple[int, int]:
    """Return how many pixels from top to bottom and from side to side are shown of an image."""
    if max(height, width) * times <= _WHOLE:
        return height, width
    across = _WHOLE if width > _WIDE * height else SIDE
    return min(height, max(1, SIDE // times)), min(width, max(1, across // times))


def _choose_window(look: _Look, times: int, patch: tuple[int, int, int, int] | None) -> _Window:
    """Return the part around a patch, else that with the most detail; the middle where there is none."""
    height, width = look.size
    high, wide = _room(height, width, times)
    if (high, wide) == (height, width):
        return _Window(0, 0, height, width)
    if patch is not None:
        x, y, across, down = patch
        top, left = y + (down - high) // 2, x + (across - wide) // 2
        return _Window(min(max(top, 0), height - high), min(max(left, 0), width - wide), high, wide)
    shrunk = max(1, math.ceil(max(height, width) / _DETAIL_SIDE))
    grey = _shown(_reduce(look.samples, height // shrunk or 1, width // shrunk or 1), look.spec)
    grey = grey.astype(np.float32).mean(axis=2)
    detail = np.zeros_like(grey)
    detail[1:] += np.abs(np.diff(grey, axis=0))
    detail[:, 1:] += np.abs(np.diff(grey, axis=1))
    inside = _sums_in_boxes(detail, max(1, high // shrunk), max(1, wide // shrunk))
    if inside.max() <= 0:
        return _Window((height - high) // 2, (width - wide) // 2, high, wide)
    row, column = np.unravel_index(int(inside.argmax()), inside.shape)
    return _Window(min(int(row) * shrunk, height - high), min(int(column) * shrunk, width - wide), high, wide)


def _sums_in_boxes(values: NDArray[np.float32], height: int, width: int) -> NDArray[np.float64]:
    """Return the sum over the box that begins at each place where one has room."""
    height, width = min(height, values.shape[0]), min(width, values.shape[1])
    sums = np.pad(values.cumsum(axis=0, dtype=np.float64).cumsum(axis=1), ((1, 0), (1, 0)))
    lines = sums[height:] - sums[:-height]
    return np.asarray(lines[:, width:] - lines[:, :-width])


def _overview(look: _Look, window: _Window) -> Canvas:
    """Return the whole image, small, the window marked; noise would not be visible in it."""
    height, width = look.size
    scale = min(1.0, SIDE / max(height, width))
    small = _shown(_reduce(look.samples, max(1, round(height * scale)), max(1, round(width * scale))), look.spec)
    corner = round(window.left * scale), round(window.top * scale)
    opposite = round((window.left + window.width) * scale) - 1, round((window.top + window.height) * scale) - 1
    for colour, thickness in ((WHITE, 3), (NOISY, 1)):
        cv2.rectangle(small, corner, opposite, colour, thickness)
    return small


def _reduce(samples: Samples, height: int, width: int) -> Samples:
    """Average areas; OpenCV does not do that for 32-bit integers."""
    known = samples if samples.dtype.name in ("uint8", "uint16", "int16", "float32") else samples.astype(np.float64)
    return cv2.resize(known, (width, height), interpolation=cv2.INTER_AREA)


def _eight_bits(samples: Samples, spec: SampleSpec) -> NDArray[np.uint8]:
    """Return samples on the scale of a screen, lowest to highest; NaN and infinities are black."""
    if samples.dtype == np.uint8 and spec.high == 255:
        return samples
    numbers = np.nan_to_num(samples) if samples.dtype.kind == "f" else samples
    share = (np.clip(numbers.astype(np.float64), spec.low, spec.high) - spec.low) / (spec.high - spec.low)
    return np.rint(share * 255).astype(np.uint8)


def _shown(samples: Samples, spec: SampleSpec) -> Canvas:
    """Return samples as a screen shows them: three colours, a chequerboard behind what is transparent."""
    eight = _eight_bits(samples, spec)
    if eight.ndim == 2:
        return np.ascontiguousarray(np.repeat(eight[..., None], 3, axis=2))
    if eight.shape[2] == 3:
        return np.ascontiguousarray(eight)
    height, width = eight.shape[:2]
    odd = (np.arange(height)[:, None] // _SQUARE + np.arange(width) // _SQUARE) % 2 == 1
    behind = blank(height, width)
    behind[odd] = LINE
    alpha = eight[..., 3:].astype(np.float32) / 255
    return np.rint(eight[..., :3] * alpha + behind * (1 - alpha)).astype(np.uint8)


def _counts(look: _Look) -> NDArray[np.int64]:
    """Count the values of all colour channels together, on the scale of 0..255."""
    counts = np.zeros(BINS, np.int64)
    for start in range(0, len(look.samples), _BAND):
        band = look.samples[start : start + _BAND]
        colours = _eight_bits(band[..., :3] if band.ndim == 3 else band, look.spec)
        counts += np.bincount(colours.reshape(-1), minlength=BINS)
    return counts
