"""How often each value occurs: the clean image's as an area, the noisy one's as a line over it."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from noisecli.views.canvas import CLEAN, INK, LINE, NOISY, Canvas, Colour, blank, triangle

BINS = 256
HEIGHT = 64
MARKS = 4
"""Pixels above the plot, where triangles mark what is cut off."""
_USUAL, _TIMES = 95, 3
"""Columns higher than so many times this percentile are cut off."""

Shares = NDArray[np.float64]
"""For each column of a plot, the percentage of all values that one grey level there has."""


def shares_of(counts: NDArray[np.int64], width: int) -> Shares:
    """Distribute the counts of the values 0..255 over columns: several bins are averaged, one may fill several."""
    edges = np.linspace(0, BINS, width + 1)
    below = np.interp(edges, np.arange(BINS + 1), np.concatenate([[0], counts.cumsum()]))
    return np.asarray(np.diff(below) * (100 * width / BINS / max(1, counts.sum())))


def ceiling_of(histograms: Sequence[Shares]) -> float:
    """Return the share at the top of plots: a spike, as of black or white in a saturated image, is cut off."""
    pooled = np.concatenate(histograms)
    pooled = pooled[pooled > 0]
    return float(min(pooled.max(), _TIMES * np.percentile(pooled, _USUAL))) if pooled.size else 1.0


def draw_histogram(clean: Shares, noisy: Shares | None, ceiling: float) -> Canvas:
    """Draw shares from left to right, those beyond the ceiling under a triangle.

    Heights are square roots of shares, so that both the few clipped values and the many of a flat sky are visible.
    """
    strip = blank(HEIGHT, len(clean))
    strip[np.arange(HEIGHT)[:, None] >= HEIGHT - _heights(clean, ceiling)] = CLEAN
    strip[-1] = LINE
    if noisy is not None:
        line = np.stack([np.arange(len(noisy)), HEIGHT - 1 - _heights(noisy, ceiling)], axis=1)
        cv2.polylines(strip, [line.astype(np.int32)], False, NOISY, 1, cv2.LINE_AA)
    _mark(strip, clean > ceiling, INK)
    if noisy is not None:
        _mark(strip, noisy > ceiling, NOISY)
    return strip


def _heights(shares: Shares, ceiling: float) -> NDArray[np.int64]:
    roots = np.sqrt(np.minimum(shares / ceiling, 1))
    heights: NDArray[np.int64] = np.rint(roots * (HEIGHT - 1 - MARKS)).astype(np.int64)
    return heights


def _mark(strip: Canvas, beyond: NDArray[np.bool_], colour: Colour) -> None:
    """Put a triangle over the middle of every run of columns beyond the ceiling."""
    turns = np.flatnonzero(np.diff(np.concatenate([[False], beyond, [False]])))
    for first, end in turns.reshape(-1, 2):
        middle = min(max(int(first + end - 1) // 2, MARKS - 1), strip.shape[1] - MARKS)
        triangle(strip, middle, 0, MARKS, colour)
