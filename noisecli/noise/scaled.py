"""Noise whose std is another for every sample: exact integers, floats.

Integer data x become clip(x + k), k = round(std(x) n + mean), which is exact as x is an integer. n comes from the bits
that white noise takes (see noisecli.noise.kernels): 16 choose a slot of the normal distribution, 8 more a cell of it
where stds are large. std(x) n is computed in single precision, and what is unknown of it yet, inside the slot and by
rounding, bounds how far it may be off. Samples for which that could reach another k get the rest of 64 bits, and are
computed in double precision with the exact std. All ways give the k that all 64 bits would give.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from noisecli.noise.array_ops import Slots, operations
from noisecli.noise.kernels import float32_noise, float64_noise
from noisecli.noise.quantile import edges, normal_from_words
from noisecli.noise.stream import Streams

AnyArray = NDArray[Any]
Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

CACHED = 1 << 16
"""Samples worked on at a time: a few rows of them in single precision stay in the cache."""
_LARGEST_NARROW = 127
_FURTHEST = 9.2
"""More than n can be."""
_LARGEST_BY_SLOT = 500.0
_LARGEST_BY_CELL = 50_000.0
_LARGEST_MEAN = 10_000.0
_TAIL_SLOTS = 512
"""By cells: the outermost slots on each side, beyond 2.41 standard deviations, are too curved for straight lines."""
CELL_ERROR = 2.4e-6
"""More than n by cell is off, 1.77e-6, and what two roundings of std n add to it, as a share of std."""
ROUNDING = 2.0**-21
"""More than single precision rounds, as a share of all that is added up."""


class Stds(NamedTuple):
    """The std of each of some samples, and of all.

    Attributes
    ----------
    quick
        For each sample, in single precision.
    exact
        Returns those of the samples at some places, in double precision.
    largest
        No sample of the output has a larger one.
    """

    quick: Float32
    exact: Callable[[NDArray[np.intp]], Float64]
    largest: float


def integer_type(largest: float, mean: float) -> np.dtype[Any]:
    """Return the type of scaled_integers() for the largest std: it depends on no sample."""
    if _FURTHEST * largest + abs(mean) <= _LARGEST_NARROW:
        return np.dtype(np.int8)
    if abs(mean) > _LARGEST_MEAN or largest > _LARGEST_BY_CELL:
        return np.dtype(np.float64)
    return np.dtype(np.int16 if largest <= _LARGEST_BY_SLOT else np.int32)


def scaled_integers(streams: Streams, stds: Stds, mean: float, channels: int = 1) -> AnyArray:
    """Draw a k for each sample, exactly distributed, CACHED samples at most.

    Parameters
    ----------
    streams
        The output's own bits; each call continues where the last one stopped.
    stds
        Of the samples.
    mean
        Of the noise.
    channels
        So many samples in a row share one n.

    Returns
    -------
    ndarray
        int8, int16, int32, or float64, rounded, where the largest std is far beyond 16 bits; see integer_type().
    """
    count, kind = stds.quick.size // channels, integer_type(stds.largest, mean)
    if kind.kind == "f":
        n = repeat(normal_from_words(streams.words.words(count)), channels)
        return np.rint(n * stds.exact(np.arange(n.size)) + mean)
    slots = streams.slots.uint16(count)
    if stds.largest <= _LARGEST_BY_SLOT:
        cells, known = None, 16
        doubt: Float32 | float
        value, doubt = _by_slot(slots, stds.quick, channels)
    else:
        cells, known = streams.cells.uint8(count), 24
        value, doubt = by_cell(slots, cells, stds.quick, channels), stds.largest * CELL_ERROR
    if mean:
        value += np.float32(mean)
    rounded = np.rint(value)
    value -= rounded
    np.abs(value, out=value)
    value += doubt
    # NaN, the outermost slots, is not below anything
    sure = value < np.float32(0.5 - (_FURTHEST * stds.largest + abs(mean) + 1) * ROUNDING)
    unsure = np.flatnonzero(np.logical_not(sure, out=sure))
    rounded[unsure] = 0
    noise = rounded.astype(kind)
    n = drawn_again(streams, slots, cells, 64 - known, unsure // channels)
    noise[unsure] = np.rint(n * stds.exact(unsure) + mean)
    return noise


def _by_slot(slots: Slots, stds: Float32, channels: int) -> tuple[Float32, Float32]:
    """Return std n for n in the middle of each slot, and how far the slot's ends are from it."""
    both = []
    for table in _slot_tables():
        found = np.empty(slots.size, np.float32)
        operations().look_up(table, slots, found)
        found = repeat(found, channels)
        found *= stds
        both.append(found)
    return both[0], both[1]


def by_cell(slots: Slots, cells: NDArray[np.uint8], stds: Float32, channels: int) -> Float32:
    """Return std n for n in the middle of each cell."""
    start, width = _cell_tables()
    n, beginning = np.empty((2, slots.size), np.float32)
    operations().look_up(width, slots, n)
    n *= cells
    operations().look_up(start, slots, beginning)
    n += beginning
    n = repeat(n, channels)
    n *= stds
    return n


def repeat(n: AnyArray, channels: int) -> AnyArray:
    """Return each value as often as there are channels."""
    return np.repeat(n, channels) if channels > 1 else n


@cache
def _slot_tables() -> tuple[Float32, Float32]:
    """The middle of each slot, and half its width, a little more for rounding; NaN where a slot has no end."""
    low, high = edges()[:-1].copy(), edges()[1:].copy()
    low[0] = high[-1] = np.nan
    middle = (low + high) / 2
    return middle.astype(np.float32), ((high - low) / 2 + np.abs(middle) * ROUNDING + ROUNDING / 8).astype(np.float32)


@cache
def _cell_tables() -> tuple[Float32, Float32]:
    """The middle of the first of a slot's 256 cells, and the width of a cell; NaN in the tails."""
    low, high = edges()[:-1].copy(), edges()[1:].copy()
    low[:_TAIL_SLOTS] = high[-_TAIL_SLOTS:] = np.nan
    width = (high - low) / 256
    start = low + width / 2
    return start.astype(np.float32), width.astype(np.float32)


def drawn_again(
    streams: Streams, slots: Slots, cells: NDArray[np.uint8] | None, missing: int, places: NDArray[np.intp]
) -> Float64:
    """Return n for the draws at some places, sorted, from all 64 bits of each; the same place has the same n."""
    first = np.ones(places.size, np.bool_)
    first[1:] = places[1:] != places[:-1]
    own = places[first]
    word = slots[own].astype(np.uint64) << np.uint64(48)
    if cells is not None:
        word |= cells[own].astype(np.uint64) << np.uint64(40)
    word |= streams.words.words(own.size) >> np.uint64(64 - missing)
    n: Float64 = normal_from_words(word)[np.cumsum(first) - 1]
    return n


def scaled_floats(streams: Streams, dtype: np.dtype[Any], stds: Float64, mean: float, channels: int = 1) -> AnyArray:
    """Draw std n + mean for each sample: float32 for float16 and float32, float64 for other floats."""
    draw = float32_noise if dtype.itemsize <= 4 else float64_noise
    noise = repeat(draw(streams, stds.size // channels, 1.0, 0.0), channels)
    noise *= stds.astype(noise.dtype)
    if mean:
        noise += noise.dtype.type(mean)
    return noise
