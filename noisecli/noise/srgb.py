"""The sRGB curve from single IEEE operations alone, so that its last bit is the same on every machine.

IEC 61966-2-1. Below 0 and above 1 the curve goes on: below 0 as its mirror image, so that it is monotone everywhere.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

AnyArray = NDArray[Any]
Float64 = NDArray[np.float64]

_SLOPE, _OFFSET = 12.92, 0.055
_ENCODED_END = 0.04045
_LINEAR_END = 0.0031308
_ITERATIONS = 5
"""Of Newton's method: the guess is within 7%, and each doubles the digits."""
_ONE = 1023 << 52
"""The bits of 1.0."""


def decode(u: AnyArray) -> Float64:
    """Return the light behind encoded samples, both as shares of full scale; 0 for what is not finite."""
    size = np.abs(u.astype(np.float64))
    size[~np.isfinite(size)] = 0.0
    light = size / _SLOPE
    bright = size > _ENCODED_END
    base = (size[bright] + _OFFSET) / (1 + _OFFSET)
    # x^2.4 = x^2 (x^(1/5))^2
    root = _root(base, 5)
    light[bright] = base * base * (root * root)
    return np.copysign(light, u)


def encode(light: Float64) -> Float64:
    """Return encoded samples, the inverse of decode()."""
    size = np.abs(light)
    u = size * _SLOPE
    bright = size > _LINEAR_END
    quarter = np.sqrt(np.sqrt(size[bright]))
    # x^(1/2.4) = (x^(1/12))^5, the cube root of a fourth root
    root = _root(quarter, 3)
    square = root * root
    u[bright] = square * square * root * (1 + _OFFSET) - _OFFSET
    return np.copysign(u, light)


def _root(x: Float64, degree: int) -> Float64:
    """Return a root of positive numbers by Newton's method, from a guess that divides the exponent."""
    root: Float64 = ((x.view(np.int64) - _ONE) // degree + _ONE).view(np.float64)
    for _ in range(_ITERATIONS):
        power = root * root
        if degree == 5:
            power *= power
        # root -= (root - x / power) / degree
        np.divide(x, power, out=power)
        power -= root
        power /= degree
        root += power
    return root
