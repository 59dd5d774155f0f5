"""Coloured Gaussian noise, for audio files: spectral density as a power of the frequency.

White noise behind a filter. Below 2.5 Hz the density is flat, or brown noise had no variance. The std is that of the
filter, not of one output: in a short file brown noise may be louder or softer; see realised(). Light, but for what
makes noise.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from noisecli.noise.models import Noise, NoiseParameters, number_in

if TYPE_CHECKING:
    from noisecli.noise.models.coloured.samples import ColouredField

DB_PER_OCTAVE = 10 * math.log10(2)
"""Of a spectral density that grows as the frequency does."""
STEEPEST = 6.03
"""The most dB an octave that a slope may be, on both sides."""
_DIGITS = 6


def _slope_of(exponent: int) -> float:
    return round(exponent * DB_PER_OCTAVE, _DIGITS)


@dataclass(frozen=True, slots=True)
class Coloured:
    """Noise of any slope; asked for and applied.

    Attributes
    ----------
    slope
        Of the spectral density, in dB an octave.
    """

    word: ClassVar[str] = "gaussian-slope"
    follows_level: ClassVar[bool] = True
    exponent: ClassVar[int | None] = None
    """Of the frequency in the spectral density, where the colour has a name."""
    is_none: ClassVar[bool] = True
    slope: float = 0.0

    @property
    def canonical(self) -> str:
        """It as a value, for keys."""
        return "" if self.exponent is not None else f"slope:{self.slope:.9g}"

    @property
    def power(self) -> float:
        """The exponent of the frequency in the spectral density."""
        return self.slope / DB_PER_OCTAVE if self.exponent is None else float(self.exponent)

    def entries(self) -> dict[str, Any]:
        """Return what a row holds of it."""
        return {"slope": self.slope}

    def draw(self, strength: float, uniform: Callable[[int], float]) -> tuple[float, Noise]:
        """Return the std of the level, and itself."""
        return strength, self


@dataclass(frozen=True, slots=True)
class Pink(Coloured):
    """Noise of equal power in every octave."""

    word: ClassVar[str] = "gaussian-pink"
    exponent: ClassVar[int | None] = -1
    slope: float = _slope_of(-1)


@dataclass(frozen=True, slots=True)
class Brown(Coloured):
    """Noise as the sum of white noise has it."""

    word: ClassVar[str] = "gaussian-brown"
    exponent: ClassVar[int | None] = -2
    slope: float = _slope_of(-2)


@dataclass(frozen=True, slots=True)
class Blue(Coloured):
    """Noise whose density grows as the frequency does."""

    word: ClassVar[str] = "gaussian-blue"
    exponent: ClassVar[int | None] = 1
    slope: float = _slope_of(1)


@dataclass(frozen=True, slots=True)
class Violet(Coloured):
    """Noise as the difference of white noise has it."""

    word: ClassVar[str] = "gaussian-violet"
    exponent: ClassVar[int | None] = 2
    slope: float = _slope_of(2)


COLORS: dict[str, Coloured] = {"pink": Pink(), "brown": Brown(), "blue": Blue(), "violet": Violet()}
_KINDS = {kind.word: kind for kind in (Coloured, Pink, Brown, Blue, Violet)}


def field(parameters: NoiseParameters) -> ColouredField:
    """Return the noise of one output; see noisecli.noise.models."""
    from noisecli.noise.models.coloured.samples import ColouredField

    return ColouredField(parameters)


def realised(parameters: NoiseParameters, frames: int) -> float:
    """Return the root mean square of the noise of so many frames of an output, were its std 1."""
    from noisecli.noise.models.coloured.samples import noise_of

    return noise_of(parameters, 1.0).rms(frames)


def from_row(row: Mapping[str, Any]) -> Coloured:
    """Return the noise that a row records; see noisecli.noise.models.noise_of_row()."""
    kind, slope = _KINDS[row["noise"]], number_in(row, "slope", STEEPEST, least=-STEEPEST)
    if kind.exponent is not None and slope != kind().slope:
        raise ValueError(f"slope {slope!r} is not that of {kind.word}")
    return kind(slope)
