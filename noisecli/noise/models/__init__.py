"""How a noisy sample is made from a clean one: one page and one line of MODELS a noise. Light: no numpy until a field.

A noise's page has a record, frozen and light, of what it does beside its level; `field()`, which returns the noise of
one output; and `from_row()`, which reads the record that a manifest's row holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

from noisecli.model import AskedNoise, Noise

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from noisecli.model import SampleSpec
    from noisecli.noise.draw import Draw
    from noisecli.noise.measure import Measure
    from noisecli.noise.moments import Columns

    AnyArray = NDArray[Any]

__all__ = [
    "MODELS",
    "AskedNoise",
    "Field",
    "Gaussian",
    "Mapped",
    "Noise",
    "NoiseModel",
    "NoiseParameters",
    "field_of",
    "noise_of_row",
    "number_in",
]


@dataclass(frozen=True, slots=True)
class Gaussian:
    """White Gaussian noise: std and mean are all."""

    word: ClassVar[str] = "gaussian"
    follows_level: ClassVar[bool] = True
    canonical: ClassVar[str] = ""
    is_none: ClassVar[bool] = True

    def entries(self) -> dict[str, Any]:
        """Return nothing."""
        return {}

    def draw(self, strength: float, uniform: Callable[[int], float]) -> tuple[float, Noise]:
        """Return the std of the level."""
        return strength, self


class Field(Protocol):
    """The noise of one output."""

    @property
    def measure(self) -> Measure:
        """What was done to all samples so far."""

    def add(self, block: AnyArray) -> AnyArray:
        """Return the next block with noise, same shape and dtype.

        Blocks come in sample order and in any size, which must not show: a field keeps what it needs between them.
        """


class Mapped(Protocol):
    """The noise of one output whose std on every sample is known: of all but impulses."""

    def std_map(self, block: AnyArray) -> NDArray[np.float32]:
        """Return the std of the noise on the next block's samples, in the native unit, before clip and rounding.

        0 on samples that get no noise. It does not matter how many blocks add() has had.
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
        The strength, in the samples' native unit, and the noise's own parameters.
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
        One std for all samples. Beside `field()` it has `from_row()`, where the noise has parameters of its own.
    per_column
        A std for each column of an array, where the noise has that.
    has_std
        Whether its field is Mapped.
    """

    page: str
    per_column: str = ""
    has_std: bool = True


MODELS = {
    "gaussian": NoiseModel("noisecli.noise.models.gaussian", per_column="noisecli.noise.models.per_column"),
    "gaussian-signal-dependent": NoiseModel("noisecli.noise.models.signal_dependent"),
    "poisson": NoiseModel("noisecli.noise.models.poisson"),
    "impulse": NoiseModel("noisecli.noise.models.impulse", has_std=False),
    **dict.fromkeys(
        ("gaussian-pink", "gaussian-brown", "gaussian-blue", "gaussian-violet", "gaussian-slope"),
        NoiseModel("noisecli.noise.models.coloured"),
    ),
}
"""The noise of a Level, which is also the word for it in manifest rows."""


def field_of(noise: str, parameters: NoiseParameters) -> Field:
    """Return the noise of one output."""
    model = MODELS[noise]
    page: Any = import_module(model.page if parameters.column_stds is None else model.per_column)
    field: Field = page.field(parameters)
    return field


def noise_of_row(row: Mapping[str, Any]) -> Noise:
    """Return the noise that a row, or an array's entry in it, records.

    Raises KeyError where the row lacks one of its parameters, ValueError where one is out of its range.
    """
    if row["noise"] == Gaussian.word:
        return Gaussian()
    page: Any = import_module(MODELS[row["noise"]].page)
    noise: Noise = page.from_row(row)
    return noise


def number_in(row: Mapping[str, Any], name: str, most: float, least: float = 0) -> float:
    """Return a row's number from `least` to `most`. Raises KeyError or ValueError."""
    value = row[name]
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
        raise ValueError(f"{name} {value!r} is not a number from {least:g} to {most:g}")
    return float(value)
