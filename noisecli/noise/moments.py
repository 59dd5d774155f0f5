"""Standard deviation and root mean square of data that come in blocks, whole or column by column.

Means and sums of squared deviations of blocks are merged as in Chan, T. F., Golub, G. H. and LeVeque, R. J. (1983),
Algorithms for computing the sample variance: a large mean costs no digits.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from noisecli.noise.array_ops import difference

AnyArray = NDArray[Any]
Float64 = NDArray[np.float64]


class Columns(NamedTuple):
    """Which column a sample belongs to. The last axis counts columns; one-dimensional data are one column.

    Attributes
    ----------
    number
        How many columns, those of the real and of the imaginary parts apart.
    run
        How many elements of one column are adjacent: 1 in C order, all in Fortran order.
    components
        How many samples an element is: two of complex numbers.
    """

    number: int
    run: int
    components: int = 1

    @classmethod
    def of(cls, shape: tuple[int, ...], *, fortran_order: bool, components: int = 1) -> Columns:
        """Return the columns of an array."""
        if len(shape) < 2:
            return cls(components, 1, components)
        rows = int(np.prod([int(length) for length in shape[:-1]], dtype=object))
        return cls(shape[-1] * components, rows if fortran_order else 1, components)

    def at(self, start: int, count: int) -> NDArray[np.intp]:
        """Return the column of each of `count` samples, from the sample number `start` on in storage order."""
        positions = np.arange(start, start + count)
        if self.components > 1:
            part = positions % self.components
            positions //= self.components
        positions //= self.run
        positions %= max(self.number // self.components, 1)
        if self.components > 1:
            positions *= self.components
            positions += part
        return positions.astype(np.intp, copy=False)


class Spread:
    """Moments of the finite samples of one array, for each column.

    Parameters
    ----------
    columns
        None: all samples together.
    """

    def __init__(self, columns: Columns | None = None) -> None:
        self._columns = columns or Columns(1, 1)
        self._seen = 0
        self._shift: np.generic | None = None
        self._numbers, self._means, self._deviations = (np.zeros(self._columns.number) for _ in range(3))

    def note(self, block: AnyArray) -> None:
        """Add a block of samples, one dimension, in storage order."""
        finite = np.isfinite(block)
        if self._shift is None and finite.any():
            # sums of numbers near 0 keep the digits that a large mean would push out
            self._shift = block[finite.argmax()]
        # the cast of a signalling NaN is an invalid operation too
        with np.errstate(over="ignore", invalid="ignore"):
            x = block.astype(np.float64) if self._shift is None else difference(block, self._shift)
        every = bool(finite.all())
        if self._columns.number == 1:
            self._merge(slice(0, 1), *_moments(x if every else x[finite]))
        elif x.size:
            column = self._columns.at(self._seen, x.size)
            first = int(column.min())
            column -= first
            moments = _moments_by_column(x, column) if every else _moments_by_column(x[finite], column[finite])
            self._merge(slice(first, first + len(moments[0])), *moments)
        self._seen += block.size

    def _merge(self, where: slice, numbers: Float64, means: Float64, deviations: Float64) -> None:
        before = self._numbers[where]
        total = before + numbers
        share = np.divide(numbers, total, out=np.zeros_like(total), where=total > 0)
        with np.errstate(over="ignore", invalid="ignore"):
            distance = np.where(numbers > 0, means - self._means[where], 0.0)
            self._deviations[where] += deviations + distance * distance * before * share
            self._means[where] += distance * share
        self._numbers[where] = total

    @property
    def stds(self) -> Float64:
        """The standard deviation of each column, 0 where no sample is finite; not finite where a double overflows."""
        return np.sqrt(self._deviations / np.maximum(self._numbers, 1))

    @property
    def std(self) -> float:
        """The standard deviation of an array that is one column."""
        return float(self.stds[0])


def _moments(x: Float64) -> tuple[Float64, Float64, Float64]:
    if not x.size:
        return np.zeros(1), np.zeros(1), np.zeros(1)
    with np.errstate(over="ignore", invalid="ignore"):
        mean = x.mean()
        x = x - mean
        return np.array([float(x.size)]), np.array([mean]), np.array([np.square(x, out=x).sum()])


def _moments_by_column(x: Float64, column: NDArray[np.intp]) -> tuple[Float64, Float64, Float64]:
    if not x.size:
        return np.zeros(0), np.zeros(0), np.zeros(0)
    numbers = np.bincount(column).astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        means = np.bincount(column, x) / np.maximum(numbers, 1)
        x = x - means[column]
        return numbers, means, np.bincount(column, np.square(x, out=x)).astype(np.float64, copy=False)
