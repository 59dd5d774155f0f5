"""A step by sign and Gaussian noise on top of it, rounded once.

Integer data x becomes clip(round(x + step s + mean + std n)) with s in {-1, 0, 1}. As x is an integer, that is
clip(x + k) with k drawn around one of three means, mean - step, mean and mean + step: each exactly, as noise with that
mean is. The samples of each sign draw from a stream of their own, in sample order, so no two share bits and the block
size does not show. Where there is no step, the noise is that of the plain stream.
"""

from dataclasses import fields, replace
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noisecli.model import SampleSpec
from noisecli.noise.adding import add_noise
from noisecli.noise.draw import Draw
from noisecli.noise.measure import Measure
from noisecli.noise.models.gaussian import NoiseField
from noisecli.noise.stream import Streams

AnyArray = NDArray[Any]


class StepField:
    """The step and the noise for all blocks of one output.

    Parameters
    ----------
    key
        The output's 128 bits.
    spec
        What the samples mean; low and high are the clip. All samples get the step: alpha is the caller's.
    std, mean
        Of the noise, in the samples' native unit.
    step
        Its size, in the native unit.
    """

    def __init__(self, key: bytes, spec: SampleSpec, std: float, mean: float, step: float) -> None:
        plain = replace(spec, noisy_channels=None)
        self._step, self._spec = step, plain
        self.noise_changed = False
        """Whether a sample so far is another than the step alone makes it."""
        self._fields = {
            sign: NoiseField(Streams(_key_of(key, sign)), plain, std, mean + sign * step) for sign in (-1, 0, 1)
        }

    def add(self, block: AnyArray, signs: NDArray[np.int8]) -> AnyArray:
        """Return the block with step and noise, same shape and dtype.

        Parameters
        ----------
        block
            Samples of the spec.
        signs
            -1, 0 and 1, same shape.
        """
        x = np.ascontiguousarray(block).reshape(-1)
        each = signs.reshape(-1) if self._step else np.zeros(x.shape, np.int8)
        noisy = np.empty_like(x)
        for sign, field in self._fields.items():
            here = np.flatnonzero(each == sign)
            if here.size:
                noisy[here] = field.add(x[here])
                self.noise_changed = self.noise_changed or not self._is_step_alone(x[here], noisy[here], sign)
        return noisy.reshape(block.shape)

    def made_of(self, drawn: Draw) -> Draw:
        """Return the noise that was drawn, as what it has been to the samples: rounding may leave nothing of it."""
        return replace(drawn, applied=drawn.applied and self.noise_changed)

    def _is_step_alone(self, x: AnyArray, noisy: AnyArray, sign: int) -> bool:
        alone = np.empty_like(x)
        step = np.full(x.shape, sign * self._step, x.dtype if self._spec.is_float else np.float64)
        add_noise(x, step, self._spec, alone, clip=True)
        return np.array_equal(alone, noisy)

    @property
    def measure(self) -> Measure:
        """What was done to all samples so far, step and noise together."""
        parts = [field.measure for field in self._fields.values()]
        return Measure(**{item.name: sum(getattr(part, item.name) for part in parts) for item in fields(Measure)})


def _key_of(key: bytes, sign: int) -> bytes:
    """Return the key of the samples with this sign; those without a step keep the output's own."""
    if not sign:
        return key
    return blake2b(key + (b"+" if sign > 0 else b"-"), digest_size=16, person=b"noisecli-step").digest()
