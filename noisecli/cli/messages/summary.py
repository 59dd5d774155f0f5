"""A summary in words."""

from collections.abc import Iterator

from noisecli.cli.messages.effects import effects
from noisecli.cli.messages.headline import dry_lines, headline
from noisecli.cli.messages.labels import about_labels
from noisecli.cli.messages.strength import strengths
from noisecli.cli.messages.warnings import warnings
from noisecli.cli.messages.words import count
from noisecli.errors import shown
from noisecli.kinds import KINDS
from noisecli.run.summary import Summary
from noisecli.settings import Settings

_ARRAYS_NAMED = 8


def summary_lines(summary: Summary, settings: Settings, *, everything: bool) -> Iterator[str]:
    """Yield the summary, a line for each thing to say; with everything, the files that it is said of."""
    if summary.dry_run:
        yield from dry_lines(summary, settings)
    elif not summary.nothing_made or summary.pruned:
        first, levels = headline(summary, settings), list(strengths(summary, settings, everything=everything))
        yield " ".join([first, *levels]) if len(levels) == 1 else first
        yield from levels if len(levels) > 1 else ()
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
    if are_named and not everything and summary.planned > 1:
        yield "-v names the files"


def _with_examples(summary: Summary, settings: Settings, *, everything: bool) -> Iterator[tuple[str, str]]:
    """Yield lines about files, each with the word of the examples that go with it."""
    yield from _left_alone(summary, settings)
    yield from effects(summary, settings)
    if summary.masks_asked_for:
        yield "it looks like a label mask, whose values mean classes; noise makes others of them", ""
    yield from warnings(summary, KINDS[settings.kind], everything=everything)


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


def _left_alone(summary: Summary, settings: Settings) -> Iterator[tuple[str, str]]:
    for kind, number in summary.other_kinds.items():
        yield f"{KINDS[kind].counted(number)} left alone: noisecli {kind}", ""
    if summary.sidecars_left:
        takes = "it" if summary.sidecars_left == 1 else "them"
        yield f"{count(summary.sidecars_left, 'side file')} left behind: --sidecars copy takes {takes} along", "left"
    if summary.masks:
        way_out = (
            f": --sidecars copy takes {'it' if summary.masks == 1 else 'them'} along"
            if settings.output.sidecars == "skip"
            else ""
        )
        yield f"{count(summary.masks, 'label mask')} left without noise{way_out}", ""
    if summary.sidecars_copied:
        word = "linked" if settings.output.sidecars == "link" else "copied"
        yield f"{count(summary.sidecars_copied, 'side file')} {word}", "carried"
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
        yield f"{count(summary.orphans, 'output')} {gone}{way_out}", ""
    if summary.hidden:
        yield f"{count(summary.hidden, 'hidden name')} left alone", ""
    if summary.not_chosen:
        yield f"{count(summary.not_chosen, 'file')} left out by --include or --limit", ""
