"""Noise added to samples: rounded and clipped, never wrapped around; and how many samples the clip changed."""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noisecli.model import SampleSpec
from noisecli.noise.array_ops import operations
from noisecli.noise.kernels import CACHED

AnyArray = NDArray[Any]
Mask = NDArray[np.bool_]

_LARGEST_STEP = 2.0**63 - 1024
"""The largest double that int64 holds."""


def add_noise(x: AnyArray, noise: AnyArray, spec: SampleSpec, out: AnyArray, *, clip: bool) -> int:
    """Write x + noise to out, held between spec.low and spec.high; return how many samples that changed.

    Floats are added in single precision where both are; NaN and infinities stay as they are.

    Parameters
    ----------
    x
        Samples of the spec, one dimension.
    noise
        As draw_noise() returns it for the samples' dtype; or float64, which is rounded for integers.
    clip
        Whether floats are held. Integers always are.
    """
    if not spec.is_float:
        parts = (slice(start, start + CACHED) for start in range(0, x.size, CACHED))
        return sum(_add_to_integers(x[part], noise[part], int(spec.low), int(spec.high), out[part]) for part in parts)
    np.add(x, noise, out=out, casting="same_kind")
    return _clip_floats(out, spec.low, spec.high) if clip else 0


def hold(total: AnyArray, spec: SampleSpec, out: AnyArray, *, clip: bool) -> int:
    """Write noisy samples to out, held between spec.low and spec.high; return how many samples that changed.

    Parameters
    ----------
    total
        Noisy samples as they are before the clip: whole numbers of a type that holds them, or floats for floats.
    clip
        Whether floats are held. Integers always are.
    """
    if spec.is_float:
        np.copyto(out, total, casting="same_kind")
        return _clip_floats(out, spec.low, spec.high) if clip and out.size else 0
    lowest, highest = _limits_of(out.dtype)
    low, high = max(int(spec.low), lowest), min(int(spec.high), highest)
    if total.dtype.kind == "f" and float(high) > high:
        # a double has fewer digits than 64 bits
        high = int(np.nextafter(float(high), 0.0))
    held = total.clip(low, high)
    np.copyto(out, held, casting="unsafe")
    return int(np.count_nonzero(held != total))


def _add_to_integers(x: AnyArray, noise: AnyArray, low: int, high: int, out: AnyArray) -> int:
    """Write clip(round(x + noise), low, high) to out; the limits of the dtype hold too."""
    limits = _limits_of(x.dtype)
    low, high = max(low, limits[0]), min(high, limits[1])
    if noise.dtype == np.int8 and x.dtype == np.uint8 and (low, high) == limits:
        return operations().add_narrow(x, noise, out)
    if noise.dtype.kind == "i" and x.dtype.itemsize >= noise.dtype.itemsize:
        total, held = _add_saturating(x, noise.astype(f"i{x.dtype.itemsize}", copy=False))
    elif x.dtype.itemsize == 8:
        total, held = _add_to_64_bits(x, noise)
    else:
        return _add_wide(x, noise, low, high, out)
    if (low, high) == limits:
        out[:] = total
    else:
        np.clip(total, low, high, out=out)
        held |= out != total
    return int(np.count_nonzero(held))


@cache
def _limits_of(dtype: np.dtype[Any]) -> tuple[int, int]:
    limits = np.iinfo(dtype)
    return int(limits.min), int(limits.max)


def _add_wide(x: AnyArray, noise: AnyArray, low: int, high: int, out: AnyArray) -> int:
    """Add in a type that holds every sum: the noise is wider than the samples."""
    total: AnyArray = x.astype(_wide_enough(x.dtype, noise.dtype))
    total += noise if noise.dtype.kind == "i" else np.rint(noise)
    held = total.clip(low, high)
    np.copyto(out, held, casting="unsafe")
    return int(np.count_nonzero(held != total))


def _wide_enough(samples: np.dtype[Any], noise: np.dtype[Any]) -> type:
    """Type of the sum. Noise in int16 ends at 9.2 * 2,000 + 10,000, so 8 more bits fit beside it."""
    if noise.kind == "f":
        return np.float64
    return np.int16 if noise.itemsize <= 2 and samples.itemsize == 1 else np.int32


def _add_to_64_bits(x: AnyArray, noise: AnyArray) -> tuple[AnyArray, Mask]:
    """Add in integers: a double cannot hold these. Noise may need more than one step across their range."""
    rest = np.clip(np.rint(noise), -(2.0**65), 2.0**65)
    total, saturated = x, np.zeros(x.shape, np.bool_)
    while rest.any():
        step = np.clip(rest, -_LARGEST_STEP, _LARGEST_STEP)
        total, overflowed = _add_saturating(total, step.astype(np.int64))
        saturated |= overflowed
        rest -= step
    return total, saturated


def _add_saturating(x: AnyArray, k: AnyArray) -> tuple[AnyArray, Mask]:
    """Return x + k held to the limits of x's type, and where it was held; k is signed and of the same size.

    A sum that wrapped around has moved the other way than k points.
    """
    total: AnyArray = x + k.view(x.dtype)
    held: Mask = total < x
    held ^= k < 0
    if np.count_nonzero(held):
        where = np.flatnonzero(held)
        lowest, highest = _limits_of(x.dtype)
        total[where] = np.where(k[where] < 0, x.dtype.type(lowest), x.dtype.type(highest))
    return total, held


def _clip_floats(y: AnyArray, low: float, high: float) -> int:
    """Hold y between low and high and return how many samples that changed; NaN and infinities stay as they are."""
    lowest, highest = y.min(), y.max()
    if low <= lowest and highest <= high:
        return 0
    if not (np.isfinite(lowest) and np.isfinite(highest)):
        return _clip_finite(y, low, high)
    count = np.count_nonzero(y < low) + np.count_nonzero(y > high)
    y.clip(low, high, out=y)
    return int(count)


def _clip_finite(y: AnyArray, low: float, high: float) -> int:
    outside = ((y < low) | (y > high)) & np.isfinite(y)
    y[outside] = y[outside].clip(low, high)
    return int(np.count_nonzero(outside))
