"""Noise on blocks of samples: integers exactly, floats.

Integer data x becomes clip(round(x + mean + std n)). As x is an integer, that is clip(x + k) with
P(k) = Phi((k + 1/2 - mean) / std) - Phi((k - 1/2 - mean) / std).

How k is drawn, for std up to 2,000: 16 random bits choose one of 65,536 equally likely slots of the normal distribution.
In most slots every value rounds to the same k, and a table holds it. The slots that an edge between two k's cuts are
marked; their samples get 48 further bits and are computed. Beyond that, and for floats, the value is computed.

OpenCV's LUT and saturating add serve as fast array operations where they can be loaded; numpy gives the same samples.
"""

from __future__ import annotations

import sys
from functools import cache, lru_cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from noisecli.noise.quantile import edges, normal_from_words
from noisecli.noise.stream import Streams

Slots = NDArray[np.uint16]
AnyArray = NDArray[Any]

MARK = np.int16(-32768)
LARGEST_TABLE_STD = 2000.0
LARGEST_TABLE_MEAN = 10_000.0
_SMALL = 16_384
_TAIL_SLOTS = 256
"""Floats: the outermost slots on each side, beyond 2.66 standard deviations, are computed instead of interpolated."""


class ArrayOperations(Protocol):
    """The three array operations worth a library."""

    def look_up(self, table: AnyArray, slots: Slots) -> AnyArray:
        """Return table[slots]."""

    def add_saturating(self, x: AnyArray, k: NDArray[np.int16]) -> AnyArray:
        """Return x + k, held to the limits of x's 8- or 16-bit integer type."""

    def square_sum(self, x: AnyArray) -> float:
        """Return the sum of squares, exact for up to 2^20 16-bit integers."""


class NumpyOperations:
    """Plain numpy: slower, the same samples."""

    def look_up(self, table: AnyArray, slots: Slots) -> AnyArray:
        return table.take(slots)

    def add_saturating(self, x: AnyArray, k: NDArray[np.int16]) -> AnyArray:
        limits = np.iinfo(x.dtype)
        return np.clip(np.add(x, k, dtype=np.int32), limits.min, limits.max).astype(x.dtype)

    def square_sum(self, x: AnyArray) -> float:
        wide = x.astype(np.int64 if x.dtype.kind in "iu" else np.float64)
        return float(np.einsum("i,i->", wide, wide))


class OpenCVOperations:
    """OpenCV's vectorised loops. It takes rows of two dimensions."""

    def __init__(self) -> None:
        import cv2

        self._cv2 = cv2
        self._depths = {"u1": cv2.CV_8U, "i1": cv2.CV_8S, "u2": cv2.CV_16U, "i2": cv2.CV_16S}

    def look_up(self, table: AnyArray, slots: Slots) -> AnyArray:
        return self._cv2.LUT(slots[None], table[None])[0]

    def add_saturating(self, x: AnyArray, k: NDArray[np.int16]) -> AnyArray:
        return self._cv2.add(x[None], k[None], dtype=self._depths[x.dtype.str[1:]])[0]

    def square_sum(self, x: AnyArray) -> float:
        return float(self._cv2.norm(x[None], self._cv2.NORM_L2SQR))


_NUMPY = NumpyOperations()


@cache
def _opencv() -> OpenCVOperations:
    return OpenCVOperations()


def operations() -> ArrayOperations:
    """Return OpenCV's operations where it is loaded already: for sounds alone its start-up costs more than it saves."""
    return _opencv() if "cv2" in sys.modules else _NUMPY


def has_table(std: float, mean: float) -> bool:
    """Whether every k of this noise fits the 16-bit table, 9.2 standard deviations out."""
    return std <= LARGEST_TABLE_STD and abs(mean) <= LARGEST_TABLE_MEAN


@lru_cache(maxsize=8)
def _table(std: float, mean: float) -> NDArray[np.int16]:
    """k for each slot, or MARK."""
    return _round_slots(edges()[:-1], edges()[1:], std, mean)


def _round_slots(low: AnyArray, high: AnyArray, std: float, mean: float) -> NDArray[np.int16]:
    # an infinite edge times std 0 is no number: the outermost slots are marked whatever std is
    with np.errstate(invalid="ignore"):
        lowest, highest = np.rint(low * std + mean), np.rint(high * std + mean)
    same = lowest == highest
    return np.where(same, lowest, MARK).astype(np.int16)


def integer_noise(streams: Streams, count: int, std: float, mean: float) -> NDArray[np.int16]:
    """Draw `count` integers k exactly distributed, for parameters that has_table() holds true."""
    slots = streams.slots.uint16(count)
    if count < _SMALL:
        noise = _round_slots(edges().take(slots), edges().take(slots.astype(np.intp) + 1), std, mean)
    else:
        noise = operations().look_up(_table(std, mean), slots)
    marked = np.flatnonzero(noise == MARK)
    noise[marked] = np.rint(_drawn_again(streams, slots[marked]) * std + mean)
    return noise


def _drawn_again(streams: Streams, slots: Slots) -> NDArray[np.float64]:
    """Standard normal values inside the given slots, 48 more bits each."""
    inside = streams.words.words(len(slots)) >> np.uint64(16)
    return normal_from_words((slots.astype(np.uint64) << np.uint64(48)) | inside)


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
    noise = operations().look_up(width, slots)
    noise *= streams.cells.uint8(count)
    noise += operations().look_up(start, slots)
    tail = np.flatnonzero(slots + np.uint16(_TAIL_SLOTS) < np.uint16(2 * _TAIL_SLOTS))
    noise[tail] = _drawn_again(streams, slots[tail])
    noise *= np.float32(std)
    if mean:
        noise += np.float32(mean)
    return noise


def add_to_integers(x: AnyArray, noise: AnyArray, low: int, high: int) -> AnyArray:
    """Return clip(x + noise, low, high) in x's dtype; nothing wraps around.

    Parameters
    ----------
    x
        Integers, one dimension.
    noise
        int16 as from integer_noise, or floats, which are rounded first.
    low, high
        Limits inside those of the dtype.
    """
    limits = np.iinfo(x.dtype)
    if noise.dtype == np.int16 and x.dtype.itemsize <= 2:
        total = operations().add_saturating(x, noise)
        whole = low == limits.min and high == limits.max
        return total if whole else np.clip(total, low, high, out=total)
    if x.dtype.itemsize <= 4:
        total = np.rint(noise).astype(np.float64)
        total += x
        return np.clip(total, low, high, out=total).astype(x.dtype)
    return _add_to_64_bits(x, noise, low, high)


def _add_to_64_bits(x: AnyArray, noise: AnyArray, low: int, high: int) -> AnyArray:
    """Add in int64 with saturation: a double cannot hold these integers."""
    top = np.uint64(1 << 63)
    signed = (x.astype(np.uint64) ^ top).view(np.int64) if x.dtype.kind == "u" else x.astype(np.int64)
    k = np.clip(np.rint(noise), -(2.0**62), 2.0**62).astype(np.int64)
    total = signed + k
    overflowed = ((signed ^ total) & (k ^ total)) < 0
    total[overflowed] = np.where(k[overflowed] < 0, np.iinfo(np.int64).min, np.iinfo(np.int64).max)
    result = (total.view(np.uint64) ^ top) if x.dtype.kind == "u" else total
    return np.clip(result.astype(x.dtype), low, high)


def add_to_floats(x: AnyArray, noise: AnyArray) -> AnyArray:
    """Return x + noise in x's dtype, in single precision where both are. NaN and infinities stay as they are."""
    total: AnyArray = np.add(x, noise, dtype=np.result_type(x.dtype, noise.dtype)).astype(x.dtype, copy=False)
    return total


def clip_floats(y: AnyArray, low: float, high: float) -> tuple[AnyArray, int]:
    """Return y held between low and high, and how many samples that changed; NaN and infinities stay as they are."""
    outside = (y < low) | (y > high)
    count = int(np.count_nonzero(outside))
    if not count:
        return y, 0
    infinite = np.isinf(y)
    clipped: AnyArray = np.clip(y, low, high)
    clipped[infinite] = y[infinite]
    return clipped, count - int(np.count_nonzero(infinite))
