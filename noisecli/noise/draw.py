"""From a level to the std of one output, in the data's own unit, as the manifest row records it."""

import math
from dataclasses import dataclass

from noisecli.model import Level, SampleSpec
from noisecli.noise.measure import round_significant
from noisecli.noise.models import AskedNoise, Gaussian, Noise
from noisecli.noise.stream import Streams

STD_DIGITS = 9
_WHITE = Gaussian()
_SHARED = 8
"""The place of the output's own number behind those of its noise, see noisecli.noise.models."""


@dataclass(frozen=True, slots=True)
class Draw:
    """What one output gets: std and mean in the native unit; applied is False where nothing is added.

    `noise` has the parameters that are its own; `shared` is whether all channels get the same, where that was drawn.
    """

    applied: bool
    std: float
    mean: float
    noise: Noise = _WHITE
    shared: bool | None = None

    def fraction(self, spec: SampleSpec) -> float:
        """Return std as a share of full scale."""
        return round_significant(self.std / spec.full_scale, STD_DIGITS)


def draw(
    level: Level,
    spec: SampleSpec,
    streams: Streams,
    probability: float,
    rms: float | None,
    own_std: float | None = None,
    noise: AskedNoise | None = None,
    shared_probability: float | None = None,
) -> Draw:
    """Draw the noise's parameters from the output's own stream.

    Parameters
    ----------
    level
        What was asked for; a range is drawn uniformly in the quantity it is written in (dB for snr_db and level_dbfs).
    spec
        Gives full scale, the unit of fractions.
    streams
        The first number drawn is the position in a range, the second the chance; each is taken where it decides
        something, the first also where only the second does.
    probability
        Chance that the output gets noise at all.
    rms
        Root mean square of the signal in the native unit, DC included; needed for ratios in dB only.
    own_std
        Standard deviation of the signal in the native unit; needed for relative levels only.
    noise
        What was asked for beside the level; None: white Gaussian noise.
    shared_probability
        Chance that all channels get the same noise; None: nothing is drawn.
    """
    position, chosen = _roll(level, streams, probability)
    unit = (own_std or 0.0) if level.relative else spec.full_scale
    own: Noise = _WHITE
    if noise is None:
        std = _std(level, unit, position, rms)
    else:
        share, own = noise.draw(_std(level, 1.0, position, rms), streams.number)
        std = share if level.is_ratio else share * unit
    std = round_significant(std, STD_DIGITS)
    mean = round_significant(level.mean * spec.full_scale, STD_DIGITS)
    silent = level.is_ratio and not rms
    nothing = std == 0 and own.is_none and (mean == 0 or level.quantity == "severity")
    shared = None if shared_probability is None else streams.number(_SHARED) < shared_probability
    if not chosen or silent or nothing:
        return Draw(applied=False, std=0.0, mean=0.0, noise=type(own)(), shared=shared)
    return Draw(applied=True, std=std, mean=mean, noise=own, shared=shared)


def drawn_level(level: Level, streams: Streams, probability: float) -> float | None:
    """Return where in its range an output's level is: a number in the range's own unit, a severity.

    None where nothing is drawn: the level is no range, or by chance the output gets no noise. The parameters are those
    of draw().
    """
    if level.low == level.high:
        return None
    position, chosen = _roll(level, streams, probability)
    low, high = level.written
    value = low + (_step(level, position) if level.steps else (high - low) * position)
    return round_significant(value, STD_DIGITS) if chosen else None


def _roll(level: Level, streams: Streams, probability: float) -> tuple[float, bool]:
    """Draw the position in a range, and whether the output gets noise at all."""
    by_chance = probability < 1
    position = streams.uniform() if by_chance or level.low != level.high else 0.0
    return position, not by_chance or streams.uniform() < probability


def _step(level: Level, position: float) -> int:
    return min(int(position * len(level.steps)), len(level.steps) - 1)


def _std(level: Level, unit: float, position: float, rms: float | None) -> float:
    value = level.steps[_step(level, position)] if level.steps else level.low + (level.high - level.low) * position
    # numpy's and C's 10 ** x may differ in the last bit; nine digits do not
    if level.is_ratio:
        return (rms or 0.0) / 10 ** (value / 20)
    if level.quantity == "level_dbfs":
        return unit * 10 ** (value / 20)
    if level.quantity == "var":
        return math.sqrt(value) * unit
    return value * unit
