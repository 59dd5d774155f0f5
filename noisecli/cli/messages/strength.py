"""How strong the noise is beside what was asked for, by level."""

from collections.abc import Iterator

from noisecli.cli.messages.words import decibels, figure
from noisecli.kinds.adversarial import ADVERSARIAL, AdversarySettings
from noisecli.model import Level
from noisecli.run.summary import Means, Summary
from noisecli.settings import Settings, own_settings

LEVELS_SHOWN = 12
_SHOWS = 0.0005


def strengths(summary: Summary, settings: Settings, *, everything: bool) -> Iterator[str]:
    """Yield a sentence for each level that was put on files."""
    shown = [(level, summary.strength[level.label]) for level in _levels(settings) if level.label in summary.strength]
    shown = [pair for pair in shown if not pair[0].is_none]
    if settings.kind == ADVERSARIAL.name and summary.made:
        # the step alone is no noise
        shown = [(level, summary.strength.get(level.label, Means())) for level in _levels(settings)]
    most = len(shown) if everything else LEVELS_SHOWN
    yield from (_sentence(level, means, settings) for level, means in shown[:most])
    if len(shown) > most:
        yield f"... and {len(shown) - most:,} more levels: -v shows them all."


def _levels(settings: Settings) -> list[Level]:
    """Return the sweep, each level once."""
    return list({level.label: level for level in settings.noise.levels}.values())


def _sentence(level: Level, means: Means, settings: Settings) -> str:
    clipped = f"{means.clipped_fraction:.1%} of samples clipped" if means.clipped_fraction >= _SHOWS else ""
    if settings.kind == ADVERSARIAL.name:
        step = f"A step of {own_settings(settings, AdversarySettings).eps * 100:.3g}% of full scale"
        then = "without noise" if level.is_none else f"then {level.spoken}"
        return f"{step}, {then}{f'; {clipped}' if clipped else ''}."
    after = f" after clipping ({clipped})" if clipped else ""
    of = " of the active parts" if settings.noise.snr_of == "active" and level.is_ratio else ""
    asked = f"{level.spoken}{of} asked"
    if means.asked is None or means.measured is None:
        return f"{asked}{f'; {clipped}' if clipped else ''}."
    average = " on average" * (means.outputs > 1)
    there, wanted = (_with_unit(level, value) for value in (means.measured, means.asked))
    if level.quantity == "severity":
        wanted = f"SNR {wanted}" if level.is_ratio else f"std {wanted} of 255"
        asked += f" ({wanted})" if level.low == level.high else f" ({wanted} drawn{average})"
    elif level.low != level.high:
        return f"{asked}: {wanted} drawn{average}, {there}{after or ' measured'}."
    return f"{asked}, {there}{'' if after else ' measured'}{average}{after}."


def _with_unit(level: Level, value: float) -> str:
    """Return a number in the unit of a level; of a severity, a std in grey levels or a ratio."""
    if level.is_ratio:
        return decibels(value)
    if level.quantity == "level_dbfs":
        return f"{value:.1f} dBFS"
    upper = level.text.rpartition("..")[2]
    if level.quantity == "severity":
        return figure(value)
    return f"{figure(value)}{'%' if upper.endswith('%') else ''}{''.join(upper.partition('/')[1:])}"
