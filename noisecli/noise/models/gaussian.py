"""White Gaussian noise."""

from collections.abc import Iterator

import numpy as np

from noisecli.model import SampleSpec
from noisecli.noise.adding import add_noise
from noisecli.noise.kernels import CACHED, draw_noise
from noisecli.noise.measure import Measure
from noisecli.noise.models import AnyArray, NoiseParameters
from noisecli.noise.nodata import avoid_mark, is_measured
from noisecli.noise.stream import Streams

_PIECE = 1 << 19
"""Samples of 8 and 16 bits worked on at a time: calls cost little beside them, and sums of squares stay exact."""


class NoiseField:
    """Gaussian noise for all blocks of one output.

    Parameters
    ----------
    streams
        The output's own bits. The same streams give the same noise, whatever the blocks' sizes.
    spec
        What the samples mean; low and high are the clip.
    std, mean
        Of the noise, in the samples' native unit.
    clip
        Whether floats are held between spec.low and spec.high. Integers always are.
    shared_channels
        One noise value for all channels of a pixel or frame.
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
        self._streams, self._spec, self._std, self._mean = streams, spec, std, mean
        self._clip = clip
        self._shared_channels = shared_channels
        self.measure = Measure()

    def add(self, block: AnyArray) -> AnyArray:
        """Return the block with noise, same shape and dtype; channels behind spec.noisy_channels stay untouched."""
        coloured = self._spec.noisy_channels
        if coloured is None or block.ndim < 3 or block.shape[-1] <= coloured:
            return self._add_all(block)
        noisy = block.copy()
        noisy[..., :coloured] = self._add_all(block[..., :coloured])
        return noisy

    def _add_all(self, block: AnyArray) -> AnyArray:
        x = np.ascontiguousarray(block).reshape(-1)
        noisy = np.empty_like(x)
        channels = _channels(block, self._spec) if self._shared_channels else 1
        for piece in _pieces(x, channels):
            noise = draw_noise(self._streams, x.dtype, x[piece].size // channels, self._std, self._mean)
            if channels > 1:
                noise = np.repeat(noise, channels)
            if self._spec.nodata is None:
                self._add_piece(x[piece], noise, noisy[piece])
            else:
                noisy[piece] = self._with_gaps(x[piece], noise, self._spec.nodata)
        return noisy.reshape(block.shape)

    def _add_piece(self, x: AnyArray, noise: AnyArray, noisy: AnyArray) -> None:
        clipped = add_noise(x, noise, self._spec, noisy, clip=self._clip)
        if self._spec.nodata is not None:
            avoid_mark(x, noisy, self._spec.nodata)
        self.measure.note(x, noisy, clipped)

    def _with_gaps(self, x: AnyArray, noise: AnyArray, nodata: float) -> AnyArray:
        """Return samples with noise, those without data as they are; these count as not finite."""
        here = np.flatnonzero(is_measured(x, nodata))
        noisy = x.copy()
        if here.size:
            own = np.empty_like(x, shape=here.shape)
            self._add_piece(x[here], noise[here], own)
            noisy[here] = own
        self.measure.count += x.size - here.size
        self.measure.not_finite += x.size - here.size
        return noisy


def field(parameters: NoiseParameters) -> NoiseField:
    """Return the noise of one output; see noisecli.noise.models."""
    key, spec, drawn, clip, shared_channels, *_ = parameters
    return NoiseField(Streams(key), spec, drawn.std, drawn.mean, clip=clip, shared_channels=shared_channels)


def _channels(block: AnyArray, spec: SampleSpec) -> int:
    """A block of an audio file is (frames, channels); of a grey image it is (height, width)."""
    return int(block.shape[-1]) if block.ndim == 3 or spec.sample_rate is not None else 1


def _pieces(x: AnyArray, channels: int) -> Iterator[slice]:
    most = _PIECE if x.itemsize <= 2 else CACHED
    step = max(most // channels, 1) * channels
    return (slice(start, min(start + step, x.size)) for start in range(0, x.size, step))
