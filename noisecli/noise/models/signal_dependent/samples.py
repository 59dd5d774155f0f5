"""Signal-dependent Gaussian noise added to samples."""

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from noisecli.errors import FileFailed
from noisecli.model import SampleSpec
from noisecli.noise.array_ops import operations
from noisecli.noise.models import NoiseParameters
from noisecli.noise.models.sample_field import SampleField
from noisecli.noise.models.signal_dependent import SignalDependent
from noisecli.noise.scaled import CACHED, Stds, integer_type, scaled_floats, scaled_integers
from noisecli.noise.stream import Streams

AnyArray = NDArray[Any]
Float64 = NDArray[np.float64]


class Variance(NamedTuple):
    """Of the noise on a sample x: constant + shot |x| + speckle^2 x^2, in the native unit squared."""

    constant: float
    shot: float
    speckle: float

    @classmethod
    def of(cls, noise: SignalDependent, std: float, full_scale: float) -> "Variance":
        """Return that of a noise; `std` is in the native unit."""
        return cls(std * std, noise.shot * full_scale, noise.speckle)

    def stds(self, x: AnyArray) -> Float64:
        """Return the std of the noise on each sample; 0 on what is not finite."""
        # operations that IEEE 754 rounds one way; the last bit is the same on every machine
        size = np.abs(x.astype(np.float64))
        with np.errstate(over="ignore", invalid="ignore"):
            slanted = self.speckle * size
            if self.constant or self.shot:
                # so that tiny and huge samples keep their speckle: no square of it overflows
                slanted *= slanted
                slanted += self.shot * size + self.constant
                np.sqrt(slanted, out=slanted)
        slanted[~np.isfinite(slanted)] = 0.0
        return slanted


class SignalField(SampleField):
    """Noise of variance std^2 + shot |u| + speckle^2 u^2 for all blocks of one output; u = x / full scale.

    Parameters
    ----------
    parameters
        See noisecli.noise.models.
    noise
        What parameters.drawn holds.
    """

    def __init__(self, parameters: NoiseParameters, noise: SignalDependent) -> None:
        key, spec, drawn, clip, shared_channels, *_ = parameters
        super().__init__(Streams(key), spec, clip=clip, shared_channels=shared_channels)
        self._noise, self._std, self._mean = noise, drawn.std, drawn.mean
        scale = spec.full_scale
        stds = [std * scale for std in noise.channel_stds] or [drawn.std]
        self._variances = tuple(Variance.of(noise, std, scale) for std in stds)

    def _map(self, x: AnyArray) -> Float64:
        stds: Float64 = self._by_channel(x, Variance.stds)
        return stds

    def _together(self, block: AnyArray) -> int:
        self._check(block)
        return max(super()._together(block), len(self._variances))

    def _check(self, block: AnyArray) -> None:
        """Raise FileFailed where there is not one std for each channel."""
        stds, channels = len(self._variances), block.shape[-1] if block.ndim > 2 else 1
        if self._spec.sample_rate is not None:
            channels = block.shape[-1]
        if stds not in (1, channels):
            own = "1 channel" if channels == 1 else f"{channels} channels"
            words = f"has {own}, and there are {stds} stds for them; leave it out with --exclude, or give one std"
            raise FileFailed("wrong-shape", words)

    def _by_channel(self, x: AnyArray, of: Any) -> Any:
        """Return what a function says of each sample, of its channel's variance and the samples."""
        if len(self._variances) == 1:
            return of(self._variances[0], x)
        parts = [of(variance, x[number :: len(self._variances)]) for number, variance in enumerate(self._variances)]
        return np.stack(parts, axis=1).reshape(-1)

    def _values(self, x: AnyArray, channels: int) -> AnyArray:
        if x.dtype.kind == "f":
            return scaled_floats(self._streams, x.dtype, self._map(x), self._mean, channels)
        together = max(channels, len(self._variances))
        step = max(CACHED // together, 1) * together
        largest = max(_largest(variance, self._spec) for variance in self._variances)
        values = np.empty(x.size, integer_type(largest, self._mean))
        for start in range(0, x.size, step):
            stds = self._stds(x[start : start + step], largest)
            values[start : start + step] = scaled_integers(self._streams, stds, self._mean, channels)
        return values

    def _stds(self, x: AnyArray, largest: float) -> Stds:
        if x.itemsize > 2:
            exact = self._map(x)
            return Stds(exact.astype(np.float32), exact.__getitem__, largest)
        keys = x.view(f"u{x.itemsize}")
        quick = self._by_channel(keys, lambda variance, part: _looked_up(variance, part, x.dtype))

        def look_up_exactly(places: NDArray[np.intp]) -> Float64:
            tables = [_tables(variance, x.dtype)[0] for variance in self._variances]
            return of_channels(tables, keys, places)

        return Stds(quick, look_up_exactly, largest)


def of_channels(tables: list[Float64], keys: AnyArray, places: NDArray[np.intp]) -> Float64:
    """Return what the tables of the samples' channels say of the samples at some places."""
    if len(tables) == 1:
        return tables[0].take(keys[places])
    found: Float64 = np.stack(tables)[places % len(tables), keys[places]]
    return found


def _looked_up(variance: Variance, keys: AnyArray, dtype: np.dtype[Any]) -> NDArray[np.float32]:
    quick = np.empty(keys.size, np.float32)
    operations().look_up(_tables(variance, dtype)[1], np.ascontiguousarray(keys), quick)
    return quick


@lru_cache(maxsize=16)
def _tables(variance: Variance, dtype: np.dtype[Any]) -> tuple[Float64, NDArray[np.float32]]:
    """Return the std of every value of a type of 8 or 16 bits, by its bits, in double and in single precision."""
    exact = variance.stds(np.arange(1 << 8 * dtype.itemsize, dtype=f"u{dtype.itemsize}").view(dtype))
    return exact, exact.astype(np.float32)


def _largest(variance: Variance, spec: SampleSpec) -> float:
    """Return the largest std that a sample of a type of integers can have."""
    limits = np.iinfo(spec.dtype)
    ends = np.array([float(max(abs(int(limits.min)), int(limits.max)))])
    return float(variance.stds(ends)[0])
