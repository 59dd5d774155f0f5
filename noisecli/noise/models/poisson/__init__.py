"""Photons counted: y = Poisson(u c) / c for a sample u, a share of full scale at which c photons are expected.

The shot noise of ImageNet-C. Light, but for field().
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from noisecli.noise.models import Noise, NoiseParameters, number_in

if TYPE_CHECKING:
    from noisecli.noise.models.poisson.samples import PoissonField

SEVERITIES = (0.0, 60.0, 25.0, 12.0, 5.0, 3.0)
"""Hendrycks and Dietterich (2019), ImageNet-C, shot_noise: photons at full scale; 0 is no noise."""
MOST = 255.0
"""Photons at full scale; beyond them, shot noise of the variance 1 / photons cannot be told from it."""


@dataclass(frozen=True, slots=True)
class Poisson:
    """The noise of one output; asked for, it gets its photons from the level, one of SEVERITIES.

    Attributes
    ----------
    photons
        How many are expected at full scale; 0: no noise.
    """

    word: ClassVar[str] = "poisson"
    follows_level: ClassVar[bool] = True
    canonical: ClassVar[str] = ""
    photons: float = 0.0

    @property
    def is_none(self) -> bool:
        """Whether samples stay as they are."""
        return not self.photons

    def entries(self) -> dict[str, Any]:
        """Return what a row holds of it."""
        return {"photons": self.photons}

    def draw(self, strength: float, uniform: Callable[[int], float]) -> tuple[float, Noise]:
        """Return no std, and the noise of as many photons as the level says. Raises ValueError beyond MOST."""
        if not 0 <= strength <= MOST:
            raise ValueError(f"photons at full scale are 0 to {MOST:g}, not {strength:g}")
        return 0.0, Poisson(strength)


def field(parameters: NoiseParameters) -> PoissonField:
    """Return the noise of one output; see noisecli.noise.models."""
    from noisecli.noise.models.poisson.samples import PoissonField

    noise = parameters.drawn.noise
    assert isinstance(noise, Poisson)
    return PoissonField(parameters, noise.photons)


def from_row(row: Mapping[str, Any]) -> Poisson:
    """Return the noise that a row records; see noisecli.noise.models.noise_of_row()."""
    return Poisson(number_in(row, "photons", MOST))
