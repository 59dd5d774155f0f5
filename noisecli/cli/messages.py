"""What is reported to people and programs: the bar and the words on standard error, --json on standard output."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from noisecli.cli.annotations import annotate_run
from noisecli.cli.outcome import this_outcome
from noisecli.cli.terminal import TERMINAL, say, say_block
from noisecli.errors import shown
from noisecli.kinds import KINDS, Kind
from noisecli.kinds.adversarial import ADVERSARIAL
from noisecli.run.summary import Summary
from noisecli.settings import Settings

_PROBLEMS_SHOWN = 20
_NOTABLE = 0.03
_OF_WEIGHTS = {
    "scales-kept": "scales of quantised tensors stay as they are",
    "buffers-kept": "running variances and constants stay as they are; --tensors '*running_var' and the like name them",
    "negative-variance": "negative running variances, which give NaN; omit their names from --tensors",
    "tied": "tensors that are stored twice get one noise",
}
_ARRAYS_NAMED = 8

Begin = Callable[[int], Callable[[int], None]]


@contextmanager
def progress_bar(options: Mapping[str, Any], kind: str) -> Iterator[Begin]:
    """Yield what begins a bar of so many steps; `auto` is silent off a terminal."""
    bars: list[Any] = []

    def begin(total: int) -> Callable[[int], None]:
        if options["quiet"] or options["progress"] == "never":
            return lambda settled: None
        from tqdm import tqdm

        silent = options["progress"] == "auto" and not TERMINAL.isatty()
        unit = KINDS[kind].noun
        bars.append(tqdm(total=total, unit=unit, disable=silent, leave=False, file=TERMINAL, dynamic_ncols=True))
        update: Callable[[int], None] = bars[0].update
        return update

    try:
        yield begin
    finally:
        for bar in bars:
            bar.close()


def report(summary: Summary, settings: Settings, options: Mapping[str, Any]) -> None:
    """Print the summary."""
    report_problems(summary, everything=options["verbose"], traces=options["verbose"])
    quiet = options["quiet"]
    for line in _nothing_made(summary) if quiet else _lines(summary, settings, everything=options["verbose"]):
        say(line)
    if summary.stopped:
        this_outcome().error = f"stopped: {summary.stopped}"
        say(f"noisecli: stopped: {summary.stopped}")
    annotate_run(summary, settings, options)


def report_problems(summary: Summary, *, everything: bool, traces: bool = False) -> None:
    """Name the sources that failed or were skipped, a line each; bugs of ours with their traceback where asked."""
    # of many, those that failed are shown first
    problems = sorted(summary.problems, key=lambda problem: (problem.status, problem.source))
    shown = problems if everything else problems[:_PROBLEMS_SHOWN]
    for problem in shown:
        say(f"{problem.source}: {problem.status}: {problem.message}")
        if traces and problem.trace:
            say_block(problem.trace)
    if len(shown) < len(summary.problems):
        more = len(summary.problems) - len(shown)
        say(f"... and {more} more: -v lists them, errors.jsonl has them all")


def _lines(summary: Summary, settings: Settings, *, everything: bool) -> Iterator[str]:
    kind = KINDS[settings.kind]
    if summary.dry_run:
        if summary.held:
            yield f"dry run: another run is writing to {settings.destination}; what follows is as it stands now"
        replaced = f" ({summary.replaced:,} in place of earlier ones)" if summary.replaced else ""
        yield (
            f"dry run: {kind.counted(summary.made)} would be made{replaced}, {summary.kept:,} kept, from "
            f"{summary.input_bytes:,} bytes"
        )
        if summary.pruned:
            yield f"dry run: {count(summary.pruned, 'output')} would be pruned"
    else:
        parts = [f"{kind.counted(summary.made)} made"]
        parts += [
            f"{number:,} {word}"
            for number, word in (
                (summary.replaced, "of them in place of earlier ones"),
                (summary.unchanged, "of them without noise"),
                (summary.kept, "kept"),
                (summary.pruned, "pruned"),
                (summary.failed, "failed"),
                (summary.skipped, "skipped"),
            )
            if number
        ]
        yield f"{', '.join(parts)}: {settings.destination}"
    yield from _skipped(summary, settings)
    yield from _noised(summary)
    yield from _left_alone(summary, settings)
    yield from _rounded_away(summary, kind)
    yield from _clipped(summary, kind)
    yield from _drowned(summary, kind)
    yield from _survival(summary, settings)
    yield from _palettes(summary)
    yield from _answers(summary)
    yield from _kept_integers(summary)
    yield from _parameters(summary, kind)
    if everything:
        yield from (f"{count(number, 'output')}: {word}" for word, number in sorted(summary.warnings.items()))
    elif summary.warnings:
        total = sum(summary.warnings.values())
        words = ", ".join(sorted(summary.warnings))
        yield f"{count(total, 'warning')} ({words}); the manifest's rows have them"


def _noised(summary: Summary) -> Iterator[str]:
    """Name the arrays of archives that got noise: whoever sees labels among them knows at once."""
    if summary.noised:
        named = summary.noised.most_common(_ARRAYS_NAMED)
        words = ", ".join(f"{shown(name)} ({count(number, 'file')})" for name, number in named)
        more = len(summary.noised) - len(named)
        yield f"noise on: {words}{f' and {more:,} more' if more else ''}"


def _skipped(summary: Summary, settings: Settings) -> Iterator[str]:
    if links := sum(problem.reason == "symlink-outside" for problem in summary.problems):
        yield f"{count(links, 'symbolic link')} out of {settings.source} left alone: --follow-links follows them"
    yield from _nothing_made(summary)


def _nothing_made(summary: Summary) -> Iterator[str]:
    """Nothing made of many never looks like success."""
    if summary.nothing_made:
        found = (("failed", summary.failed), ("was skipped", summary.skipped))
        what = " or ".join(word for word, number in found if number)
        yield f"nothing was made: all that was found {what} ({count(summary.failed + summary.skipped, 'file')})"


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
            words += f" and an SNR of {_decibels(means.snr_db)}"
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
    more = f"{kind.counted(means.outputs)} {have} more noise than signal (an SNR of {_decibels(means.snr_db)})"
    yield f"{more}; where the level's unit is not theirs, {way_out}"
    if kind.mask_formats:
        yield "label masks, whose few values are low, are among such images: --exclude GLOB --sidecars copy leaves them"


def _decibels(value: float) -> str:
    return f"{round(value, 1) + 0.0:.1f} dB"


def _palettes(summary: Summary) -> Iterator[str]:
    """Label masks are often palette images, or have few values; noise on them is wrong."""
    if number := summary.warnings["palette-to-colour"]:
        palettes = count(number, "palette image")
        yield f"{palettes} became colour; label masks stay as they are: --exclude GLOB --sidecars copy"
    if summary.masks_asked_for:
        yield "it looks like a label mask, whose values mean classes; noise makes others of them"


def _kept_integers(summary: Summary) -> Iterator[str]:
    """Integers beside floats are labels, most of the time."""
    if number := summary.warnings["integers-kept"]:
        yield f"{count(number, 'archive')}: integers beside floats stay as they are; --key GLOB says otherwise"


def _parameters(summary: Summary, kind: Kind) -> Iterator[str]:
    """What files of weights hold beside parameters."""
    for word, told in _OF_WEIGHTS.items():
        if number := summary.warnings[word]:
            yield f"{kind.counted(number)}: {told}"


def _answers(summary: Summary) -> Iterator[str]:
    if right := summary.answers:
        yield (
            f"the model is right on {right['before']:.1%} of the samples, on {right['step']:.1%} after the step and on "
            f"{right['after']:.1%} after step and noise"
        )
        if "chance" in right:
            yield (
                f"before the step that is hardly more than chance ({right['chance']:.1%}): check --input-range, and "
                "that the labels, or --classes, are in the model's order"
            )


def _left_alone(summary: Summary, settings: Settings) -> Iterator[str]:
    for kind, number in summary.other_kinds.items():
        yield f"{KINDS[kind].counted(number)} left alone: noisecli {kind}"
    if summary.sidecars_left:
        left = count(summary.sidecars_left, "side file")
        yield f"{left} left behind: --sidecars copy takes labels and transcripts along"
    if summary.masks:
        way_out = ": --sidecars copy takes them along" if settings.output.sidecars == "skip" else ""
        yield f"{count(summary.masks, 'label mask')} left without noise{way_out}"
    if summary.sidecars_copied:
        word = "linked" if settings.output.sidecars == "link" else "copied"
        yield f"{count(summary.sidecars_copied, 'side file')} {word}"
    if summary.orphans:
        gone = (
            "that this request does not ask for" if not KINDS[settings.kind].has_sources else "of sources that are gone"
        )
        way_out = ": --prune removes them"
        if summary.sources > 1:
            gone, way_out = (
                "of sources that are not in SRC",
                ": they were made from another folder, or their source is gone",
            )
        elif settings.running.prune:
            way_out = " stay: changed since (they or their rows), listed by another manifest, or not to be removed"
        yield f"{count(summary.orphans, 'output')} {gone}{way_out}"
    if summary.hidden:
        yield f"{count(summary.hidden, 'hidden name')} left alone"
    if summary.not_chosen:
        yield f"{count(summary.not_chosen, 'file')} left out by --include or --limit"


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


def count(number: int, noun: str) -> str:
    """Return a number of things in words."""
    return f"{number:,} {noun}{'s' * (number != 1)}"
