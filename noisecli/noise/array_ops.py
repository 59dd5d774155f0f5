"""The few array operations worth a library: OpenCV's where it is loaded; numpy gives the same samples and sums."""

import sys
from functools import cache
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

AnyArray = NDArray[Any]
Slots = NDArray[np.uint16]

_PART = 1 << 15
"""Samples that stay in the innermost caches as doubles."""

_MIDDLE = np.uint8(128)

_EXACT = 2.0**62
"""Differences of 64-bit integers below this do not wrap around."""


class Sums(NamedTuple):
    """Over (noisy - clean): sum and sum of squares; over clean: sum of squares. Not finite if a sample is not."""

    total: float
    squares: float
    signal_squares: float


class ArrayOperations(Protocol):
    """Arrays have one dimension; sums are exact for up to 2^20 samples of 8- and 16-bit integers."""

    def look_up(self, table: AnyArray, slots: Slots | NDArray[np.uint8], out: AnyArray) -> None:
        """Write table[slots] to out; the table has an entry for every number of the slots' type."""

    def add_narrow(self, x: NDArray[np.uint8], k: NDArray[np.int8], out: NDArray[np.uint8]) -> int:
        """Write x + k, held between 0 and 255, to out; return how many sums had to be held."""

    def square_sum(self, x: AnyArray) -> float:
        """Return the sum of squares."""

    def compare(self, x: AnyArray, noisy: AnyArray) -> Sums:
        """Return the sums that Measure keeps."""


class NumpyOperations:
    """Plain numpy: slower."""

    def look_up(self, table: AnyArray, slots: Slots | NDArray[np.uint8], out: AnyArray) -> None:
        """Write table[slots] to out; every slot is in the table, and `clip` avoids a copy."""
        for start in range(0, slots.size, _PART):
            # numpy makes indices of 64 bits of them first
            table.take(slots[start : start + _PART], out=out[start : start + _PART], mode="clip")

    def add_narrow(self, x: NDArray[np.uint8], k: NDArray[np.int8], out: NDArray[np.uint8]) -> int:
        """Write x + k, held between 0 and 255, to out; return how many sums had to be held."""
        total = x.astype(np.int16)
        total += k
        held = total.clip(0, 255)
        np.copyto(out, held, casting="unsafe")
        return int(np.count_nonzero(held != total))

    def square_sum(self, x: AnyArray) -> float:
        """Return the sum of squares."""
        return sum(_square_sum(x[start : start + _PART].astype(np.float64)) for start in range(0, x.size, _PART))

    def compare(self, x: AnyArray, noisy: AnyArray) -> Sums:
        """Return the sums, in double precision, of parts that stay in the cache."""
        total = squares = signal_squares = 0.0
        with np.errstate(invalid="ignore"):
            for start in range(0, x.size, _PART):
                clean = x[start : start + _PART].astype(np.float64)
                applied = _less(noisy[start : start + _PART], x[start : start + _PART], clean)
                total += float(applied.sum())
                squares += _square_sum(applied)
                signal_squares += _square_sum(clean)
        return Sums(total, squares, signal_squares)


def difference(x: AnyArray, y: AnyArray | np.generic) -> NDArray[np.float64]:
    """Return x - y as doubles; 64-bit integers near each other are subtracted before they lose their digits."""
    return _less(x, y, y.astype(np.float64))


def _less(x: AnyArray, y: AnyArray | np.generic, doubles: Any) -> NDArray[np.float64]:
    """Return x - y; `doubles` is y as doubles."""
    apart: NDArray[np.float64] = x.astype(np.float64)
    apart -= doubles
    if x.dtype.kind not in "iu" or x.dtype.itemsize < 8:
        return apart
    exact: NDArray[np.float64] = (x - y).view(np.int64).astype(np.float64)
    return np.where(np.abs(apart) < _EXACT, exact, apart)


def _square_sum(x: AnyArray) -> float:
    return float(np.dot(x, x))


class OpenCVOperations(NumpyOperations):
    """OpenCV's vectorised loops, on the types that they are exact for. It takes rows of two dimensions."""

    def __init__(self) -> None:
        import cv2

        self._cv2 = cv2

    def look_up(self, table: AnyArray, slots: Slots | NDArray[np.uint8], out: AnyArray) -> None:
        """Write table[slots] to out."""
        self._cv2.LUT(slots[None], table[None], out[None])

    def add_narrow(self, x: NDArray[np.uint8], k: NDArray[np.int8], out: NDArray[np.uint8]) -> int:
        """Write x + k, held between 0 and 255, to out: 128 lower, it is the sum that signed bytes saturate."""
        signed = (x ^ _MIDDLE).view(np.int8)
        total = out.view(np.int8)
        self._cv2.add(signed[None], k[None], total[None])
        # what was held moved by less than k, and by less than a whole turn
        moved = np.subtract(total, signed, out=signed)
        held = int(np.count_nonzero(moved != k))
        out ^= _MIDDLE
        return held

    def square_sum(self, x: AnyArray) -> float:
        """Return the sum of squares. OpenCV squares the root of it: rounding corrects that for integers."""
        squares = self._cv2.norm(x[None], self._cv2.NORM_L2SQR)
        return float(round(squares)) if x.dtype.kind in "iu" else float(squares)

    def compare(self, x: AnyArray, noisy: AnyArray) -> Sums:
        """Return the sums; a difference of single precision floats is within 2^-24 of itself."""
        if x.dtype.kind in "iu" and x.dtype.itemsize <= 2:
            squares = float(round(self._cv2.norm(noisy[None], x[None], self._cv2.NORM_L2SQR)))
            return Sums(self._total(noisy) - self._total(x), squares, self.square_sum(x))
        if x.dtype != np.float32:
            return super().compare(x, noisy)
        squares = float(self._cv2.norm(noisy[None], x[None], self._cv2.NORM_L2SQR))
        return Sums(self._total(noisy) - self._total(x), squares, self.square_sum(x))

    def _total(self, x: AnyArray) -> float:
        """Add up in parts: OpenCV's sum of integers wraps around at 2^31."""
        step = _PART << 8 if x.dtype.itemsize == 1 else _PART
        parts = (x[start : start + step] for start in range(0, x.size, step))
        return float(sum(self._cv2.sumElems(part[None])[0] for part in parts))


_NUMPY = NumpyOperations()


@cache
def _opencv() -> OpenCVOperations:
    return OpenCVOperations()


def operations() -> ArrayOperations:
    """Return OpenCV's operations where it is loaded: for audio files alone its start-up costs more than it saves."""
    return _opencv() if "cv2" in sys.modules else _NUMPY
