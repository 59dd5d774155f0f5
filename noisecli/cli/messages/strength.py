"""How strong the noise is beside what was asked for, by level."""

from collections.abc import Iterator

from noisecli.cli.messages.words import decibels, figure
from noisecli.kinds.adversarial import ADVERSARIAL, AdversarySettings
from noisecli.model import Level
from noisecli.run.summary import Means, Summary
from noisecli.settings import Settings, own_settings

LEVELS_SHOWN = 12
_SHOWS = 0.0005
_NAMES = {"std": "std {}", "var": "variance {}", "snr_db": "SNR {} dB", "severity": "severity {}"}


def level_words(level: Level) -> str:
    """Return a level as people say it: std 25, SNR 20 dB."""
    return _NAMES[level.quantity].format(level.text)


def strengths(summary: Summary, settings: Settings, *, everything: bool) -> Iterator[str]:
    """Yield a sentence for each level that was put on files."""
    shown = [(level, summary.strength[level.label]) for level in _levels(settings) if level.label in summary.strength]
    shown = [pair for pair in shown if not pair[0].is_none or settings.kind == ADVERSARIAL.name]
    most = len(shown) if everything else LEVELS_SHOWN
    yield from (_sentence(level, means, settings) for level, means in shown[:most])
    if len(shown) > most:
        yield f"... and {len(shown) - most:,} more levels: -v shows them all."


def _levels(settings: Settings) -> list[Level]:
    """Return the sweep, each level once."""
    return list({level.label: level for level in settings.noise.levels}.values())


def _sentence(level: Level, means: Means, settings: Settings) -> str:
    after = f" after clipping ({means.clipped_fraction:.1%} of samples clipped)" * (means.clipped_fraction >= _SHOWS)
    if settings.kind == ADVERSARIAL.name:
        eps = own_settings(settings, AdversarySettings).eps
        return f"A step of {eps:.3g} of full scale, then {level_words(level)}{after.replace(' after', ',', 1)}."
    asked = f"{level_words(level)} asked"
    if means.asked is None or means.measured is None:
        return f"{asked}{after}."
    average = " on average" * (means.outputs > 1)
    there, wanted = (_with_unit(level, value) for value in (means.measured, means.asked))
    if level.quantity == "severity":
        asked += f" (std {wanted} of 255)" if level.low == level.high else f" (std {wanted} of 255 drawn{average})"
    elif level.low != level.high:
        return f"{asked}: {wanted} drawn{average}, {there}{after or ' measured'}."
    return f"{asked}, {there}{'' if after else ' measured'}{average}{after}."


def _with_unit(level: Level, value: float) -> str:
    """Return a number in the unit of a level; of a severity, a std in grey levels."""
    if level.quantity == "snr_db":
        return decibels(value)
    upper = level.text.rpartition("..")[2]
    if level.quantity == "severity":
        return figure(value)
    return f"{figure(value)}{'%' if upper.endswith('%') else ''}{''.join(upper.partition('/')[1:])}"
