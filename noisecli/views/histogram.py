"""How often each value occurs: the clean image's as an area, the noisy one's as a line over it."""

import cv2
import numpy as np
from numpy.typing import NDArray

from noisecli.views.canvas import CLEAN, LINE, NOISY, Canvas, blank

BINS = 256
_HEIGHT = 48


def draw_histogram(clean: NDArray[np.int64], noisy: NDArray[np.int64] | None, width: int) -> Canvas:
    """Draw the counts of the values 0..255 from left to right.

    Heights are square roots of counts, so that both the few clipped values and the many of a flat sky are visible.
    """
    strip = blank(_HEIGHT, width)
    highest = max(1.0, float(np.sqrt(_spread(clean, width).max())))
    area = _heights(clean, width, highest)
    strip[np.arange(_HEIGHT)[:, None] >= _HEIGHT - area] = CLEAN
    strip[-1] = LINE
    if noisy is not None:
        line = np.stack([np.arange(width), _HEIGHT - 1 - _heights(noisy, width, highest)], axis=1)
        cv2.polylines(strip, [line.astype(np.int32)], False, NOISY, 1, cv2.LINE_AA)
    return strip


def _spread(counts: NDArray[np.int64], width: int) -> NDArray[np.float64]:
    """Distribute the bins over columns: several bins are added, one bin may fill several columns."""
    edges = np.linspace(0, BINS, width + 1)
    below = np.interp(edges, np.arange(BINS + 1), np.concatenate([[0], counts.cumsum()]))
    return np.asarray(np.diff(below))


def _heights(counts: NDArray[np.int64], width: int, highest: float) -> NDArray[np.int64]:
    roots = np.sqrt(_spread(counts, width)) / highest
    heights: NDArray[np.int64] = np.rint(np.minimum(roots, 1) * (_HEIGHT - 3)).astype(np.int64)
    return heights
