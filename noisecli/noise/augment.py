"""The kernels for people who write their own loop."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noisecli.model import SampleSpec
from noisecli.noise.draw import Draw
from noisecli.noise.models import NoiseParameters, field_of
from noisecli.noise.models.signal_dependent import SignalDependent

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
    parameters = _parameters(add_gaussian_noise.__name__, x, rng, clip, Draw(applied=True, std=std, mean=mean))
    return _noisy(x, parameters)


def add_signal_dependent_noise(
    x: NDArray[Any],
    std: float = 0.0,
    *,
    shot: float = 0.0,
    speckle: float = 0.0,
    full_scale: float | None = None,
    mean: float = 0.0,
    rng: np.random.Generator,
    clip: tuple[float, float] | None = None,
) -> NDArray[Any]:
    """Return clip(x + N(mean, V)), V = std^2 + full_scale shot |x| + speckle^2 x^2: noise that grows with the signal.

    Parameters
    ----------
    x, mean, rng, clip
        See add_gaussian_noise().
    std
        Of the noise where x is 0, in x's own unit.
    shot
        The camera model's slope: variance at full scale, in full scale squared, that is proportional to the signal.
    speckle
        Std as a share of the sample: multiplicative noise x (1 + speckle n).
    full_scale
        The value of x that is white. None: 255 for uint8, 65535 for uint16, 32768 for int16 and so on; 1 for floats.

    Returns
    -------
    ndarray
        Same shape and dtype as `x`. Integers are rounded exactly, as add_gaussian_noise() does it, with the std of each
        sample. NaN and infinities in `x` stay.

    Raises
    ------
    TypeError
        For complex, boolean, structured and object arrays.
    ValueError
        For a negative or infinite std, shot, speckle or mean, a full scale that is not positive, and an empty clip.
    """
    for number in (shot, speckle, 1 if full_scale is None else full_scale):
        _refuse_no_number(add_signal_dependent_noise.__name__, number)
    scale = _full_scale(np.asarray(x).dtype) if full_scale is None else float(full_scale)
    if not (np.isfinite([shot, speckle, scale]).all() and min(shot, speckle) >= 0 and scale > 0):
        values = f"shot={shot}, speckle={speckle}, full_scale={scale}"
        raise ValueError(f"shot and speckle must be finite and not negative, full_scale positive: {values}")
    drawn = Draw(applied=True, std=std, mean=mean, noise=SignalDependent(float(shot), float(speckle)))
    return _noisy(x, _parameters(add_signal_dependent_noise.__name__, x, rng, clip, drawn, scale))


def _refuse_no_number(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"{name} takes plain numbers for how strong the noise is, not {value!r}")


def _full_scale(dtype: np.dtype[Any]) -> float:
    if dtype.kind == "i":
        return 2.0 ** (8 * dtype.itemsize - 1)
    return float(np.iinfo(dtype).max) if dtype.kind == "u" else 1.0


def _parameters(
    name: str,
    x: NDArray[Any],
    rng: np.random.Generator,
    clip: tuple[float, float] | None,
    drawn: Draw,
    full_scale: float = 1.0,
) -> NoiseParameters:
    """Return what the noise is made from. Raises TypeError or ValueError."""
    x = np.asarray(x)
    std, mean = drawn.std, drawn.mean
    for number in (std, mean):
        _refuse_no_number(name, number)
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng must be a numpy Generator, such as numpy.random.default_rng(0), not {rng!r}")
    if x.dtype.kind not in "iuf":
        raise TypeError(f"{name} takes integers and real floats, not {x.dtype}")
    if not (np.isfinite(std) and np.isfinite(mean) and std >= 0):
        raise ValueError(f"std must be finite and not negative, mean finite: std={std}, mean={mean}")
    working = _working(x.dtype)
    low, high = _limits(working, clip)
    key = np.asarray(rng.bit_generator.random_raw(2), "<u8").tobytes()
    spec = SampleSpec(working.name, x.shape, full_scale=full_scale, low=low, high=high)
    return NoiseParameters(key, spec, replace(drawn, std=float(std), mean=float(mean)), clip=clip is not None)


def _working(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the type that noise is computed in: native byte order, single precision at least."""
    return np.dtype(_COMPUTED_IN.get(dtype.newbyteorder("=").name, dtype.newbyteorder("=").name))


def _noisy(x: NDArray[Any], parameters: NoiseParameters) -> NDArray[Any]:
    x = np.asarray(x)
    working = x.astype(parameters.spec.dtype, copy=False)
    noisy = field_of(parameters.drawn.noise.word, parameters).add(working.reshape(-1))
    return noisy.reshape(x.shape).astype(x.dtype, copy=False)


def _limits(dtype: np.dtype[Any], clip: tuple[float, float] | None) -> tuple[float, float]:
    low, high = (-np.inf, np.inf) if clip is None else clip
    if dtype.kind != "f":
        limits = np.iinfo(dtype)
        low = limits.min if low <= limits.min else low
        high = limits.max if high >= limits.max else high
        low, high = (math.ceil(low), math.floor(high)) if math.isfinite(low) and math.isfinite(high) else (low, high)
    if not low <= high:
        raise ValueError(f"clip must be (lowest, highest) and leave {dtype} a value: {clip}")
    return low, high
