"""How strong, and which noise: what was asked for of every output, and what one output gets."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

Quantity = Literal["std", "var", "snr_db", "level_dbfs", "severity"]
"""What a level is given in: the names of the options of strength, and the first word of a level in rows."""
_SPOKEN = {
    "std": "std {}",
    "var": "variance {}",
    "snr_db": "SNR {} dB",
    "level_dbfs": "{} dBFS",
    "severity": "severity {}",
}


class Noise(Protocol):
    """What one output gets beside std and mean: the parameters as applied."""

    word: ClassVar[str]
    """The noise in noisecli.noise.models.MODELS and in rows."""

    @property
    def is_none(self) -> bool:
        """Whether it adds nothing to a std of 0."""

    def entries(self) -> dict[str, Any]:
        """Return what a row holds of it beside std and mean: words, floats, truth values."""


class AskedNoise(Protocol):
    """What was asked for of every output: ranges, or the parameters themselves."""

    word: ClassVar[str]
    follows_level: ClassVar[bool]
    """Whether there is none where the level is 0."""

    @property
    def canonical(self) -> str:
        """It as a value, for keys: the same noise in other words is the same text."""

    def draw(self, strength: float, uniform: Callable[[int], float]) -> tuple[float, Noise]:
        """Return one output's std, as a share of full scale, and its noise.

        Parameters
        ----------
        strength
            What the level says of this output: of a std the share of full scale, of a severity its number in the
            published table.
        uniform
            Returns the output's own number from [0, 1) for a parameter's place: no parameter moves another.
        """


@dataclass(frozen=True, slots=True)
class Level:
    """How strong: one point of a sweep.

    Attributes
    ----------
    quantity
        std, var and severity are shares of full scale (var of its square), snr_db and level_dbfs are in dB. Arrays and
        weights have no full scale: it counts as 1, the data's own unit.
    low, high
        The range drawn from; equal for a fixed level.
    text
        As it was written, without spaces: "25", "10%", "5..50". Empty where the noise alone says how strong.
    mean
        Mean of the noise, a share of full scale.
    steps
        Where a range has steps instead of every value between (severity): the strength of each.
    relative
        Arrays and weights: std is a share of each array's own standard deviation (var of its square).
    written
        Both ends as numbers in the unit of the upper one, as `text` has them: what a row says was drawn is one of these
        numbers or between them.
    ratios
        Whether severities are signal-to-noise ratios in dB.
    asked, words
        A noise beside white Gaussian, and the words it was asked for in: "shot=0.01", "linear".
    """

    quantity: Quantity
    low: float
    high: float
    text: str
    mean: float = 0.0
    steps: tuple[float, ...] = ()
    relative: bool = False
    written: tuple[float, float] = (0.0, 0.0)
    ratios: bool = False
    asked: AskedNoise | None = None
    words: tuple[str, ...] = ()

    @property
    def noise(self) -> str:
        """Which of noisecli.noise.models.MODELS; the word for it in rows."""
        return "gaussian" if self.asked is None else self.asked.word

    @property
    def is_ratio(self) -> bool:
        """Whether its numbers are signal-to-noise ratios in dB."""
        return self.quantity == "snr_db" or self.ratios

    def ratio_of(self, drawn: float) -> float:
        """Return the ratio in dB that a number in the level's own unit stands for."""
        if not self.ratios:
            return drawn
        return self.steps[int(drawn - self.written[0])] if self.steps else self.high

    @property
    def canonical(self) -> str:
        """The level as a value: the same strength in other words is the same text. The mean moves no noise."""
        return self._strength if self.asked is None else f"{self.noise} {self.asked.canonical} {self._strength}"

    @property
    def _strength(self) -> str:
        if self.steps:
            return "snr_db-" * self.is_ratio + "steps:" + ",".join(f"{step:.9g}" for step in self.steps)
        if self.is_ratio or (self.quantity == "level_dbfs" and self.low != self.high):
            name = "snr_db" if self.is_ratio else self.quantity
            return f"{name}:{self.low:.9g}..{self.high:.9g}"
        own = "own-" if self.relative else ""
        if self.quantity == "var" and self.low != self.high:
            return f"{own}var:{self.low:.9g}..{self.high:.9g}"
        low, high = (self.low**0.5, self.high**0.5) if self.quantity == "var" else (self.low, self.high)
        if self.quantity == "level_dbfs":
            low = high = 10 ** (self.high / 20)
        return f"{own}std:{low:.9g}..{high:.9g}"

    @property
    def is_none(self) -> bool:
        """Whether it asks for no noise at all, but a mean."""
        return self._is_nothing(self.high) and not self.is_ratio

    @property
    def may_be_none(self) -> bool:
        """Whether the weakest that may be drawn is no noise."""
        return math.inf in self.steps if self.is_ratio else self._is_nothing(self.low)

    def _is_nothing(self, end: float) -> bool:
        return end == 0 and self.quantity != "level_dbfs" and (self.asked is None or self.asked.follows_level)

    @property
    def label(self) -> str:
        """The level in words, as rows and messages name it."""
        return ",".join([*[f"{self.quantity}={self.text}"] * bool(self.text), *self.words])

    @property
    def spoken(self) -> str:
        """The level as people say it: std 25, SNR 20 dB, std 5, shot 0.01."""
        words = [word.replace("channel_std=", "std of channels ").replace("=", " ") for word in self.words]
        strength = [_SPOKEN[self.quantity].format(self.text)] if self.text else []
        return ", ".join([*strength, *words])

    @property
    def folder(self) -> str:
        """The name of its subtree in a sweep."""
        text = self.label.replace("%", "pct").replace("/", "of").replace("_", "-")
        return text.replace("=", "-").replace(",", "-").replace(":", "-")
