"""Salt and pepper: a share of all samples becomes white or black, half of it each.

The impulse noise of ImageNet-C, which is scikit-image's `random_noise(mode="s&p")`. Light, but for field().
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from noisecli.noise.models import Noise, NoiseParameters, number_in

if TYPE_CHECKING:
    from noisecli.noise.models.impulse.samples import ImpulseField

SEVERITIES = (0.0, 0.03, 0.06, 0.09, 0.17, 0.27)
"""Hendrycks and Dietterich (2019), ImageNet-C, impulse_noise: the amount."""


@dataclass(frozen=True, slots=True)
class Impulse:
    """The noise of one output; asked for, it gets its amount from the level, one of SEVERITIES.

    Attributes
    ----------
    amount
        The share of samples that become black or white.
    """

    word: ClassVar[str] = "impulse"
    follows_level: ClassVar[bool] = True
    canonical: ClassVar[str] = ""
    amount: float = 0.0

    @property
    def is_none(self) -> bool:
        """Whether samples stay as they are."""
        return not self.amount

    def entries(self) -> dict[str, Any]:
        """Return what a row holds of it."""
        return {"amount": self.amount}

    def draw(self, strength: float, uniform: Callable[[int], float]) -> tuple[float, Noise]:
        """Return no std, and the noise of the amount that the level says. Raises ValueError above 1."""
        if not 0 <= strength <= 1:
            raise ValueError(f"an amount is 0 to 1, not {strength:g}")
        return 0.0, Impulse(strength)


def field(parameters: NoiseParameters) -> ImpulseField:
    """Return the noise of one output; see noisecli.noise.models."""
    from noisecli.noise.models.impulse.samples import ImpulseField

    noise = parameters.drawn.noise
    assert isinstance(noise, Impulse)
    return ImpulseField(parameters, noise.amount)


def from_row(row: Mapping[str, Any]) -> Impulse:
    """Return the noise that a row records; see noisecli.noise.models.noise_of_row()."""
    return Impulse(number_in(row, "amount", 1.0))
