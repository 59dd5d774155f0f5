"""Coloured noise added to the samples of an audio file."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from noisecli.model import SampleSpec
from noisecli.noise.models import NoiseParameters
from noisecli.noise.models.coloured import Coloured
from noisecli.noise.models.coloured.design import response_of
from noisecli.noise.models.coloured.filtered import AT_ONCE, ColouredNoise
from noisecli.noise.models.sample_field import SampleField
from noisecli.noise.stream import Streams

AnyArray = NDArray[Any]

_FURTHEST = 16
"""More standard deviations than noise ever is from its mean."""


def noise_of(parameters: NoiseParameters, std: float) -> ColouredNoise:
    """Return the noise of one output; ValueError where its samples have no rate."""
    spec, noise = parameters.spec, parameters.drawn.noise
    assert isinstance(noise, Coloured)
    if spec.sample_rate is None:
        raise ValueError("coloured noise needs samples in time")
    channels = 1 if parameters.shared_channels else _channels_of(spec)
    return ColouredNoise(Streams(parameters.key), response_of(noise.power, float(spec.sample_rate)), channels, std)


def _channels_of(spec: SampleSpec) -> int:
    return spec.shape[1] if len(spec.shape) > 1 else 1


class ColouredField(SampleField):
    """Coloured noise for all blocks of one output, each (frames, channels).

    Raises ValueError where the samples have no rate.
    """

    def __init__(self, parameters: NoiseParameters) -> None:
        key, spec, drawn, clip, shared_channels, *_ = parameters
        super().__init__(Streams(key), spec, clip=clip, shared_channels=shared_channels)
        self._channels = _channels_of(spec)
        self._noise = noise_of(parameters, drawn.std)
        self._mean = drawn.mean
        self._is_narrow = _FURTHEST * drawn.std + abs(drawn.mean) < np.iinfo(np.int16).max

    def _together(self, block: AnyArray) -> int:
        return self._channels

    def _values(self, x: AnyArray, channels: int) -> AnyArray:
        step = max(AT_ONCE // self._channels, 1) * self._channels
        values = [self._few(x[start : start + step], channels) for start in range(0, x.size, step)]
        return np.concatenate(values) if len(values) != 1 else values[0]

    def _few(self, x: AnyArray, channels: int) -> AnyArray:
        noise = self._noise.take(x.size // self._channels)
        if self._mean:
            noise += self._mean
        kind: type = np.float64
        if x.dtype.kind == "f":
            kind = np.float32 if x.dtype.itemsize <= 4 else kind
        else:
            kind = np.int16 if x.dtype.itemsize == 2 and self._is_narrow else kind
            np.rint(noise, out=noise)
        values: AnyArray = np.empty((noise.shape[1], self._channels), kind)
        for channel in range(self._channels):
            values[:, channel] = noise[0 if channels > 1 else channel]
        return values.reshape(-1)
