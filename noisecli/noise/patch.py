"""A square at a drawn place of an image: Patch Gaussian.

Lopes, R. G. et al. (2019), Improving robustness without sacrificing accuracy with Patch Gaussian augmentation: the
centre is drawn uniformly over the image, and what lies beyond its border is cut off.
"""

from typing import NamedTuple

from noisecli.noise.stream import Streams

_SIDE, _X, _Y = 16, 17, 18
"""The places of an output's own numbers; those of the noise's parameters are lower."""


class Patch(NamedTuple):
    """A rectangle: its first column and row, and how many it has, 1 at least."""

    x: int
    y: int
    width: int
    height: int


def draw_patch(streams: Streams, sides: tuple[int, int], width: int, height: int) -> Patch:
    """Return an output's patch. No other number of the output moves it, and it moves none.

    Parameters
    ----------
    sides
        The least and the most pixels of its side, which is drawn uniformly from them.
    width, height
        Of the image.
    """
    low, high = sides
    side = low + _below(high - low + 1, streams.number(_SIDE))
    x, across = _span(_below(width, streams.number(_X)), side, width)
    y, down = _span(_below(height, streams.number(_Y)), side, height)
    return Patch(x, y, across, down)


def _below(count: int, uniform: float) -> int:
    # the product may be rounded up to the end
    return min(int(uniform * count), count - 1)


def _span(centre: int, side: int, size: int) -> tuple[int, int]:
    """Return where a side begins and how long it is inside; of an even one, the centre is behind its middle."""
    start, end = max(centre - side // 2, 0), min(centre - side // 2 + side, size)
    return start, end - start
