"""A summary in words."""

from collections import Counter
from collections.abc import Iterator

from noisecli.cli.messages.effects import effects
from noisecli.cli.messages.labels import about_labels
from noisecli.cli.messages.words import count
from noisecli.errors import shown
from noisecli.kinds import KINDS, Kind
from noisecli.kinds.arrays import ARRAYS
from noisecli.run.summary import Summary
from noisecli.settings import Settings
from noisecli.storage import escape_name

_OF_WEIGHTS = {
    "scales-kept": "scales of quantised tensors stay as they are",
    "buffers-kept": "running variances and constants stay as they are; --tensors '*running_var' and the like name them",
    "negative-variance": "negative running variances, which give NaN; omit their names from --tensors",
    "tied": "tensors that are stored twice get one noise",
}
_ARRAYS_NAMED = 8


def summary_lines(summary: Summary, settings: Settings, *, everything: bool) -> Iterator[str]:
    """Yield the summary, a line for each thing to say."""
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
        if summary.sidecars_pruned:
            yield f"dry run: {count(summary.sidecars_pruned, 'side file')} would be pruned"
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
    yield from _shard(summary)
    yield from _skipped(summary, settings)
    yield from _noised(summary)
    yield from _left_alone(summary, settings)
    yield from about_labels(summary, settings, everything=everything)
    yield from effects(summary, settings)
    yield from _palettes(summary, settings)
    yield from _answers(summary)
    yield from _parameters(summary, kind)
    yield from _make(summary)
    if everything:
        yield from (f"{count(number, 'output')}: {word}" for word, number in sorted(summary.warnings.items()))
    elif summary.warnings:
        total = sum(summary.warnings.values())
        words = ", ".join(sorted(summary.warnings))
        yield f"{count(total, 'warning')} ({words}); the manifest's rows have them"


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


def _palettes(summary: Summary, settings: Settings) -> Iterator[str]:
    """Label masks are often palette images, or have few values; noise on them is wrong."""
    if number := summary.warnings["palette-to-colour"]:
        palettes = count(number, "palette image")
        yield f"{palettes} became colour; label masks stay as they are: --exclude GLOB --sidecars copy"
    if summary.masks_asked_for:
        what = "labels" if settings.kind == ARRAYS.name else "a label mask, whose values mean classes"
        yield f"it looks like {what}; noise makes others of them"


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


def _earlier_side_files(summary: Summary, settings: Settings) -> Iterator[str]:
    if summary.sidecars_kept:
        kept = count(summary.sidecars_kept, "side file")
        yield f"{kept} of earlier runs left as they are: --sidecars copy keeps them up to date"
    if summary.sidecars_pruned and not summary.dry_run:
        yield f"{count(summary.sidecars_pruned, 'side file')} pruned"
    if summary.sidecars_stale:
        stale = count(summary.sidecars_stale, "side file")
        way_out = ": --prune removes them"
        if settings.running.prune:
            way_out = " stay: changed since, beside an output that stays, or listed by another manifest"
        elif summary.sources > 1:
            way_out = ": they came from another folder, or their source is gone"
        yield f"{stale} of earlier runs that this request does not ask for, or whose source is gone{way_out}"


def _left_alone(summary: Summary, settings: Settings) -> Iterator[str]:
    for kind, number in summary.other_kinds.items():
        yield f"{KINDS[kind].counted(number)} left alone: noisecli {kind}"
    if summary.sidecars_left:
        left = count(summary.sidecars_left, "side file")
        yield f"{left} left behind: --sidecars copy takes labels and transcripts along"
    if summary.masks:
        way_out = ": --sidecars copy takes them along" if settings.output.sidecars == "skip" else ""
        noun = "label file" if settings.kind == ARRAYS.name else "label mask"
        yield f"{count(summary.masks, noun)} left without noise{way_out}"
    if summary.sidecars_copied:
        word = "linked" if settings.output.sidecars == "link" else "copied"
        yield f"{count(summary.sidecars_copied, 'side file')} {word}"
    yield from _earlier_side_files(summary, settings)
    yield from _left_over(summary, settings)
    if summary.hidden:
        yield f"{count(summary.hidden, 'hidden name')} left alone"
    if summary.not_chosen:
        yield f"{count(summary.not_chosen, 'file')} left out by --include or --limit"


def _left_over(summary: Summary, settings: Settings) -> Iterator[str]:
    """Name the outputs that the request does not ask for, and the way out."""
    is_pruning = settings.running.prune and summary.sources == 1
    stay = " stay: changed since (they or their rows), listed by another manifest, or not to be removed"
    if summary.orphans:
        gone, way_out = "of sources that are gone", stay if is_pruning else ": --prune removes them"
        if summary.sources > 1:
            gone, way_out = (
                "of sources that are not in SRC",
                ": they were made from another folder, or their source is gone",
            )
        yield f"{count(summary.orphans, 'output')} {gone}{way_out}"
    if summary.leftovers:
        others = "copies, levels or names" if KINDS[settings.kind].has_sources else "--count or --per-file"
        earlier = f"{count(summary.leftovers, 'output')} of earlier requests (other {others})"
        be, them = ("is", "it") if summary.leftovers == 1 else ("are", "them")
        way_out = f"; --prune removes {them}, --dry-run --prune counts {them}" if summary.sources == 1 else ""
        yield earlier + (stay if is_pruning else f" {be} still in {settings.destination}{way_out}")
