"""noisecli merge."""

from collections.abc import Mapping
from typing import Any

import click

from noisecli.cli import options as o
from noisecli.cli.messages import count, progress_bar
from noisecli.cli.outcome import this_outcome
from noisecli.cli.request import manifest_of, refuse_odd_output
from noisecli.cli.tars import shards_at
from noisecli.cli.terminal import say
from noisecli.run.merge import Merged, merge
from noisecli.shards import split_manifest

FOLDERS = click.argument(
    "shards",
    metavar="[SHARD...]",
    nargs=-1,
    type=click.Path(path_type=str),
    cls=o.SectionedArgument,
    described="Folders of shards that lie apart; their files move to DST.",
)


@click.command("merge", cls=o.SectionedCommand)
@o.argument("destination", "DST", "The folder of the whole run; it may hold shards itself.")
@FOLDERS
@o.apply(o.MANIFEST, o.DRY_RUN, o.PROGRESS, o.QUIET, o.JSON)
def command(destination: str, shards: tuple[str, ...], **options: Any) -> int:
    """Make one run of shards.

    When all shards of a run have ended, DST becomes what a run without --shard would have made, byte for byte. Shards
    that are missing, unfinished, or of other options or files are named, and nothing is done. A file moves by a rename
    where it can; from another file system it is copied, and compared before the first one goes.

    \b
    noisecli merge noisy                           all shards were made in noisy/
    noisecli merge noisy part-1 part-2 part-3      each was made in a folder of its own
    """  # noqa: D301 (click wants the character itself)
    refuse_odd_output(options)
    manifest = manifest_of(options)
    if split_manifest(manifest)[1] is not None:
        raise click.UsageError(f"--manifest {manifest}: is a shard's; name that of the whole run")
    place = shards_at(destination, shards, manifest)
    merged = Merged()
    this_outcome().counters = merged.as_json
    with progress_bar(options, "output") as begin:
        merge(place, shards, manifest, dry_run=options["dry_run"], begin=begin, into=merged)
    if not options["quiet"]:
        _report(merged, destination, options)
    return 0


def _report(merged: Merged, destination: str, options: Mapping[str, Any]) -> None:
    outputs = count(merged.outputs, "output")
    if not merged.shards:
        say(f"{destination} is one run already: {outputs}")
        return
    parts = [f"{outputs} of {count(merged.shards, 'shard')} {'would be ' * merged.dry_run}merged"]
    parts += [count(merged.sidecars, "side file")] if merged.sidecars else []
    parts += [f"{merged.failed:,} failed"] if merged.failed else []
    parts += [f"{merged.skipped:,} skipped"] if merged.skipped else []
    say(f"{'dry run: ' * merged.dry_run}{', '.join(parts)}: {destination}")
    if merged.moved:
        say(f"{count(merged.moved, 'file')} {'would be ' * merged.dry_run}moved there")
    if merged.copied:
        say(f"{count(merged.copied, 'file')} copied there from another file system or store")
