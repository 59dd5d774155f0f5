"""noisecli export."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Iterable
from typing import Any

import click

from noisecli.cli import options as o
from noisecli.cli.request import manifest_of
from noisecli.cli.terminal import say, visible
from noisecli.errors import Refused
from noisecli.exports.huggingface import BUILDERS, write_metadata
from noisecli.exports.tables import TABLES, as_csv, placing
from noisecli.manifest.finished import FinishedRun
from noisecli.run.naming import refuse_existing
from noisecli.storage import escape_name, stopping, write_whole
from noisecli.storage.scratch import ScratchFolder
from noisecli.storage.stdout import print_whole

_TABLE = "The table"

TO = click.option(
    "--to", cls=o.SectionedOption, section=_TABLE, type=click.Choice([*TABLES, "hf"]), required=True,
    help="pairs: clean, noisy. labels: file, 0 or 1, class. csv: all of the manifest. hf: metadata.jsonl.",
)  # fmt: skip
OUTPUT = click.option(
    "-o", "--output", cls=o.SectionedOption, section=_TABLE, metavar="FILE",
    help="Write into a file instead of standard output.",
)  # fmt: skip
ABSOLUTE = click.option(
    "--absolute", cls=o.SectionedOption, section=_TABLE, is_flag=True, help="Absolute paths instead of relative to DST."
)
FORCE = click.option(
    "--force", cls=o.SectionedOption, section=_TABLE, is_flag=True, help="Replace a file that stands there."
)


@click.command("export", cls=o.SectionedCommand)
@click.argument("destination", metavar="DST", type=click.Path(path_type=str))
@o.apply(TO, OUTPUT, ABSOLUTE, FORCE, o.MANIFEST, o.QUIET)
def command(destination: str, **words: Any) -> int:
    """Tell a finished run in the form a training library reads.

    pairs, labels and csv are tables in CSV with a header, for pandas and data loaders; hf writes a metadata.jsonl into
    DST, one in each split folder, for Hugging Face's imagefolder and audiofolder. Nothing is written unless every file
    of the manifest is there with its size.

    \b
    noisecli export pairs --to pairs -o pairs.csv      from a run with --with-clean
    noisecli export half --to labels >labels.csv       from a run with --prob, or --with-clean
    noisecli export noisy --to hf
    """  # noqa: D301 (click wants the character itself)
    run = FinishedRun(destination, manifest_of(words))
    if words["to"] == "hf":
        told = _export_metadata(run, words)
    else:
        lines = as_csv(TABLES[words["to"]](run, placing(destination, absolute=words["absolute"])))
        told = _export_table(lines, words)
    if not words["quiet"]:
        for line in told:
            say(line)
        if run.problems:
            number = f"{run.problems:,} {'source' if run.problems == 1 else 'sources'}"
            say(f"{number} failed or skipped are not in it; {run.errors} has them")
    return 0


def _export_metadata(run: FinishedRun, words: dict[str, Any]) -> list[str]:
    if words["output"] is not None or words["absolute"]:
        raise click.UsageError(
            "--output and --absolute: hf's files belong beside the pictures or sounds, relative to them"
        )
    names = write_metadata(run, force=words["force"])
    loading = f'load_dataset("{BUILDERS[run.kind]}", data_dir=...)'
    return [*(escape_name(os.path.join(run.folder, name)) for name in names), f"read them with {loading}"]


def _export_table(lines: Iterable[bytes], words: dict[str, Any]) -> list[str]:
    path: str | None = words["output"]
    if path is None:
        if sys.stdout is None:
            raise Refused("standard output is closed here; name a file with --output")
        _print_whole(lines)
        return []
    if not os.path.isdir(os.path.dirname(path) or "."):
        raise Refused(f"{escape_name(path)}: its folder is not there; make it first")
    refuse_existing(path, force=words["force"])
    counter = itertools.count(-1)
    write_whole(path, (line for line, _ in zip(lines, counter, strict=False)))
    return [f"{next(counter):,} rows: {escape_name(path)}"]


def _print_whole(lines: Iterable[bytes]) -> None:
    """Print all of it or nothing: who reads it from a pipe could not tell half a table from a whole one."""
    on_a_terminal = sys.stdout.isatty()
    with ScratchFolder() as scratch, open(os.path.join(scratch, "table"), "w+b") as spool:
        with stopping(scratch):
            spool.writelines(lines)
            spool.seek(0)
        print_whole(_shown(line) if on_a_terminal else line for line in spool)


def _shown(line: bytes) -> bytes:
    """A terminal gets names that it cannot act on; files and pipes get the names themselves."""
    return visible(line.decode().rstrip("\n")).encode() + b"\n"
