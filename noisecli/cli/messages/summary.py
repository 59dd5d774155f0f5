"""A summary in words."""

from collections import Counter
from collections.abc import Iterator

from noisecli.cli.messages.effects import effects
from noisecli.cli.messages.headline import dry_lines, headline
from noisecli.cli.messages.labels import about_labels
from noisecli.cli.messages.left import left_alone
from noisecli.cli.messages.strength import strengths
from noisecli.cli.messages.warnings import warnings
from noisecli.cli.messages.words import count
from noisecli.errors import shown
from noisecli.kinds import KINDS
from noisecli.kinds.arrays import ARRAYS
from noisecli.run.summary import Summary
from noisecli.settings import Settings
from noisecli.storage import escape_name

_ARRAYS_NAMED = 8


def summary_lines(summary: Summary, settings: Settings, *, everything: bool) -> Iterator[str]:
    """Yield the summary, a line for each thing to say; with everything, the files that it is said of."""
    if summary.dry_run:
        yield from dry_lines(summary, settings)
    elif not summary.nothing_made or summary.pruned:
        first, levels = headline(summary, settings), list(strengths(summary, settings, everything=everything))
        yield " ".join([first, *levels]) if len(levels) == 1 else first
        yield from levels if len(levels) > 1 else ()
    yield from _shard(summary)
    yield from _skipped(summary, settings)
    yield from _noised(summary)
    are_named = False
    for line, word in _with_examples(summary, settings, everything=everything):
        yield line
        found = summary.examples.get(word)
        if found is not None and everything:
            yield from (f"  {name}" for name in found.names)
            if found.number > len(found.names):
                yield f"  ... and {found.number - len(found.names):,} more"
        are_named = are_named or bool(found)
    yield from about_labels(summary, settings, everything=everything)
    yield from _answers(summary)
    yield from _make(summary)
    if are_named and not everything and summary.planned > 1:
        yield "-v names the files"


def _with_examples(summary: Summary, settings: Settings, *, everything: bool) -> Iterator[tuple[str, str]]:
    """Yield lines about files, each with the word of the examples that go with it."""
    yield from left_alone(summary, settings)
    yield from effects(summary, settings)
    if summary.masks_asked_for:
        what = "labels" if settings.kind == ARRAYS.name else "a label mask, whose values mean classes"
        yield f"it looks like {what}; noise makes others of them", ""
    yield from warnings(summary, KINDS[settings.kind], everything=everything)


def _shard(summary: Summary) -> Iterator[str]:
    """Say that this is a part of the whole, and what makes it whole."""
    if summary.shard is not None:
        has = "has none of these files" if not summary.planned else f"has {count(summary.planned, 'output')}"
        yield f"shard {summary.shard} {has}; when all shards are done: noisecli merge"


def _make(summary: Summary) -> Iterator[str]:
    """Tell what Make cannot be told."""
    if number := summary.not_in_depfile:
        yield f"{count(number, 'file')} not in the depfile: Make has no spelling for such names (line ends, ; |)"
    if summary.future is not None:
        yield f"{escape_name(summary.future)}: has a time still to come, so Make runs the rule each time until then"


def _noised(summary: Summary) -> Iterator[str]:
    """Name the arrays of archives that got noise, and those that did not: whoever sees labels among them knows."""
    if summary.noised:
        yield f"noise on: {_named(summary.noised)}"
    if summary.not_noised:
        yield f"arrays that stay as they are: {_named(summary.not_noised)}; --key GLOB says otherwise"


def _named(arrays: Counter[str]) -> str:
    # by name where they are in as many files: outputs come in any order
    named = sorted(arrays.items(), key=lambda item: (-item[1], item[0]))[:_ARRAYS_NAMED]
    words = ", ".join(f"{shown(name)} ({count(number, 'file')})" for name, number in named)
    more = len(arrays) - len(named)
    return f"{words}{f' and {more:,} more' if more else ''}"


def _skipped(summary: Summary, settings: Settings) -> Iterator[str]:
    if links := sum(problem.reason == "symlink-outside" for problem in summary.problems):
        yield f"{count(links, 'symbolic link')} out of {settings.source} left alone: --follow-links follows them"
    yield from nothing_made(summary)


def nothing_made(summary: Summary) -> Iterator[str]:
    """Nothing made of many never looks like success."""
    if summary.nothing_made:
        found = (("failed", summary.failed), ("was skipped", summary.skipped))
        what = " or ".join(word for word, number in found if number)
        yield f"nothing was made: all that was found {what} ({count(summary.failed + summary.skipped, 'file')})"


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
