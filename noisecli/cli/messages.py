"""What is reported to people and programs: the bar and the words on standard error, --json on standard output."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from noisecli.cli.terminal import TERMINAL, acts, say, say_block
from noisecli.errors import shown
from noisecli.kinds import KINDS
from noisecli.run.summary import Summary
from noisecli.settings import Settings
from noisecli.storage.stdout import print_whole

_PROBLEMS_SHOWN = 20
_NOTABLE = 0.03
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
    if options["as_json"] and settings.destination != "-":
        print_json(summary.as_json())
    report_problems(summary, everything=options["verbose"], traces=options["verbose"])
    if not options["quiet"]:
        for line in _lines(summary, settings, everything=options["verbose"]):
            say(line)
    if summary.stopped:
        say(f"noisecli: stopped: {summary.stopped}")


def print_json(content: Any) -> None:
    """Print content as JSON on one line: the same for whoever parses it, and harmless for a terminal."""
    text = json.dumps(content, ensure_ascii=False)
    if not text.isprintable():
        text = "".join(json.dumps(letter)[1:-1] if acts(letter) else letter for letter in text)
    print_whole([text.encode() + b"\n"])


def report_problems(summary: Summary, *, everything: bool, traces: bool = False) -> None:
    """Name the sources that failed or were skipped, a line each; bugs of ours with their traceback where asked."""
    problems = sorted(summary.problems, key=lambda problem: problem.source)
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
        yield f"dry run: {kind.counted(summary.planned)} would be made or kept, from {summary.input_bytes:,} bytes"
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
    yield from _noised(summary)
    yield from _left_alone(summary, settings)
    yield from _survival(summary, settings)
    yield from _palettes(summary)
    yield from _answers(summary)
    yield from _kept_integers(summary)
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


def _palettes(summary: Summary) -> Iterator[str]:
    """Label masks are often palette images, and noise on them is wrong."""
    if number := summary.warnings["palette-to-colour"]:
        palettes = count(number, "palette image")
        yield f"{palettes} became colour; label masks stay as they are: --exclude GLOB --sidecars copy"


def _kept_integers(summary: Summary) -> Iterator[str]:
    """Integers beside floats are labels, most of the time."""
    if number := summary.warnings["integers-kept"]:
        yield f"{count(number, 'archive')}: integers beside floats stay as they are; --key GLOB says otherwise"


def _answers(summary: Summary) -> Iterator[str]:
    if right := summary.answers:
        yield (
            f"the model is right on {right['before']:.1%} of the samples, on {right['step']:.1%} after the step and on "
            f"{right['after']:.1%} after step and noise"
        )


def _left_alone(summary: Summary, settings: Settings) -> Iterator[str]:
    for kind, number in summary.other_kinds.items():
        yield f"{KINDS[kind].counted(number)} left alone: noisecli {kind}"
    if summary.sidecars_left:
        left = count(summary.sidecars_left, "side file")
        yield f"{left} left behind: --sidecars copy takes labels and transcripts along"
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
        words = f"{level}: on disk the noise has {std:.1%} of its std"
        if abs(std - correlated) > _NOTABLE:
            words += f", of which {correlated:.1%} is the noise asked for and the rest the codec's own error"
        if abs(std - 1) > _NOTABLE or abs(correlated - 1) > _NOTABLE:
            words += f"; --format {KINDS[settings.kind].exact} keeps it exactly"
        yield words


def count(number: int, noun: str) -> str:
    """Return a number of things in words."""
    return f"{number:,} {noun}{'s' * (number != 1)}"
