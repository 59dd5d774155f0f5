"""White Gaussian noise, with a std of its own for each column of an array."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from noisecli.noise.adding import add_noise
from noisecli.noise.kernels import draw_noise
from noisecli.noise.measure import Measure
from noisecli.noise.models import NoiseParameters
from noisecli.noise.stream import Streams

AnyArray = NDArray[Any]

_PIECE = 1 << 16
_DOUBLE = np.dtype(np.float64)


class FeatureField:
    """Gaussian noise for all blocks of one array.

    Integers are exact: n is drawn from 64 bits for each sample, times the column's std, and rounded once.
    """

    def __init__(self, parameters: NoiseParameters) -> None:
        key, spec, drawn, self._clip, _, columns, stds = parameters
        assert columns is not None
        assert stds is not None
        self._streams, self._spec, self._columns, self._mean = Streams(key), spec, columns, drawn.mean
        self._drawn_as = np.dtype(spec.dtype) if spec.is_float else _DOUBLE
        self._stds = stds
        self._seen = self._mapped = 0
        self.measure = Measure()

    def add(self, block: AnyArray) -> AnyArray:
        """Return a block, of one dimension, with noise; same dtype."""
        noisy = np.empty_like(block)
        for start in range(0, block.size, _PIECE):
            x, y = block[start : start + _PIECE], noisy[start : start + _PIECE]
            self.measure.note(x, y, self._add_piece(x, y))
        return noisy

    def std_map(self, block: AnyArray) -> NDArray[np.float32]:
        """Return the std of the noise on each sample of the next block."""
        stds = self._stds[self._columns.at(self._mapped, block.size)].astype(np.float32)
        stds[~np.isfinite(block)] = 0
        self._mapped += block.size
        return stds

    def _add_piece(self, x: AnyArray, noisy: AnyArray) -> int:
        """Fill `noisy`; return how many samples the clip changed."""
        noise = draw_noise(self._streams, self._drawn_as, x.size, 1.0, 0.0)
        noise *= self._stds[self._columns.at(self._seen, x.size)].astype(noise.dtype)
        noise += noise.dtype.type(self._mean)
        self._seen += x.size
        return add_noise(x, noise, self._spec, noisy, clip=self._clip)


def field(parameters: NoiseParameters) -> FeatureField:
    """Return the noise of one array; see noisecli.noise.models."""
    return FeatureField(parameters)
