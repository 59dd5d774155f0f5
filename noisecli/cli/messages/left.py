"""What was left alone, or is there from earlier runs."""

from collections.abc import Iterator

from noisecli.cli.messages.words import count
from noisecli.kinds import KINDS
from noisecli.kinds.arrays import ARRAYS
from noisecli.run.summary import Summary
from noisecli.settings import Settings
from noisecli.storage import is_tar_location


def left_alone(summary: Summary, settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield lines, each with the word of the examples that go with it."""
    in_tars = is_tar_location(settings.destination)
    for kind, number in summary.other_kinds.items():
        yield f"{KINDS[kind].counted(number)} left alone: noisecli {kind}", ""
    if summary.sidecars_left:
        way_out = f"--sidecars copy takes {_them(summary.sidecars_left)} along"
        if in_tars:
            way_out = "of no sample's name"
        yield f"{count(summary.sidecars_left, 'side file')} left behind: {way_out}", "left"
    if summary.masks:
        way_out = ""
        if in_tars:
            way_out = ", and carried along with their samples"
        elif settings.output.sidecars == "skip":
            way_out = f": --sidecars copy takes {_them(summary.masks)} along"
        noun = "label file" if settings.kind == ARRAYS.name else "label mask"
        yield f"{count(summary.masks, noun)} left without noise{way_out}", ""
    if summary.sidecars_copied:
        word = "linked" if settings.output.sidecars == "link" else "copied"
        would = "would be " * summary.dry_run
        yield f"{count(summary.sidecars_copied, 'side file')} {would}{word}", "carried"
    for line in (*_earlier_side_files(summary, settings), *_left_over(summary, settings)):
        yield line, ""
    if summary.hidden:
        yield f"{count(summary.hidden, 'hidden name')} left alone", ""
    if summary.not_chosen:
        yield f"{count(summary.not_chosen, 'file')} left out by --include or --limit", ""


def _earlier_side_files(summary: Summary, settings: Settings) -> Iterator[str]:
    if summary.sidecars_kept:
        kept = count(summary.sidecars_kept, "side file")
        yield f"{kept} of earlier runs left as they are: --sidecars copy keeps them up to date"
    if summary.sidecars_pruned and not summary.dry_run:
        yield f"{count(summary.sidecars_pruned, 'side file')} removed"
    if summary.sidecars_stale:
        stale = count(summary.sidecars_stale, "side file")
        way_out = f": --prune removes {_them(summary.sidecars_stale)}"
        if settings.running.prune:
            way_out = " stay: changed since, beside an output that stays, or listed by another manifest"
        elif summary.sources > 1:
            way_out = ": they came from another folder, or their source is gone"
        yield f"{stale} of earlier runs that this request does not ask for, or whose source is gone{way_out}"


def _left_over(summary: Summary, settings: Settings) -> Iterator[str]:
    """Name the outputs that the request does not ask for, and the way out."""
    is_pruning = settings.running.prune and summary.sources == 1
    by_hand = ": remove by hand the tars that are not wanted" if is_tar_location(settings.destination) else ""
    stay = " stay: changed since (they or their rows), listed by another manifest, or not to be removed"
    if summary.orphans:
        gone, way_out = "of sources that are gone", by_hand or f": --prune removes {_them(summary.orphans)}"
        if is_pruning:
            way_out = stay
        if summary.sources > 1:
            gone, way_out = (
                "of sources that are not in SRC",
                ": they were made from another folder, or their source is gone",
            )
        yield f"{count(summary.orphans, 'output')} {gone}{way_out}"
    if summary.leftovers:
        others = "copies, levels or names" if KINDS[settings.kind].has_sources else "--count or --per-file"
        earlier = f"{count(summary.leftovers, 'output')} of earlier requests (other {others})"
        be, them = "is" if summary.leftovers == 1 else "are", _them(summary.leftovers)
        way_out = by_hand or f"; --prune removes {them}, --dry-run --prune counts {them}"
        way_out = way_out if summary.sources == 1 else ""
        yield earlier + (stay if is_pruning else f" {be} still in {settings.destination}{way_out}")


def _them(number: int) -> str:
    return "it" if number == 1 else "them"
