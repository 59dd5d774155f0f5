"""Noise whose sums are rounded once more, where a file stores fewer digits: what is measured is what will be read."""

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from noisecli.noise.measure import Measure
from noisecli.noise.models import Field

AnyArray = NDArray[Any]


class RoundedField:
    """The noise of another field, rounded.

    Parameters
    ----------
    field
        Adds the noise.
    round_block
        Returns a block, same shape and dtype, as it will be read back.
    """

    def __init__(self, field: Field, round_block: Callable[[AnyArray], AnyArray]) -> None:
        self._field, self._round_block = field, round_block
        self.measure = Measure()

    def add(self, block: AnyArray) -> AnyArray:
        """Return the block with noise, rounded."""
        before = self._field.measure.clipped
        noisy = self._round_block(self._field.add(block))
        self.measure.note(block, noisy, self._field.measure.clipped - before)
        return noisy
