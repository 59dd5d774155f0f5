"""The noise of another field in a part of every image alone."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from noisecli.noise.measure import Measure
from noisecli.noise.models import Field
from noisecli.noise.models.sample_field import Inside, SampleField

AnyArray = NDArray[Any]


class InsideField:
    """A pixel inside gets the noise that it has without this; one outside stays as it is, and is not measured.

    Parameters
    ----------
    field
        Adds the noise, of any model that images have.
    inside
        Which pixels, (height, width), of every block: each is an image.
    """

    def __init__(self, field: Field, inside: Inside) -> None:
        if not isinstance(field, SampleField):
            raise TypeError(f"{type(field).__name__} has no pixels")
        self._field, self._inside = field, inside

    @property
    def measure(self) -> Measure:
        """What was done to the samples inside."""
        return self._field.measure

    def add(self, block: AnyArray) -> AnyArray:
        """Return the block with noise inside."""
        return self._field.add(block, self._inside)

    def std_map(self, block: AnyArray) -> NDArray[np.float32]:
        """Return the std of the noise on each sample, 0 outside; see noisecli.noise.models.Mapped."""
        stds = self._field.std_map(block)
        stds[~self._inside] = 0
        return stds
