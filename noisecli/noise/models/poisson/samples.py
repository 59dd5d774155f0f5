"""Photons counted for every sample."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from noisecli.errors import FileFailed
from noisecli.model import SampleSpec
from noisecli.noise.adding import hold
from noisecli.noise.array_ops import operations
from noisecli.noise.models import NoiseParameters
from noisecli.noise.models.poisson.counts import STEPS, add_rest, draw_counts, table_of
from noisecli.noise.models.sample_field import SampleField
from noisecli.noise.scaled import CACHED
from noisecli.noise.stream import Streams

AnyArray = NDArray[Any]


class PoissonField(SampleField):
    """y = round(full scale Poisson(u photons) / photons), clipped; floats are not rounded.

    NaN and infinities stay. Samples below 0 or above full scale have no such count: FileFailed.
    """

    def __init__(self, parameters: NoiseParameters, photons: float) -> None:
        key, spec, _, clip, shared_channels, *_ = parameters
        super().__init__(Streams(key), spec, clip=clip, shared_channels=shared_channels)
        self._photons = photons
        steps = spec.full_scale if spec.dtype == "uint8" else STEPS
        # values above full scale are refused before their rate is asked for
        shares = np.minimum(np.arange(STEPS + 1) / steps, 1.0)
        self._table = table_of(tuple((shares * photons).tolist()))
        self._outcomes = _outcomes(photons, spec)

    def _map(self, x: AnyArray) -> NDArray[np.float64]:
        """Return that of the counts: as many photons as a sample stands for vary by the square root of their number."""
        self._refuse_outside(x)
        stds = np.sqrt(np.maximum(x.astype(np.float64), 0) * (self._spec.full_scale / (self._photons or 1.0)))
        stds[~np.isfinite(stds)] = 0
        return stds

    def _values(self, x: AnyArray, channels: int) -> AnyArray:
        """Return noisy samples before the clip."""
        self._refuse_outside(x)
        values = np.empty(x.size, self._outcomes.dtype)
        step = max(CACHED // channels, 1) * channels
        for start in range(0, x.size, step):
            part, out = x[start : start + step], values[start : start + step]
            if x.dtype == np.uint8:
                counts = draw_counts(self._streams, self._table, part, channels)
            else:
                index, rest = self._rates_of(part)
                counts = draw_counts(self._streams, self._table, index, channels)
                add_rest(self._streams, counts, rest, self._photons / STEPS, channels)
            operations().look_up(self._outcomes, counts, out)
            if self._spec.is_float:
                np.copyto(out, part, where=~np.isfinite(part))
        return values

    def _rates_of(self, x: AnyArray) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
        """Return which of the table's rates is below each sample's, and the rest of it."""
        rest = x.astype(np.float64)
        rest *= STEPS / self._spec.full_scale
        if self._spec.is_float:
            rest[~np.isfinite(rest)] = 0.0
        # samples without data may be of any size
        np.clip(rest, 0, STEPS, out=rest)
        index = rest.astype(np.uint8)
        rest -= index
        rest *= self._photons / STEPS
        return index, rest

    def _refuse_outside(self, x: AnyArray) -> None:
        if not x.size:
            return
        kept = x if self._spec.nodata is None else x[x != x.dtype.type(self._spec.nodata)]
        outside = (kept < 0) | (kept > self._spec.full_scale)
        if x.dtype.kind == "f":
            outside &= np.isfinite(kept)
        if outside.any():
            worst = kept[outside][0]
            words = f"has a sample {worst:g}, outside 0..{self._spec.full_scale:g}, which counts no photons"
            raise FileFailed("out-of-range", words)

    def _apply(self, x: AnyArray, values: AnyArray, noisy: AnyArray) -> int:
        return hold(values, self._spec, noisy, clip=self._clip)


def _outcomes(photons: float, spec: SampleSpec) -> AnyArray:
    """Return the sample that each count becomes, before the clip."""
    outcomes = np.arange(1 << 16, dtype=np.float64) * spec.full_scale / (photons or 1.0)
    if spec.is_float:
        return outcomes.astype(np.float64 if spec.dtype == "float64" else np.float32)
    rounded = np.rint(outcomes)
    if spec.dtype == "uint8":
        # all that is far above the clip is one to it
        return np.minimum(rounded, np.iinfo(np.int16).max).astype(np.int16)
    return rounded.astype(np.int32) if rounded[-1] < 2.0**31 else rounded
