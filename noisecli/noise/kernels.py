"""Noise drawn from raw bits: exact integers, floats.

Integer data x becomes clip(round(x + mean + std n)). As x is an integer, that is clip(x + k) with
P(k) = Phi((k + 1/2 - mean) / std) - Phi((k - 1/2 - mean) / std).

How k is drawn: 16 random bits choose one of 65,536 equally likely slots of the normal distribution. In most slots every
value rounds to the same k, and a table holds it. The slots that an edge between two k's cuts are marked; their samples
get 48 further bits and are computed. Where std is so large that most slots are cut, 8 further bits choose a cell of the
slot first, a table of straight lines tells k, and the samples of cells that may be cut are computed from 40 more bits.
Both ways give the k that all 64 bits would give.
"""

import math
from functools import cache, lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from noisecli.noise.array_ops import Slots, operations
from noisecli.noise.quantile import edges, normal_from_words
from noisecli.noise.stream import Streams

AnyArray = NDArray[Any]
Int32 = NDArray[np.int32]

CACHED = 1 << 17
"""Samples worked on at a time where a pass follows a pass: they stay in the cache."""
_NARROW, _USUAL = np.dtype(np.int8), np.dtype(np.int16)
_MARKS = {_NARROW: -128, _USUAL: -32768}
"""No k in a table of that type."""
_LARGEST_SLOT = 4.18
"""More than where the outermost slots begin, in standard deviations."""
_TABLE_PAYS = 8_192
"""Fewer samples than this are evaluated one by one, unless others of the same std have been before."""
_LARGEST_TABLE_STD = 2000.0
_LARGEST_TABLE_MEAN = 10_000.0
_TAIL_SLOTS = 256
"""Floats: the outermost slots on each side, beyond 2.66 standard deviations, are too curved for straight lines."""
_LEAST_FRACTION_BITS = 12
_WIDE_TAIL_SLOTS = 512
_WIDE_TAIL = 2.5
"""More than where these slots begin, in standard deviations."""
_LINE_ERROR = 288
"""More than a line's distance from the curve in its last binary digit: rounding 130, curvature 140."""


def draw_noise(streams: Streams, dtype: np.dtype[Any], count: int, std: float, mean: float) -> AnyArray:
    """Draw `count` values for samples of a dtype, in the kind of number that suits.

    Parameters
    ----------
    streams
        The output's own bits; each call continues where the last one stopped.
    dtype
        Of the samples, in native byte order.
    count
        How many.
    std, mean
        Of the noise, in the samples' native unit.

    Returns
    -------
    ndarray
        int8, int16 or int32 for integers, or float64, to be rounded, where std or mean are far beyond 16 bits;
        float32 for float16 and float32, float64 for other floats.
    """
    if dtype.kind == "f" and dtype.itemsize <= 4:
        return float32_noise(streams, count, std, mean)
    if dtype.kind == "f":
        return float64_noise(streams, count, std, mean)
    if std <= _LARGEST_TABLE_STD and abs(mean) <= _LARGEST_TABLE_MEAN:
        return integer_noise(streams, count, std, mean)
    if _fraction_bits(std, mean) >= _LEAST_FRACTION_BITS:
        return wide_integer_noise(streams, count, std, mean)
    return float64_noise(streams, count, std, mean)


def integer_noise(streams: Streams, count: int, std: float, mean: float) -> AnyArray:
    """Draw `count` integers k exactly distributed: int8 where all fit, else int16, to 9.2 standard deviations."""
    kind = _NARROW if _LARGEST_SLOT * std + abs(mean) <= 127 else _USUAL
    noise = np.empty(count, kind)
    marked: list[NDArray[np.intp]] = []
    their_slots: list[Slots] = []
    table = _table(std, mean, kind) if _table_pays(count, std, mean) else None
    for start in range(0, count, CACHED):
        part = noise[start : start + CACHED]
        slots = streams.slots.uint16(part.size)
        if table is None:
            part[:] = _round_slots(*_edges_of(slots), std, mean, _MARKS[kind])
        else:
            operations().look_up(table, slots, part)
        places = (part == _MARKS[kind]).nonzero()[0]
        marked.append(places + start)
        their_slots.append(slots[places])
    again = _round(_drawn_again(streams, np.concatenate(their_slots)), std, mean)
    if kind is _NARROW and len(again) and max(again.max(), -again.min()) > 127:
        noise = noise.astype(_USUAL)
    noise[np.concatenate(marked)] = again
    return noise


@lru_cache(maxsize=8)
def _samples_so_far(std: float, mean: float) -> list[int]:
    """How many samples of this noise have been drawn; no sample depends on it."""
    return [0]


def _table_pays(count: int, std: float, mean: float) -> bool:
    so_far = _samples_so_far(std, mean)
    so_far[0] += count
    return so_far[0] >= _TABLE_PAYS


@lru_cache(maxsize=8)
def _table(std: float, mean: float, kind: np.dtype[Any]) -> AnyArray:
    """The k of each slot, or the mark. The outermost slots have no end: they are marked whatever std is."""
    rounded = _round(edges()[1:-1], std, mean).astype(kind)
    table = np.full(len(rounded) + 1, _MARKS[kind], kind)
    table[1:-1] = rounded[1:]
    table[1 + np.flatnonzero(rounded[1:] != rounded[:-1])] = _MARKS[kind]
    return table


def _edges_of(slots: Slots) -> tuple[AnyArray, AnyArray]:
    return edges().take(slots), edges().take(slots.astype(np.intp) + 1)


def _round_slots(low: AnyArray, high: AnyArray, std: float, mean: float, mark: int) -> AnyArray:
    # an infinite edge times std 0 is NaN: the outermost slots are marked whatever std is
    with np.errstate(invalid="ignore"):
        lowest, highest = _round(low, std, mean), _round(high, std, mean)
    same = lowest == highest
    return np.where(same, lowest, mark)


def _round(normal: AnyArray, std: float, mean: float) -> AnyArray:
    value = normal * std
    value += mean
    return np.rint(value, out=value)


def _drawn_again(streams: Streams, slots: Slots) -> NDArray[np.float64]:
    """Standard normal values inside the given slots, 48 more bits each."""
    inside = streams.words.words(len(slots)) >> np.uint64(16)
    return normal_from_words((slots.astype(np.uint64) << np.uint64(48)) | inside)


class _Lines(NamedTuple):
    """For each slot, k + 1/2 at its lower end and the step from cell to cell, in fixed point."""

    start: Int32
    step: Int32


def wide_integer_noise(streams: Streams, count: int, std: float, mean: float) -> Int32:
    """Draw `count` integers k exactly distributed, for std that integer_noise() does not serve."""
    slots, cells = streams.slots.uint16(count), streams.cells.uint8(count)
    bits = _fraction_bits(std, mean)
    start, step = _lines_of(slots, std, mean)
    noise: Int32 = step * cells
    noise += start
    # both ends of what the cell may hold; the marked ones differ above the point
    noise -= _LINE_ERROR
    step += noise
    step += 2 * _LINE_ERROR
    step ^= noise
    marked = np.flatnonzero(step.view(np.uint32) >= 1 << bits)
    noise >>= bits
    noise[marked] = _round(_drawn_in_cells(streams, slots[marked], cells[marked]), std, mean)
    return noise


def _lines_of(slots: Slots, std: float, mean: float) -> _Lines:
    if not _table_pays(len(slots), std, mean):
        return _fit_lines(*_edges_of(slots), std, mean)
    found = _Lines(*np.empty((2, len(slots)), np.int32))
    for column, out in zip(_lines(std, mean), found, strict=True):
        operations().look_up(column, slots, out)
    return found


def _fraction_bits(std: float, mean: float) -> int:
    """How many binary digits behind the point k has room for in 31 bits."""
    return 31 - math.frexp(_WIDE_TAIL * std + abs(mean) + 1)[1]


@lru_cache(maxsize=4)
def _lines(std: float, mean: float) -> _Lines:
    return _fit_lines(edges()[:-1], edges()[1:], std, mean)


def _fit_lines(low: AnyArray, high: AnyArray, std: float, mean: float) -> _Lines:
    """A line through both ends of each slot; in the tails, one that is cut whatever the cell."""
    bits = _fraction_bits(std, mean)
    unit = float(1 << bits)
    tail = (low < edges()[_WIDE_TAIL_SLOTS]) | (high > edges()[-1 - _WIDE_TAIL_SLOTS])
    with np.errstate(invalid="ignore"):
        start = np.where(tail, 0.0, np.rint((low * std + (mean + 0.5)) * unit))
        step = np.where(tail, 0.0, np.rint((high - low) * (std * unit / 256)))
    return _Lines(start.astype(np.int32), step.astype(np.int32))


def _drawn_in_cells(streams: Streams, slots: Slots, cells: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Standard normal values inside the given cells of the given slots, 40 more bits each."""
    inside = streams.words.words(len(slots)) >> np.uint64(24)
    cell = (slots.astype(np.uint64) << np.uint64(48)) | (cells.astype(np.uint64) << np.uint64(40))
    return normal_from_words(cell | inside)


def float64_noise(streams: Streams, count: int, std: float, mean: float) -> NDArray[np.float64]:
    """Draw `count` values of std n + mean, n from 64 bits each."""
    noise = normal_from_words(streams.words.words(count))
    noise *= std
    noise += mean
    return noise


@cache
def _float_tables() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The middle of the first of a slot's 256 cells, and the width of a cell."""
    low, high = edges()[:-1].copy(), edges()[1:].copy()
    low[0], high[-1] = low[1], high[-2]
    width = (high - low) / 256
    return (low + width / 2).astype(np.float32), width.astype(np.float32)


def float32_noise(streams: Streams, count: int, std: float, mean: float) -> NDArray[np.float32]:
    """Draw `count` values of std n + mean in single precision.

    n is the normal quantile of 24 random bits, linear inside a slot (within 1e-6 of the curve there); the outermost
    slots, beyond 2.66 on both sides, are computed from 64 bits.
    """
    slots = streams.slots.uint16(count)
    start, width = _float_tables()
    noise, beginning = np.empty((2, count), np.float32)
    operations().look_up(width, slots, noise)
    noise *= streams.cells.uint8(count)
    operations().look_up(start, slots, beginning)
    noise += beginning
    tail = np.flatnonzero(slots + np.uint16(_TAIL_SLOTS) < np.uint16(2 * _TAIL_SLOTS))
    noise[tail] = _drawn_again(streams, slots[tail])
    noise *= np.float32(std)
    if mean:
        noise += np.float32(mean)
    return noise
