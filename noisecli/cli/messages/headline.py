"""The first line: how many files, where to, how large and how long."""

import time
from collections.abc import Iterator

from noisecli.cli.messages.words import count, duration, size
from noisecli.kinds import KINDS
from noisecli.run.summary import Summary
from noisecli.settings import Settings


def headline(summary: Summary, settings: Settings) -> str:
    """Return what the run did, as a sentence."""
    kind, place = KINDS[settings.kind], place_of(summary, settings)
    took = duration(time.monotonic() - summary.begun)
    kept = f"{summary.kept:,} already up to date"
    if summary.made:
        first = f"{_made(summary.made, settings)} written to {place} ({size(summary.output_bytes)}, {took})"
        parts = [first, *_replaced(summary), *[kept] * bool(summary.kept)]
    elif summary.kept:
        verb = "is" if summary.kept == 1 else "are"
        parts = [f"{kind.counted(summary.kept)} in {place} {verb} already up to date ({took})"]
    else:
        # how long is no matter where there is nothing
        parts = [f"No {kind.noun} written to {place}"]
    counted = ((summary.pruned, "removed"), (summary.failed, "failed"), (summary.skipped, "skipped"))
    parts += [f"{number:,} {word}" for number, word in counted if number]
    return f"{', '.join(parts)}."


def _made(number: int, settings: Settings) -> str:
    """Return how many outputs, and what is beside them."""
    names = ["its clean copy", "its map of std"] if number == 1 else ["their clean copies", "their maps of std"]
    asked = (settings.output.with_clean, settings.output.with_std_map)
    beside = [name for name, is_made in zip(names, asked, strict=True) if is_made]
    parts = [KINDS[settings.kind].counted(number), *beside]
    return " and ".join([*([", ".join(parts[:-1])] if beside else []), parts[-1]])


def dry_lines(summary: Summary, settings: Settings) -> Iterator[str]:
    """Yield what a run would do."""
    kind, place = KINDS[settings.kind], place_of(summary, settings)
    if summary.held:
        yield f"Dry run: another run is writing to {place}; what follows is as it stands now."
    source = f" from {size(summary.input_bytes)} of sources" if kind.has_sources and settings.source != "-" else ""
    if summary.made or not summary.kept:
        parts = [f"{kind.counted(summary.made)} would be written to {place}{source}", *_replaced(summary)]
        parts += [f"{summary.kept:,} would be kept"] if summary.kept else []
    else:
        verb = "is" if summary.kept == 1 else "are"
        parts = [f"{kind.counted(summary.kept)} in {place} {verb} already up to date, none would be written"]
    parts += [f"{count(summary.pruned, 'output')} would be removed"] if summary.pruned else []
    parts += [f"{count(summary.sidecars_pruned, 'side file')} would be removed"] if summary.sidecars_pruned else []
    parts += [f"{summary.skipped:,} would be skipped"] if summary.skipped else []
    parts += [f"{summary.failed:,} would fail"] if summary.failed else []
    yield f"Dry run: {', '.join(parts)}."


def place_of(summary: Summary, settings: Settings) -> str:
    """Return the destination; a folder ends with a slash."""
    if settings.destination == "-":
        return "standard output"
    is_file = summary.is_one_file and not settings.choice.is_one_file
    return (
        settings.destination if is_file or settings.destination.endswith(("/", "*.tar")) else f"{settings.destination}/"
    )


def _replaced(summary: Summary) -> list[str]:
    if not summary.replaced:
        return []
    if summary.replaced == summary.made:
        return ["in place of an earlier one" if summary.made == 1 else "all in place of earlier ones"]
    return [f"{summary.replaced:,} of them in place of {'an earlier one' if summary.replaced == 1 else 'earlier ones'}"]
