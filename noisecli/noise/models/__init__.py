"""How a noisy sample is made from a clean one: one page and one line of MODELS a noise."""

from importlib import import_module
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from noisecli.model import SampleSpec
from noisecli.noise.draw import Draw
from noisecli.noise.measure import Measure
from noisecli.noise.moments import Columns

AnyArray = NDArray[Any]


class Field(Protocol):
    """The noise of one output."""

    @property
    def measure(self) -> Measure:
        """What was done to all samples so far."""

    def add(self, block: AnyArray) -> AnyArray:
        """Return the next block with noise, same shape and dtype.

        Blocks come in sample order and in any size, which must not show: a field keeps what it needs between them.
        """


class NoiseParameters(NamedTuple):
    """What a field is made from.

    Attributes
    ----------
    key
        The output's 128 bits. All randomness comes from them.
    spec
        What the samples mean; low and high are the clip.
    drawn
        The strength, in the samples' native unit.
    clip
        Whether floats are held between spec.low and spec.high. Integers always are.
    shared_channels
        One noise value for all channels of a pixel or frame.
    columns, column_stds
        Arrays whose columns each have a std of their own: which samples are a column's, and the stds. None elsewhere.
    """

    key: bytes
    spec: SampleSpec
    drawn: Draw
    clip: bool = True
    shared_channels: bool = False
    columns: Columns | None = None
    column_stds: NDArray[np.float64] | None = None


class NoiseModel(NamedTuple):
    """The pages of a noise: modules with a function `field(parameters: NoiseParameters) -> Field`.

    Attributes
    ----------
    page
        One std for all samples.
    per_column
        A std for each column of an array, where the noise has that.
    """

    page: str
    per_column: str = ""


MODELS = {
    "gaussian": NoiseModel("noisecli.noise.models.gaussian", per_column="noisecli.noise.models.per_column"),
}
"""The noise of a Level, which is also the word for it in manifest rows."""


def field_of(noise: str, parameters: NoiseParameters) -> Field:
    """Return the noise of one output."""
    model = MODELS[noise]
    page: Any = import_module(model.page if parameters.column_stds is None else model.per_column)
    field: Field = page.field(parameters)
    return field
