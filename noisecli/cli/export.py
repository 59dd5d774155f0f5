"""noisecli export."""

import itertools
import os
import sys
from collections.abc import Iterable
from typing import Any

import click

from noisecli.cli import options as o
from noisecli.cli.messages import count, say_shard
from noisecli.cli.outcome import refuse_shared_output, this_outcome
from noisecli.cli.request import manifest_of, refuse_odd_output
from noisecli.cli.tars import finished_at, refuse_in_tars
from noisecli.cli.terminal import say, visible
from noisecli.cli.values import word_of
from noisecli.errors import Refused
from noisecli.exports import EXPORTS, Written, page_of, placing
from noisecli.manifest.destination import runs_in
from noisecli.manifest.finished import FinishedRun, files_of
from noisecli.run.naming import refuse_existing
from noisecli.shards import split_manifest
from noisecli.storage import escape_name, file_at, is_url, stopping
from noisecli.storage.scratch import ScratchFolder
from noisecli.storage.stdout import print_whole

_TABLE = "Output"

TO = o.option(
    _TABLE, "--to", type=word_of([*EXPORTS]), required=True,
    help="Which form: " + "; ".join(f"{name}: {export.help}" for name, export in EXPORTS.items()) + ".",
)  # fmt: skip
OUTPUT = o.option(
    _TABLE, "-o", "--output", metavar="FILE",
    help="Write into a file instead of standard output.",
)  # fmt: skip
ABSOLUTE = o.option(_TABLE, "--absolute", is_flag=True, help="Write absolute paths, not relative to DST.")
METADATA = o.option(
    _TABLE, "--metadata", metavar="SRC",
    help="For hf: merge what metadata.csv and metadata.jsonl in SRC, the folder that was noised, say of each file; "
    "its label replaces that of the folder.",
)  # fmt: skip


@click.command("export", cls=o.SectionedCommand)
@o.FINISHED
@o.apply(TO, OUTPUT, ABSOLUTE, METADATA, o.REPLACE, o.MANIFEST, o.QUIET, o.JSON)
def command(destination: str, **options: Any) -> int:
    """Write a finished run in the form a training library reads.

    pairs, labels and csv are tables in CSV with a header, for pandas and data loaders; hf writes a metadata.jsonl into
    DST, or into each split folder, for Hugging Face's imagefolder and audiofolder. Nothing is written unless every file
    of the manifest is there with its size.

    \b
    noisecli export pairs --to pairs -o pairs.csv      from a run with --with-clean
    noisecli export half --to labels >labels.csv       from a run with --prob, --with-clean or --std 0,25
    noisecli export noisy --to hf
    noisecli export noisy --to hf --metadata photos    with the captions in photos/metadata.csv
    """  # noqa: D301 (click wants the character itself)
    name = options["to"]
    refuse_odd_output(options)
    if EXPORTS[name].suffix is not None and options["output"] is None:
        refuse_shared_output(options, "name a file for the table with -o")
    destination = finished_at(destination, manifest_of(options))
    if name != "csv":
        refuse_in_tars(destination, f"which --to {name} does not point into; --to csv writes the manifest")
    run = FinishedRun(destination, manifest_of(options))
    about = {"kind": run.kind, "to": name, "rows": 0, "files": [], "left_out": run.problems}
    this_outcome().counters = lambda: about
    if EXPORTS[name].suffix is None:
        _refuse_output(name, options)
        _refuse_shard(name, run)
        written = page_of(name, run).write(run, force=options["force"], metadata=options["metadata"])
    else:
        if options["metadata"] is not None:
            raise click.UsageError(f"--metadata: only --to hf merges it, --to {name} does not")
        place = placing(destination, absolute=options["absolute"])
        content = page_of(name, run).content(run, place)
        written = _write_table(run, content, options, has_header=EXPORTS[name].has_header)
    about |= {"rows": written.rows, "files": written.files}
    if not options["quiet"]:
        for path in written.files:
            say(path if EXPORTS[name].suffix is None else f"{written.rows:,} rows: {path}")
        for note in written.notes:
            say(note)
        say_shard(run.manifest)
        if len(run.seen) > 1:
            say(
                f"its rows have {len(run.seen)} settings, spelled out in {run.names.run}; where that mix is not meant, "
                "--prune in a run over all of SRC leaves only its own"
            )
        if run.problems:
            were = "was" if run.problems == 1 else "were"
            say(f"{count(run.problems, 'source')} {were} left out, as failed or skipped; see {run.errors}")
    return 0


def _refuse_output(name: str, options: dict[str, Any]) -> None:
    if options["output"] is not None or options["absolute"]:
        raise click.UsageError(
            f"--output and --absolute: --to {name} writes into DST, with paths relative to its files"
        )


def _refuse_shard(name: str, run: FinishedRun) -> None:
    shard = split_manifest(run.manifest)[1]
    if shard is not None:
        raise Refused(
            f"{escape_name(run.folder)}: --to {name} writes the one list of all outputs, and {run.manifest} is that of "
            f"shard {shard} alone; noisecli merge first"
        )


def _write_table(run: FinishedRun, lines: Iterable[bytes], options: dict[str, Any], *, has_header: bool) -> Written:
    path: str | None = options["output"]
    if path is None:
        if sys.stdout is None:
            raise Refused("standard output is closed here; name a file with --output")
        _print_whole(lines)
        return Written([], 0)
    folder, name = file_at(path)
    if not is_url(path) and not os.path.isdir(folder.location or "."):
        raise Refused(f"{escape_name(path)}: its folder does not exist; create it first")
    refuse_existing(path, force=options["force"])
    _refuse_own(path, run)
    counter = itertools.count(-has_header)
    folder.write_own(name, (line for line, _ in zip(lines, counter, strict=False)))
    return Written([escape_name(path)], next(counter))


def _refuse_own(path: str, run: FinishedRun) -> None:
    """Raise Refused where a file is one of the run's, which --force replaces no more than --depfile does."""
    folder, own = file_at(path)
    if not folder.has(own, follow=True):
        return
    names = [name for files in runs_in(run.folder) for name in files]
    outputs = (name for row in run.parsed() for name in files_of(row))
    for name in itertools.chain(names, run.names, outputs, run.sidecars.rows):
        own = run.files.location_of(run.files.tar_of(name) or name)
        if path == own or (os.path.exists(own) and os.path.samefile(path, own)):
            raise Refused(f"{escape_name(path)}: is a file of the run itself; choose another name")


def _print_whole(lines: Iterable[bytes]) -> None:
    """Print all of it or nothing: the reader of a pipe could not tell half a table from a whole one."""
    on_a_terminal = sys.stdout.isatty()
    with ScratchFolder() as scratch, open(os.path.join(scratch, "table"), "w+b") as spool:
        with stopping(scratch):
            spool.writelines(lines)
            spool.seek(0)
        print_whole(_shown(line) if on_a_terminal else line for line in spool)


def _shown(line: bytes) -> bytes:
    """Return a line whose names a terminal cannot act on; files and pipes get the names themselves."""
    return visible(line.decode().rstrip("\n")).encode() + b"\n"
