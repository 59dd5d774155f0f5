"""Gaussian noise whose variance depends on the sample: std^2 + shot |u| + speckle^2 u^2, u a share of full scale.

The camera model with a shot noise alone (Foi, A. et al. (2008), Practical Poissonian-Gaussian noise modeling and
fitting for single-image raw-data), multiplicative noise with speckle alone. Light, but for field().
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

from noisecli.noise.models import Noise, NoiseParameters, number_in

if TYPE_CHECKING:
    from noisecli.noise.models.signal_dependent.samples import SignalField

WORD = "gaussian-signal-dependent"
LARGEST = 1e6
"""The most that shot and speckle may be."""
Camera = Literal["brooks", "sidd"]
_DIGITS = 9
_SHOT, _SPECKLE, _READ = range(3)
"""The places of an output's own numbers."""


@dataclass(frozen=True, slots=True)
class SignalDependent:
    """The noise of one output, or of all where nothing is drawn but the std.

    Attributes
    ----------
    shot
        Variance at full scale that grows with the signal, in full scale squared.
    speckle
        Std as a share of the signal.
    linear
        Images: in linear light. The sRGB curve is undone, noise added, the curve applied, held, and rounded once.
    channel_stds
        A std for each channel, as shares of full scale, instead of one; empty: the output's.
    """

    word: ClassVar[str] = WORD
    follows_level: ClassVar[bool] = False
    shot: float = 0.0
    speckle: float = 0.0
    linear: bool = False
    channel_stds: tuple[float, ...] = ()

    @property
    def is_none(self) -> bool:
        """Whether it adds nothing to a std of 0."""
        return not (self.shot or self.speckle or any(self.channel_stds))

    @property
    def canonical(self) -> str:
        """It as a value, for keys."""
        return Spans((self.shot, self.shot), (self.speckle, self.speckle), self.linear, self.channel_stds).canonical

    def entries(self) -> dict[str, Any]:
        """Return what a row holds of it."""
        stds = {"channel_std_fractions": list(self.channel_stds)} if self.channel_stds else {}
        return {"shot": self.shot, "speckle": self.speckle, "linear": self.linear, **stds}

    def draw(self, strength: float, uniform: Callable[[int], float]) -> tuple[float, Noise]:
        """Return the std of the level, and itself."""
        return strength, self


@dataclass(frozen=True, slots=True)
class Spans:
    """Shot and speckle drawn for each output: shot uniformly in its logarithm, speckle uniformly."""

    word: ClassVar[str] = WORD
    follows_level: ClassVar[bool] = False
    shot: tuple[float, float] = (0.0, 0.0)
    speckle: tuple[float, float] = (0.0, 0.0)
    linear: bool = False
    channel_stds: tuple[float, ...] = ()

    @property
    def canonical(self) -> str:
        """It as a value, for keys."""
        shot, speckle = (f"{low:.9g}..{high:.9g}" for low, high in (self.shot, self.speckle))
        stds = "," + ",".join(f"{std:.9g}" for std in self.channel_stds) if self.channel_stds else ""
        return f"shot:{shot},speckle:{speckle}{',linear' * self.linear}{stds}"

    def draw(self, strength: float, uniform: Callable[[int], float]) -> tuple[float, Noise]:
        """Return the std of the level, and shot and speckle of one output."""
        low, high = self.shot
        # C's exp and log may differ in the last bit; nine digits do not
        shot = math.exp(_between(math.log(low), math.log(high), uniform(_SHOT))) if 0 < low < high else high
        speckle = _between(*self.speckle, uniform(_SPECKLE))
        return strength, SignalDependent(_rounded(shot), _rounded(speckle), self.linear, self.channel_stds)


@dataclass(frozen=True, slots=True)
class SpeckleOnly:
    """Speckle as strong as the level says: a severity of ImageNet-C."""

    SEVERITIES: ClassVar[tuple[float, ...]] = (0.0, 0.15, 0.2, 0.35, 0.45, 0.6)
    """Hendrycks and Dietterich (2019), ImageNet-C, speckle_noise."""
    word: ClassVar[str] = WORD
    follows_level: ClassVar[bool] = True
    canonical: ClassVar[str] = "speckle-only"

    def draw(self, strength: float, uniform: Callable[[int], float]) -> tuple[float, Noise]:
        """Return no std, and the speckle."""
        return 0.0, SignalDependent(speckle=_rounded(strength))


class _Line(NamedTuple):
    """Which cameras there are: ends of the shot noise A; ln or log10 of S^2 lies around slope times that of A."""

    low: float
    high: float
    slope: float
    offset: float
    spread: float
    decimal: bool


CAMERAS: dict[Camera, _Line] = {
    # Brooks, T. et al. (2019), Unprocessing images for learned raw denoising
    "brooks": _Line(1e-4, 0.012, 2.18, 1.20, 0.26, decimal=False),
    # Zamir, S. W. et al. (2020), CycleISP: the line fitted to the phones of SIDD
    "sidd": _Line(0.00068674, 0.02194856, 1.85, 0.30, 0.20, decimal=True),
}


@dataclass(frozen=True, slots=True)
class OfCamera:
    """Shot noise and std of a camera and exposure drawn for each output."""

    word: ClassVar[str] = WORD
    follows_level: ClassVar[bool] = False
    camera: Camera
    linear: bool = False

    @property
    def canonical(self) -> str:
        """It as a value, for keys."""
        return f"camera:{self.camera}{',linear' * self.linear}"

    def draw(self, strength: float, uniform: Callable[[int], float]) -> tuple[float, Noise]:
        """Return the std and the shot noise of one output; the level's strength has no say."""
        from noisecli.noise.quantile import normal_quantile

        low, high, slope, offset, spread, decimal = CAMERAS[self.camera]
        unit = math.log(10) if decimal else 1.0
        shot = _between(math.log(low) / unit, math.log(high) / unit, uniform(_SHOT))
        read = slope * shot + offset + spread * normal_quantile(uniform(_READ))
        noise = SignalDependent(shot=_rounded(math.exp(shot * unit)), linear=self.linear)
        return _rounded(math.exp(read * unit / 2)), noise


def _between(low: float, high: float, position: float) -> float:
    return low + (high - low) * position


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")


def field(parameters: NoiseParameters) -> SignalField:
    """Return the noise of one output; see noisecli.noise.models."""
    from noisecli.noise.models.signal_dependent.linear import LinearField
    from noisecli.noise.models.signal_dependent.samples import SignalField

    noise = parameters.drawn.noise
    assert isinstance(noise, SignalDependent)
    return (LinearField if noise.linear else SignalField)(parameters, noise)


def from_row(row: Mapping[str, Any]) -> SignalDependent:
    """Return the noise that a row records; see noisecli.noise.models.noise_of_row()."""
    linear, stds = row["linear"], row.get("channel_std_fractions", [])
    if not isinstance(linear, bool) or not isinstance(stds, list):
        raise ValueError(f"linear {linear!r}, channel_stds {stds!r}")
    each = tuple(number_in({"channel_std": std}, "channel_std", LARGEST) for std in stds)
    return SignalDependent(number_in(row, "shot", LARGEST), number_in(row, "speckle", LARGEST), linear, each)
