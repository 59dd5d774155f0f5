"""White Gaussian noise."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from noisecli.model import SampleSpec
from noisecli.noise.kernels import draw_noise
from noisecli.noise.models import NoiseParameters
from noisecli.noise.models.sample_field import SampleField
from noisecli.noise.stream import Streams

AnyArray = NDArray[Any]


class NoiseField(SampleField):
    """Gaussian noise for all blocks of one output.

    Parameters
    ----------
    streams, spec, clip, shared_channels
        See SampleField.
    std, mean
        Of the noise, in the samples' native unit.
    """

    def __init__(
        self,
        streams: Streams,
        spec: SampleSpec,
        std: float,
        mean: float = 0.0,
        *,
        clip: bool = True,
        shared_channels: bool = False,
    ) -> None:
        super().__init__(streams, spec, clip=clip, shared_channels=shared_channels)
        self._std, self._mean = std, mean

    def _map(self, x: AnyArray) -> NDArray[np.float64]:
        stds = np.full(x.size, self._std)
        stds[~np.isfinite(x)] = 0
        return stds

    def _values(self, x: AnyArray, channels: int) -> AnyArray:
        noise = draw_noise(self._streams, x.dtype, x.size // channels, self._std, self._mean)
        return np.repeat(noise, channels) if channels > 1 else noise


def field(parameters: NoiseParameters) -> NoiseField:
    """Return the noise of one output; see noisecli.noise.models."""
    key, spec, drawn, clip, shared_channels, *_ = parameters
    return NoiseField(Streams(key), spec, drawn.std, drawn.mean, clip=clip, shared_channels=shared_channels)
