"""The normal quantile from single IEEE operations alone, so that its last bit is the same on every machine.

numpy's exp and log, and the C library's erf, differ in their last bit between CPUs and versions. Here only +, -, *, /
and the square root are used, which IEEE 754 rounds one way.
"""

from collections.abc import Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Words = NDArray[np.uint64]

_CELLS_PER_OCTAVE_BITS = 7
_OCTAVES = 64
_MANTISSA_BITS = 52 - _CELLS_PER_OCTAVE_BITS
_INSIDE_CELL = (1 << _MANTISSA_BITS) - 1
_FIRST_CELL = (1023 - 1) << _CELLS_PER_OCTAVE_BITS
"""Exponent and leading mantissa bits of 0.5 as a double: the smallest folded word."""

# Wichura, M. J. (1988), Algorithm AS 241: The Percentage Points of the Normal Distribution, PPND16.
# Highest power first.
# fmt: off
_CENTRE = (
    (2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4, 4.5921953931549871457e4,
     1.3731693765509461125e4, 1.9715909503065514427e3, 1.3314166789178437745e2, 3.3871328727963666080e0),
    (5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4, 2.1213794301586595867e4,
     5.3941960214247511077e3, 6.8718700749205790830e2, 4.2313330701600911252e1, 1.0),
)
_NEAR_TAIL = (
    (7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258e0,
     3.64784832476320460504e0, 5.76949722146069140550e0, 4.63033784615654529590e0, 1.42343711074968357734e0),
    (1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1,
     6.89767334985100004550e-1, 1.67638483018380384940e0, 2.05319162663775882187e0, 1.0),
)
_FAR_TAIL = (
    (2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3, 2.65321895265761230930e-2,
     2.96560571828504891230e-1, 1.78482653991729133580e0, 5.46378491116411436990e0, 6.65790464350110377720e0),
    (2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4,
     1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.99832206555887937690e-1, 1.0),
)
# fmt: on
_PIECE = 1 << 13
_SIGN = -(1 << 63)
_LN2 = 0.6931471805599453
_SQRT_HALF = 0.7071067811865476


def _polynomial(coefficients: tuple[float, ...], x: Float64) -> Float64:
    total = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        total *= x
        total += coefficient
    return total


def _ratio(fraction: tuple[tuple[float, ...], tuple[float, ...]], x: Float64) -> Float64:
    ratio: Float64 = _polynomial(fraction[0], x) / _polynomial(fraction[1], x)
    return ratio


def _log(x: Float64) -> Float64:
    """Natural logarithm by 2 artanh((m-1)/(m+1)); twelve terms reach the last bit of a double."""
    mantissa, exponent = np.frexp(x)
    low = mantissa < _SQRT_HALF
    mantissa = np.where(low, 2 * mantissa, mantissa)
    power = exponent - low
    s = (mantissa - 1) / (mantissa + 1)
    series = _polynomial(tuple(1 / k for k in range(23, 0, -2)), s * s)
    log: Float64 = power * _LN2 + 2 * s * series
    return log


def lower_quantile(p: Float64) -> Float64:
    """Return z with Phi(z) = p for probabilities 0 < p <= 0.5, to about 1e-16 of z.

    Wichura's AS 241 in float64, slow and exact; the tables below are made from it.
    """
    q = p - 0.5
    z = q * _ratio(_CENTRE, 0.180625 - q * q)
    tail = p < 0.075
    r = np.sqrt(-_log(p[tail]))
    z[tail] = -np.where(r <= 5, _ratio(_NEAR_TAIL, r - 1.6), _ratio(_FAR_TAIL, r - 5.0))
    return z


@cache
def edges() -> Float64:
    """Return the 65,537 edges Phi^-1(i / 65536), infinite at both ends."""
    lower = lower_quantile(np.arange(1, 32769) / 65536)
    return np.concatenate([[-np.inf], lower, -lower[-2::-1], [np.inf]])


@cache
def _cubics() -> Float64:
    """Cubics through four points of each cell; 128 cells to an octave of p keep the error of z below 1e-11.

    Returns
    -------
    ndarray
        (cells, 4), side by side for the cache's sake: coefficients of the distance from the cell's lower end, highest
        power first. A word is an integer up to 2^63 here, 2^64 p. Widths of cells are powers of two, so dividing by
        them rounds nothing.
    """
    octaves = np.ldexp(1.0, np.arange(-_OCTAVES - 1, -1))
    cells = 1 << _CELLS_PER_OCTAVE_BITS
    left = (octaves[:, None] * (1 + np.arange(cells) / cells)).ravel()
    width = np.repeat(octaves / cells, cells)
    y0, y1, y2, y3 = (lower_quantile(left + width * k / 3) for k in range(4))
    d1, d2, d3 = y1 - y0, y2 - 2 * y1 + y0, y3 - 3 * y2 + 3 * y1 - y0
    unit = width * 2.0**64
    c1, c2, c3 = 3 * d1 - 1.5 * d2 + d3, 4.5 * d2 - 4.5 * d3, 4.5 * d3
    cubics = (y0, c1 / unit, c2 / (unit * unit), c3 / (unit * unit * unit))
    columns = _with_last_cell(cubics, (1 - 2.0**-_MANTISSA_BITS) * unit[-1])
    return np.ascontiguousarray(np.stack(list(columns), axis=1)[:, ::-1])


def _with_last_cell(cubics: tuple[Float64, ...], distance: float) -> Iterator[Float64]:
    """Words next to the middle round to p = 1/2, which is no octave's own: they get the value just below it."""
    c0, c1, c2, c3 = (float(c[-1]) for c in cubics)
    value = ((c3 * distance + c2) * distance + c1) * distance + c0
    return (np.append(c, last) for c, last in zip(cubics, (value, 0.0, 0.0, 0.0), strict=True))


def make_tables() -> None:
    """Make the tables that are made but once, before they are needed."""
    edges()
    _cubics()


def normal_from_words(words: Words) -> Float64:
    """Return one standard normal value for each 64-bit word.

    The word U stands for the probability (U + 1/2) / 2^64; the result is its normal quantile, within 1e-11, out to
    9.1 standard deviations on both sides.

    Parameters
    ----------
    words
        uint64, any number of them in one dimension.
    """
    z = np.empty(len(words))
    for start in range(0, len(words), _PIECE):
        _fill(z[start : start + _PIECE], words[start : start + _PIECE].view(np.int64))
    return z


def normal_quantile(position: float) -> float:
    """Return the normal quantile of a number from [0, 1) of 53 bits."""
    return float(normal_from_words(np.array([(int(position * 2.0**53) << 11) + (1 << 10)], np.uint64))[0])


def _fill(z: Float64, words: NDArray[np.int64]) -> None:
    """Write the quantiles of a piece. The upper half of the words, those with the sign bit, mirrors the lower."""
    folded = words >> 63
    folded ^= words
    p = folded.astype(np.float64)
    p += 0.5
    bits = p.view(np.int64)
    cell = bits >> _MANTISSA_BITS
    cell -= _FIRST_CELL
    left = bits & ~_INSIDE_CELL
    p -= left.view(np.float64)
    c3, c2, c1, c0 = _cubics().take(cell, axis=0, mode="clip").T
    np.multiply(c3, p, out=z)
    for coefficients in (c2, c1):
        z += coefficients
        z *= p
    z += c0
    sign = words & _SIGN
    flipped = z.view(np.int64)
    flipped ^= sign
