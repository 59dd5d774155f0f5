"""The kernel for people who write their own loop."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noisecli.model import SampleSpec
from noisecli.noise.models.gaussian import NoiseField
from noisecli.noise.stream import Streams

_COMPUTED_IN = {"float16": "float32", "longdouble": "float64"}


def add_gaussian_noise(
    x: NDArray[Any],
    std: float,
    *,
    mean: float = 0.0,
    rng: np.random.Generator,
    clip: tuple[float, float] | None = None,
) -> NDArray[Any]:
    """Return clip(x + N(mean, std^2)), fresh noise at every call, with the command line's rounding and clipping.

    Parameters
    ----------
    x
        Any shape; any integer or real floating dtype, in either byte order. Not changed.
    std, mean
        Of the noise, in x's own unit: 25 on 8-bit images, 0.1 on floats in [0, 1].
    rng
        The source of randomness: 128 of its raw bits are taken at each call, so the same generator state gives the
        same noise. `numpy.random.default_rng(seed)`.
    clip
        Lowest and highest value of the result. None: integers are held to the limits of their dtype (they never wrap
        around), floats are not clipped.

    Returns
    -------
    ndarray
        Same shape and dtype as `x`. Integers are rounded exactly: P(k) = Phi((k + 1/2 - mean) / std) -
        Phi((k - 1/2 - mean) / std). NaN and infinities in `x` stay.

    Raises
    ------
    TypeError
        For complex, boolean, structured and object arrays.
    ValueError
        For a negative or infinite std or mean, and a clip that is empty.
    """
    x = np.asarray(x)
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng must be a numpy Generator, such as numpy.random.default_rng(0), not {rng!r}")
    if x.dtype.kind not in "iuf":
        raise TypeError(f"add_gaussian_noise takes integers and real floats, not {x.dtype}")
    if not (np.isfinite(std) and np.isfinite(mean) and std >= 0):
        raise ValueError(f"std must be finite and not negative, mean finite: std={std}, mean={mean}")
    native = x.astype(x.dtype.newbyteorder("="), copy=False)
    working = native.astype(_COMPUTED_IN.get(native.dtype.name, native.dtype.name), copy=False)
    low, high = _limits(working, clip)
    key = np.asarray(rng.bit_generator.random_raw(2), "<u8").tobytes()
    spec = SampleSpec(working.dtype.name, working.shape, full_scale=1.0, low=low, high=high)
    field = NoiseField(Streams(key), spec, float(std), float(mean), clip=clip is not None)
    return field.add(working.reshape(-1)).reshape(x.shape).astype(x.dtype, copy=False)


def _limits(x: NDArray[Any], clip: tuple[float, float] | None) -> tuple[float, float]:
    low, high = (-np.inf, np.inf) if clip is None else clip
    if x.dtype.kind != "f":
        limits = np.iinfo(x.dtype)
        low = limits.min if low <= limits.min else low
        high = limits.max if high >= limits.max else high
        low, high = (math.ceil(low), math.floor(high)) if math.isfinite(low) and math.isfinite(high) else (low, high)
    if not low <= high:
        raise ValueError(f"clip must be (lowest, highest) and leave {x.dtype} a value: {clip}")
    return low, high
