"""What noise came to be in an output, for the summary: a record that travels from a worker. Light."""

from typing import NamedTuple


class Effect(NamedTuple):
    """What the summary says of an output's noise, out of its row.

    Attributes
    ----------
    level
        The level in words.
    rounded_away
        Whether noise was asked for, and rounding to the output's samples left nothing of it.
    clipped
        Share of samples that the clip changed; of an array file, of the array with most of them.
    kept
        measured_std / std there; of an adversarial output, where the step is measured too, with it in both.
    snr_db
        What is there, after clip and rounding; None where it is undefined.
    drowned
        Whether it is below 0 dB without having been asked for in dB or relative to the data.
    asked, measured
        What was asked for of this output, and what is there, in the unit of the level; of a severity the std in grey
        levels, or the ratio in dB. None where they cannot be compared.
    is_ratio
        Whether these are signal-to-noise ratios in dB.
    """

    level: str = ""
    rounded_away: bool = False
    clipped: float = 0.0
    kept: float = 1.0
    snr_db: float | None = None
    drowned: bool = False
    asked: float | None = None
    measured: float | None = None
    is_ratio: bool = False
