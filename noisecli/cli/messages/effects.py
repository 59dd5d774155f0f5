"""What the noise did to the samples, where it is not what was asked for."""

from collections.abc import Iterator

from noisecli.cli.messages.words import decibels
from noisecli.kinds import KINDS, Kind
from noisecli.kinds.adversarial import ADVERSARIAL
from noisecli.run.summary import Summary
from noisecli.settings import Settings

_NOTABLE = 0.03


def effects(summary: Summary, settings: Settings) -> Iterator[str]:
    """Yield a line for each effect that changes what the noise is."""
    kind = KINDS[settings.kind]
    yield from _rounded_away(summary, kind)
    yield from _clipped(summary, kind)
    yield from _drowned(summary, kind)
    yield from _survival(summary, settings)


def _rounded_away(summary: Summary, kind: Kind) -> Iterator[str]:
    if number := summary.rounded_away:
        way_out = f"{kind.unrounded} keeps it" if kind.unrounded else "a higher level changes them"
        yield f"{kind.counted(number)} without noise, as rounding takes all of it away: {way_out}"


def _clipped(summary: Summary, kind: Kind) -> Iterator[str]:
    """Clipping takes part of the noise away: the ratio asked for is not the one that is there."""
    for level, means in summary.clipped.items():
        have = "has more than 1% of its" if means.outputs == 1 else "have more than 1% of their"
        words = f"{level}: {kind.counted(means.outputs)} {have} samples clipped ({means.clipped_fraction:.1%})"
        words += f", which leaves {means.kept:.1%} of the noise's std"
        if means.snr_db is not None:
            words += f" and an SNR of {decibels(means.snr_db)}"
        way_out = f"; {kind.unrounded} --no-clip keeps it all" if kind.unrounded and kind.bare_unit is not None else ""
        yield words + way_out


def _drowned(summary: Summary, kind: Kind) -> Iterator[str]:
    """An SNR below 0 dB that nobody asked for is a slip of units, most of the time."""
    means = summary.drowned
    if means.snr_db is None:
        return
    have = "has" if means.outputs == 1 else "have"
    way_out = "--std 5% is a share of each array's own std"
    if kind.bare_unit is not None:
        way_out = "--full-scale V says what full scale is, and --snr-db goes by the signal"
    more = f"{kind.counted(means.outputs)} {have} more noise than signal (an SNR of {decibels(means.snr_db)})"
    yield f"{more}; where the level's unit is not theirs, {way_out}"
    if kind.mask_formats:
        yield "label masks, whose few values are low, are among such images: --exclude GLOB --sidecars copy leaves them"


def _survival(summary: Summary, settings: Settings) -> Iterator[str]:
    """Tell what share of the noise lossy files keep, and the way out where it is not what was asked for."""
    for level, kept in summary.survival.items():
        std, correlated = kept["std"], kept["correlated"]
        if std == correlated == 1.0:
            continue
        words, asked = _added(level, settings)
        words = f"{level}: on disk {words.format(f'{std:.1%}')}"
        if abs(std - correlated) > _NOTABLE:
            words += f", of which {correlated:.1%} is {asked} and the rest the codec's own error"
        if abs(std - 1) > _NOTABLE or abs(correlated - 1) > _NOTABLE:
            words += f"; --format {KINDS[settings.kind].exact} keeps it exactly"
        yield words


def _added(level: str, settings: Settings) -> tuple[str, str]:
    """What was measured on disk: of adversarial outputs the step too, or alone."""
    if settings.kind != ADVERSARIAL.name:
        return "the noise has {} of its std", "the noise asked for"
    if level in {each.label for each in settings.noise.levels if each.quantity != "snr_db" and each.high == 0}:
        return "the step has {} of its size", "the step asked for"
    return "step and noise together have {} of their std", "what was asked for"
