"""What is said of labels: before the run, those that cannot follow their images; after it, those that are alone."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from noisecli.cli.terminal import say
from noisecli.kinds import KINDS
from noisecli.run.summary import Summary
from noisecli.settings import Settings

_SHOWN = 20


def tell_labels(options: Mapping[str, Any]) -> Callable[[list[str]], None]:
    """Return what prints the lines about side files that name images."""

    def tell(lines: list[str]) -> None:
        if options["quiet"]:
            return
        shown = lines if options["verbose"] else lines[:_SHOWN]
        for line in shown:
            say(line)
        if len(shown) < len(lines):
            say(f"... and {len(lines) - len(shown):,} more side files: -v names them")

    return tell


def about_labels(summary: Summary, settings: Settings, *, everything: bool) -> Iterator[str]:
    """Yield the lines of the summary about labels."""
    noun = KINDS[settings.kind].noun
    if summary.labels_rewritten:
        which = "side file is" if summary.labels_rewritten == 1 else "side files are"
        how = ": copies, not links" if settings.output.sidecars == "link" else f", to name the {noun}s' copies"
        yield f"{summary.labels_rewritten:,} {which} rewritten{how}"
        if summary.failed and not summary.dry_run:
            files = KINDS[settings.kind].counted(summary.failed)
            yield f"lists and annotations that name the {files} that failed name outputs that are not there"
    if everything:
        yield from (f"{name}: is a label of no {noun} here" for name in summary.labels_alone)
        yield from (f"{name}: has no label, as most beside it have" for name in summary.sources_alone)
    parts = [
        f"{number:,} {one if number == 1 else many}"
        for number, one, many in (
            (len(summary.labels_alone), f"label without its {noun}", f"labels without their {noun}"),
            (
                len(summary.sources_alone),
                f"{noun} without its label",
                f"{KINDS[settings.kind].nouns} without their label",
            ),
        )
        if number
    ]
    if parts:
        yield f"{', '.join(parts)}{'' if everything else ' (-v names them)'}"
