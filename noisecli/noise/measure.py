"""What was done, in numbers: cheap beside the noise itself."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noisecli.noise.array_ops import Sums, operations

AnyArray = NDArray[Any]

_PIECE = 1 << 17


def round_significant(value: float, digits: int) -> float:
    """Round to so many significant digits, so that a last bit never shows."""
    return float(f"{value:.{digits}g}")


def significant_or_none(value: float | None) -> float | None:
    """Return six significant digits; None for what is infinite or undefined."""
    return round_significant(value, 6) if value is not None and math.isfinite(value) else None


def square_sum(x: AnyArray) -> float:
    """Return the sum of squares of finite samples; exact for 8- and 16-bit integers in one block.

    Infinite where the squares of finite samples are.
    """
    if x.dtype.kind in "iu" and x.dtype.itemsize <= 2:
        return sum(operations().square_sum(x[start : start + _PIECE]) for start in range(0, x.size, _PIECE))
    wide = x.astype(np.float64)
    with np.errstate(over="ignore"):
        squares = float(np.square(wide, out=wide).sum())
        return squares if math.isfinite(squares) else float(wide.sum(where=np.isfinite(x)))


@dataclass
class Measure:
    """Sums over the samples of one output, in the file's native unit.

    Attributes
    ----------
    count, clipped, not_finite
        Samples seen; those where clip(y) is not y; those that were NaN or infinite before.
    total, squares
        Sum and sum of squares of (noisy - clean).
    signal_squares
        Sum of squares of the clean samples.
    changed
        Blocks in which any sample changed.
    """

    count: int = 0
    clipped: int = 0
    not_finite: int = 0
    total: float = 0
    squares: float = 0
    signal_squares: float = 0
    changed: int = 0

    def note(self, x: AnyArray, noisy: AnyArray, clipped: int) -> None:
        """Add one block, of which the clip changed `clipped` samples."""
        sums = operations().compare(x, noisy)
        if not math.isfinite(sums.squares + sums.signal_squares):
            sums = self._compare_finite(x, noisy)
        self.count += x.size
        self.clipped += clipped
        self.total += sums.total
        self.squares += sums.squares
        self.signal_squares += sums.signal_squares
        # squares of tiny changes are 0, and changes to infinity are left out of the sums
        self.changed += bool(sums.squares or not np.array_equal(x, noisy, equal_nan=x.dtype.kind == "f"))

    def _compare_finite(self, x: AnyArray, noisy: AnyArray) -> Sums:
        """Leave out and count NaN and infinities."""
        finite = np.isfinite(x) & np.isfinite(noisy)
        self.not_finite += int(x.size - np.count_nonzero(finite))
        return operations().compare(x[finite].astype(np.float64), noisy[finite].astype(np.float64))

    @property
    def _finite(self) -> int:
        """How many samples the sums are over."""
        return self.count - self.not_finite

    @property
    def std(self) -> float:
        """Standard deviation of what was added to finite samples, after clip and rounding."""
        if not self._finite:
            return 0.0
        mean = self.total / self._finite
        return math.sqrt(max(self.squares / self._finite - mean * mean, 0.0))

    @property
    def clipped_fraction(self) -> float:
        """Share of samples that the clip changed."""
        return self.clipped / self.count if self.count else 0.0

    def psnr_db(self, full_scale: float) -> float | None:
        """Peak signal-to-noise ratio, 10 log10(full_scale^2 / mean square); None when nothing was added."""
        if not self.squares:
            return None
        return _decibels(full_scale * full_scale * self._finite / self.squares)

    @property
    def snr_db(self) -> float | None:
        """Signal-to-noise ratio, 10 log10 of the ratio of powers; None for silence or when nothing was added."""
        if not self.squares or not self.signal_squares:
            return None
        return _decibels(self.signal_squares / self.squares)

    def snr_db_of(self, rms: float) -> float | None:
        """Ratio of a signal so loud to the noise, in dB; None for silence or when nothing was added."""
        if not self.squares or not rms:
            return None
        return _decibels(rms * rms * self._finite / self.squares)


def _decibels(ratio: float) -> float | None:
    """Return a ratio of powers in dB; None where doubles cannot hold it."""
    return 10 * math.log10(ratio) if ratio and math.isfinite(ratio) else None
