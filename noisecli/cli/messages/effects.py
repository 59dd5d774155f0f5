"""What the noise did to the samples, where it is not what was asked for."""

from collections.abc import Iterator

from noisecli.cli.messages.strength import LEVELS_SHOWN
from noisecli.cli.messages.words import decibels
from noisecli.kinds import KINDS, Kind
from noisecli.kinds.adversarial import ADVERSARIAL
from noisecli.model import Level
from noisecli.run.summary import Summary
from noisecli.settings import Settings

_NOTABLE = 0.03


def effects(summary: Summary, settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield a line for each effect that changes what the noise is, with the word of the examples that go with it."""
    kind = KINDS[settings.kind]
    yield from _without_noise(summary, settings, kind)
    yield from _clipped(summary, settings, kind)
    if number := summary.snr_missed:
        has = "has an SNR" if number == 1 else "have SNRs"
        yield f"{kind.counted(number)} {has} more than 0.5 dB from what was asked, by clipping or rounding", "snr"
    yield from _drowned(summary, kind)
    for line in _survival(summary, settings):
        yield line, ""


def _without_noise(summary: Summary, settings: Settings, kind: Kind) -> Iterator[tuple[str, str]]:
    if number := summary.rounded_away:
        way_out = f"{kind.unrounded} keeps it" if kind.unrounded else "a higher level changes them"
        yield f"{kind.counted(number)} without noise, as rounding takes all of it away: {way_out}", "rounded"
    is_asked = settings.kind == ADVERSARIAL.name and all(level.is_none for level in settings.noise.levels)
    if (number := summary.unchanged - summary.rounded_away) and not is_asked:
        why = " or ".join(_reasons(summary, settings, is_one=number == 1))
        yield f"{kind.counted(number)} without noise{f', as {why}' if why else ''}", "unchanged"


def _reasons(summary: Summary, settings: Settings, *, is_one: bool) -> Iterator[str]:
    """Yield why files of this run may be without noise."""
    noise = settings.noise
    if noise.probability < 1:
        yield f"--prob {noise.probability * 100:g}% asks"
    if any(level.may_be_none for level in noise.levels):
        yield "a level of 0 asks"
    if any(level.is_ratio for level in noise.levels):
        yield f"{'it is' if is_one else 'they are'} silent, and silence has no SNR"
    if any(level.relative for level in noise.levels):
        yield f"{'its' if is_one else 'their'} values are all the same, and have no std"
    if noise.mask is not None:
        inside = "" if noise.patch is None else f" inside {'its patch' if is_one else 'their patches'}"
        yield f"{'its mask is' if is_one else 'their masks are'} black{inside}"
    if summary.warnings["none-chosen"]:
        yield "no array is chosen"


def _clipped(summary: Summary, settings: Settings, kind: Kind) -> Iterator[tuple[str, str]]:
    """Clipping takes part of the noise away: the level asked for is not the one that is there."""
    if number := sum(means.outputs for means in summary.clipped.values()):
        have = "has more than 1% of its" if number == 1 else "have more than 1% of their"
        # what was published was clipped
        published = all(level.quantity == "severity" for level in settings.noise.levels)
        is_wanted = kind.unrounded and kind.bare_unit and not published
        way_out = f": {kind.unrounded} --no-clip keeps all noise" if is_wanted else ""
        yield f"{kind.counted(number)} {have} samples clipped{way_out}", "clipped"


def _drowned(summary: Summary, kind: Kind) -> Iterator[tuple[str, str]]:
    """An SNR below 0 dB that nobody asked for is a slip of units, most of the time."""
    means = summary.drowned
    if means.snr_db is None:
        return
    have = "has" if means.outputs == 1 else "have"
    way_out = "--std 5% is a share of each array's own std"
    if kind.bare_unit is not None:
        way_out = "--full-scale V says what full scale is, and --snr-db goes by the signal"
    more = f"{kind.counted(means.outputs)} {have} more noise than signal (an SNR of {decibels(means.snr_db)})"
    yield f"{more}; where the level's unit is not theirs, {way_out}", "drowned"
    if kind.mask_formats:
        line = (
            "label masks, whose few values are low, are among such images: --exclude GLOB --sidecars copy leaves them"
        )
        yield line, ""


def _survival(summary: Summary, settings: Settings) -> Iterator[str]:
    """Tell what lossy files keep of the noise where it is not what was asked for, and the way out."""
    way_out = f"--format {KINDS[settings.kind].exact} keeps it exactly"
    told = [
        f"{level.spoken}: on disk {_added(settings, level)} {words}; {way_out}"
        for level in settings.noise.levels
        if (kept := summary.survival.get(level.label)) is not None and (words := _kept_on_disk(**kept))
    ]
    yield from told[:LEVELS_SHOWN]
    if len(told) > LEVELS_SHOWN:
        yield f"... and {len(told) - LEVELS_SHOWN:,} more levels so, which run.json has"


def _kept_on_disk(std: float, correlated: float) -> str:
    """Return what lossy compression does to the noise; nothing where it leaves it as it is, but for a few percent."""
    if std > 1 + _NOTABLE:
        stronger = f"{std - 1:.0%} stronger" if std < 2 else f"{std:.1f} times as strong"
        words = f"is {stronger}, as lossy compression adds errors of its own"
        return words if abs(correlated - 1) <= _NOTABLE else f"{words} and keeps {correlated:.0%} of it"
    if std < 1 - _NOTABLE:
        return f"is {1 - std:.0%} weaker, as lossy compression takes part of it away"
    if abs(correlated - 1) <= _NOTABLE:
        return ""
    return f"is as strong as asked, but only {correlated:.0%} of it is left, beside errors of lossy compression"


def _added(settings: Settings, level: Level) -> str:
    """What was measured on disk: of adversarial outputs the step too, or alone."""
    if settings.kind != ADVERSARIAL.name:
        return "the noise"
    return "the step" if level.is_none else "what was added"
