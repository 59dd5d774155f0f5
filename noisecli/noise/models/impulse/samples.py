"""Salt and pepper on samples, by inverse CDF: the lowest random numbers are pepper, the highest salt."""

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noisecli.noise.array_ops import operations
from noisecli.noise.models import NoiseParameters
from noisecli.noise.models.sample_field import SampleField
from noisecli.noise.stream import Streams

AnyArray = NDArray[Any]

_SLOTS = 1 << 16


class ImpulseField(SampleField):
    """spec.low and spec.high, each on half of the amount of all samples. NaN and infinities stay.

    Raises ValueError where the samples have no lowest and highest value.
    """

    def __init__(self, parameters: NoiseParameters, amount: float) -> None:
        key, spec, _, _, shared_channels, *_ = parameters
        super().__init__(Streams(key), spec, shared_channels=shared_channels)
        if not (math.isfinite(spec.low) and math.isfinite(spec.high)):
            raise ValueError("impulse noise needs samples with a black and a white")
        # exact: a power of two times a double
        half = amount / 2 * _SLOTS
        self._cut, self._inside = int(half), half - int(half)
        self._table = _signs(self._cut)

    def _values(self, x: AnyArray, channels: int) -> NDArray[np.int8]:
        """Return -1 for pepper, 1 for salt, 0 elsewhere."""
        slots = self._streams.slots.uint16(x.size // channels)
        signs = np.empty(slots.size, np.int8)
        operations().look_up(self._table, slots, signs)
        if self._inside:
            cut = np.flatnonzero(np.minimum(slots, ~slots) == self._cut)
            inside = (self._streams.words.words(cut.size) >> np.uint64(11)).astype(np.float64) * 2.0**-53
            signs[cut] = np.where(inside < self._inside, np.where(slots[cut] == self._cut, -1, 1), 0)
        return np.repeat(signs, channels) if channels > 1 else signs

    def _apply(self, x: AnyArray, values: AnyArray, noisy: AnyArray) -> int:
        """Write the samples; no clip changes them."""
        np.copyto(noisy, x)
        hit = np.flatnonzero(values)
        if x.dtype.kind == "f":
            hit = hit[np.isfinite(x[hit])]
        low, high = self._spec.low, self._spec.high
        kind = x.dtype.type
        black, white = (kind(low), kind(high)) if x.dtype.kind == "f" else (kind(int(low)), kind(int(high)))
        noisy[hit] = np.where(values[hit] < 0, black, white)
        return 0


@lru_cache(maxsize=4)
def _signs(cut: int) -> NDArray[np.int8]:
    """Return what each slot does: the lowest are pepper, the highest salt."""
    signs = np.zeros(_SLOTS, np.int8)
    signs[:cut] = -1
    signs[_SLOTS - cut :] = 1
    return signs
