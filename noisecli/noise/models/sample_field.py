"""What the noises of images, audio files and arrays share: alpha, what gets none, pieces, and what is measured."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noisecli.model import SampleSpec
from noisecli.noise.adding import add_noise
from noisecli.noise.kernels import CACHED
from noisecli.noise.measure import Measure
from noisecli.noise.nodata import avoid_mark, is_measured
from noisecli.noise.stream import Streams

AnyArray = NDArray[Any]
Inside = NDArray[np.bool_]

_PIECE = 1 << 19
"""Samples of 8 and 16 bits worked on at a time: calls cost little beside them, and sums of squares stay exact."""


class SampleField:
    """Noise for all blocks of one output. A noise says what its samples get: `_values()`, and how: `_apply()`.

    Parameters
    ----------
    streams
        The output's own bits. The same streams give the same noise, whatever the blocks' sizes.
    spec
        What the samples mean; low and high are the clip.
    clip
        Whether floats are held between spec.low and spec.high. Integers always are.
    shared_channels
        One noise value for all channels of a pixel or frame.
    """

    def __init__(self, streams: Streams, spec: SampleSpec, *, clip: bool = True, shared_channels: bool = False) -> None:
        self._streams, self._spec, self._clip, self._shared_channels = streams, spec, clip, shared_channels
        self.measure = Measure()

    def add(self, block: AnyArray, inside: Inside | None = None) -> AnyArray:
        """Return the block with noise, same shape and dtype; channels behind spec.noisy_channels stay untouched.

        With `inside`, pixels that are not stay too, and are not measured; the noise of the others is the same without.
        """
        coloured = self._spec.noisy_channels
        if coloured is None or block.ndim < 3 or block.shape[-1] <= coloured:
            return self._add_all(block, inside)
        noisy = block.copy()
        noisy[..., :coloured] = self._add_all(block[..., :coloured], inside)
        return noisy

    def std_map(self, block: AnyArray) -> NDArray[np.float32]:
        """Return the std of the noise on each sample, in the native unit, before clip and rounding.

        Parameters
        ----------
        block
            Clean samples. Those that get no noise, alpha and missing ones, have std 0.
        """
        stds = np.zeros(block.shape, np.float32)
        noisy = slice(self._spec.noisy_channels if block.ndim >= 3 else None)
        self._check(block[..., noisy])
        x = np.ascontiguousarray(block[..., noisy])
        found = self._map(x.reshape(-1)).reshape(x.shape)
        if self._spec.nodata is not None:
            found[x == x.dtype.type(self._spec.nodata)] = 0
        stds[..., noisy] = found
        return stds

    def _map(self, x: AnyArray) -> NDArray[np.float64]:
        """Return the std of each sample's noise; 0 on what is not finite."""
        raise NotImplementedError

    def _check(self, block: AnyArray) -> None:
        """Raise FileFailed for samples that the noise does not fit."""

    def _values(self, x: AnyArray, channels: int) -> AnyArray:
        """Return what the next samples get; each `channels` of them in a row share one noise."""
        raise NotImplementedError

    def _apply(self, x: AnyArray, values: AnyArray, noisy: AnyArray) -> int:
        """Write the noisy samples; return how many of them the clip changed."""
        return add_noise(x, values, self._spec, noisy, clip=self._clip)

    def _together(self, block: AnyArray) -> int:
        """Return how many samples must not be parted by the end of a piece."""
        return _channels(block, self._spec) if self._shared_channels else 1

    def _add_all(self, block: AnyArray, inside: Inside | None) -> AnyArray:
        x = np.ascontiguousarray(block).reshape(-1)
        noisy = np.empty_like(x)
        channels = _channels(block, self._spec) if self._shared_channels else 1
        chosen = None if inside is None else np.repeat(inside.reshape(-1), x.size // inside.size)
        for piece in _pieces(x, self._together(block)):
            values = self._values(x[piece], channels)
            if self._spec.nodata is None and chosen is None:
                self._add_piece(x[piece], values, noisy[piece])
            else:
                noisy[piece] = self._with_gaps(x[piece], values, None if chosen is None else chosen[piece])
        return noisy.reshape(block.shape)

    def _add_piece(self, x: AnyArray, values: AnyArray, noisy: AnyArray) -> None:
        clipped = self._apply(x, values, noisy)
        if self._spec.nodata is not None:
            avoid_mark(x, noisy, self._spec.nodata)
        self.measure.note(x, noisy, clipped)

    def _with_gaps(self, x: AnyArray, values: AnyArray, chosen: Inside | None) -> AnyArray:
        """Return samples with noise, those without data as they are, which count as not finite, and those not chosen.

        What a noise says of all samples is taken of the others alone: its random bits go on as without gaps.
        """
        nodata = self._spec.nodata
        gets = np.ones(x.shape, np.bool_) if nodata is None else is_measured(x, nodata)
        missing = int(np.count_nonzero(~gets if chosen is None else chosen & ~gets))
        here = np.flatnonzero(gets if chosen is None else chosen & gets)
        noisy = x.copy()
        if here.size:
            own = np.empty_like(x, shape=here.shape)
            self._add_piece(x[here], values[here], own)
            noisy[here] = own
        self.measure.count += missing
        self.measure.not_finite += missing
        return noisy


def _channels(block: AnyArray, spec: SampleSpec) -> int:
    """A block of an audio file is (frames, channels); of a grey image it is (height, width)."""
    return int(block.shape[-1]) if block.ndim == 3 or spec.sample_rate is not None else 1


def _pieces(x: AnyArray, together: int) -> Iterator[slice]:
    most = _PIECE if x.itemsize <= 2 else CACHED
    step = max(most // together, 1) * together
    return (slice(start, min(start + step, x.size)) for start in range(0, x.size, step))
