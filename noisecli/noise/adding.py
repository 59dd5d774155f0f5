"""Noise onto samples: rounded, held between the limits, never wrapped around; and how many samples that held."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

AnyArray = NDArray[Any]
Int64 = NDArray[np.int64]

_TOP_BIT = np.uint64(1 << 63)
_LARGEST_STEP = 2.0**63 - 1024
"""The largest double that int64 holds."""


def add_to_integers(x: AnyArray, noise: AnyArray, low: int, high: int, out: AnyArray) -> int:
    """Write clip(round(x + noise), low, high) to out and return how many samples the clip changed.

    Parameters
    ----------
    x
        Integers, one dimension.
    noise
        int16 or int32 for 8- and 16-bit samples, or float64, which is rounded.
    low, high
        The clip; the limits of the dtype hold too.
    out
        Same shape and dtype as `x`.
    """
    limits = np.iinfo(x.dtype)
    low, high = max(low, int(limits.min)), min(high, int(limits.max))
    if x.dtype.itemsize == 8:
        return _add_to_64_bits(x, noise, low, high, out)
    total: AnyArray = x.astype(_wide_enough(x.dtype, noise.dtype))
    total += noise if noise.dtype.kind == "i" else np.rint(noise)
    held = total.clip(low, high)
    np.copyto(out, held, casting="unsafe")
    return int(np.count_nonzero(held != total))


def _wide_enough(samples: np.dtype[Any], noise: np.dtype[Any]) -> type:
    """Type of the sum. Noise in int16 ends at 9.2 * 2,000 + 10,000, so 8 more bits fit beside it."""
    if noise.kind == "f":
        return np.float64
    return np.int16 if noise.itemsize == 2 and samples.itemsize == 1 else np.int32


def _add_to_64_bits(x: AnyArray, noise: AnyArray, low: int, high: int, out: AnyArray) -> int:
    """Add in int64 with saturation: a double cannot hold these integers."""
    signed = (x.view(np.uint64) ^ _TOP_BIT).view(np.int64) if x.dtype.kind == "u" else x.copy()
    rest = np.clip(np.rint(noise), -(2.0**65), 2.0**65)
    saturated = np.zeros(x.shape, np.bool_)
    while rest.any():
        step = np.clip(rest, -_LARGEST_STEP, _LARGEST_STEP)
        saturated |= _add_saturating(signed, step.astype(np.int64))
        rest -= step
    total = (signed.view(np.uint64) ^ _TOP_BIT) if x.dtype.kind == "u" else signed
    np.clip(total, low, high, out=out)
    return int(np.count_nonzero(saturated | (out != total)))


def _add_saturating(x: Int64, k: Int64) -> NDArray[np.bool_]:
    """Add k to x, held to the limits of int64; return where it was."""
    total = x + k
    overflowed: NDArray[np.bool_] = ((x ^ total) & (k ^ total)) < 0
    total[overflowed] = np.where(k[overflowed] < 0, np.iinfo(np.int64).min, np.iinfo(np.int64).max)
    x[:] = total
    return overflowed


def add_to_floats(x: AnyArray, noise: AnyArray, out: AnyArray) -> None:
    """Write x + noise to out, in single precision where both are. NaN and infinities stay as they are."""
    np.add(x, noise, out=out, casting="same_kind")


def clip_floats(y: AnyArray, low: float, high: float) -> int:
    """Hold y between low and high and return how many samples that changed; NaN and infinities stay as they are."""
    outside = y < low
    outside |= y > high
    if not outside.any():
        return 0
    infinite = np.isinf(y)
    outside &= ~infinite
    kept = y[infinite]
    y.clip(low, high, out=y)
    y[infinite] = kept
    return int(np.count_nonzero(outside))
