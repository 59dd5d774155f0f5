"""Exports that lie in their run's destination, and are not what the manifest says any more."""

import csv
import io
import os
import posixpath
import shlex
import sys
from collections.abc import Collection, Iterator
from hashlib import sha256
from typing import NamedTuple

from noisecli.errors import FileProblem, Refused
from noisecli.exports import EXPORTS, page_of, placing
from noisecli.manifest.entries import Row, read_line
from noisecli.manifest.finished import FinishedRun
from noisecli.storage import escape_name, from_anywhere, is_url

_LONGEST_HEADER = 1 << 16


class Stale(NamedTuple):
    """A file in the destination, and what to do about it."""

    file_name: str
    advice: str


def stale_exports(run: FinishedRun, outputs: Collection[str], *, alone: bool) -> Iterator[Stale]:
    """Yield the metadata.jsonl files, and the tables in the destination's root, that export would write otherwise now.

    Parameters
    ----------
    outputs
        The files that the manifest lists.
    alone
        Whether the destination holds no other run: what names none of the outputs is another's then.
    """
    names = sorted(found.name for found in run.files.files() if found.problem is None and found.sort == "file")
    for name in names:
        if "/" not in name and name.endswith(".csv"):
            yield from _stale_table(run, name, outputs)
    metadata = [name for name in names if posixpath.basename(name) == "metadata.jsonl" and name != run.manifest]
    if metadata:
        yield from _stale_metadata(run, metadata, outputs, alone=alone)


def _stale_table(run: FinishedRun, name: str, outputs: Collection[str]) -> Iterator[Stale]:
    """Yield a table that names outputs of the run, under the columns of one of ours."""
    kind = _kind_of(_content(run, name, _LONGEST_HEADER))
    if kind is None:
        return
    content = _content(run, name)
    paths = _paths_in(content)
    is_absolute = bool(paths) and (os.path.isabs(paths[0]) or is_url(paths[0]))
    root = from_anywhere(run.folder) if is_absolute else ""
    if not any(posixpath.normpath(path.removeprefix(f"{root}/")) in outputs for path in paths):
        return
    digest = sha256()
    try:
        for line in page_of(kind, run).content(run, placing(run.folder, absolute=is_absolute)):
            digest.update(line)
    except Refused as refusal:
        yield Stale(name, f"export refuses it now: {refusal}")
        return
    if digest.digest() != sha256(content).digest():
        place = ["-o", run.files.location_of(name), "--force"]
        yield Stale(name, _command(run, ["--to", kind, *["--absolute"] * is_absolute, *place]))


def _kind_of(beginning: bytes) -> str | None:
    header = set(beginning.partition(b"\n")[0].decode(errors="replace").split(","))
    return next((kind for kind, form in EXPORTS.items() if form.columns and {*form.columns} <= header), None)


def _paths_in(table: bytes) -> list[str]:
    """Return what is in the first two columns, paths among it; nothing where it is no table."""
    try:
        rows = list(csv.reader(io.StringIO(table.decode(), newline="")))
        return [cell for row in rows[1:] for cell in row[:2]]
    except (UnicodeDecodeError, csv.Error):
        return []


def _stale_metadata(run: FinishedRun, names: list[str], outputs: Collection[str], *, alone: bool) -> Iterator[Stale]:
    """Yield what `--to hf` wrote, for these outputs, and would write otherwise now, whatever else is in its lines."""
    from noisecli.exports.huggingface import FILE, Lines, is_ours

    written = {name: _content(run, name).splitlines() for name in names}
    ours = {
        name: iter(lines)
        for name, lines in written.items()
        if lines and is_ours(read_line(lines[0])) and (alone or _names_one(name, lines, outputs))
    }
    if not ours:
        return
    differing: set[str] = set()
    try:
        for folder, entry in Lines(run).entries():
            name = posixpath.join(folder, FILE)
            if name not in ours or not _says(read_line(next(ours[name], b"")), entry):
                differing.add(name)
    except Refused as refusal:
        yield from (Stale(name, f"export refuses it now: {refusal}") for name in ours)
        return
    differing |= {name for name, rest in ours.items() if next(rest, None) is not None}
    merged = any({*read_line(lines[0])} - {*entry, "label"} for name, lines in written.items() if name in ours)
    # lines of what is gone look like lines that were added by hand
    gone = any(not _names_all(name, lines, outputs) for name, lines in written.items() if name in ours)
    command = _command(run, ["--to", "hf", *["--metadata", "SRC"] * merged, *["--force"] * gone])
    yield from (Stale(name, command) for name in sorted(differing))


def _names_all(name: str, lines: list[bytes], outputs: Collection[str]) -> bool:
    folder = posixpath.dirname(name)
    return all(posixpath.join(folder, str(read_line(line).get("file_name"))) in outputs for line in lines)


def _names_one(name: str, lines: list[bytes], outputs: Collection[str]) -> bool:
    folder = posixpath.dirname(name)
    return any(posixpath.join(folder, str(read_line(line).get("file_name"))) in outputs for line in lines)


def _says(line: Row, entry: Row) -> bool:
    """Whether a line has all that is expected; a label may be the source's own."""
    return all(line.get(key) == value for key, value in entry.items() if key != "label")


def _content(run: FinishedRun, name: str, most: int = sys.maxsize) -> bytes:
    """Return a file's content, or its beginning; nothing where it cannot be read."""
    try:
        with run.files.open(name) as file:
            return os.pread(file.fileno(), min(most, file.size), 0)
    except (FileProblem, OSError):
        return b""


def _command(run: FinishedRun, words: list[str]) -> str:
    manifest = [] if run.manifest == "manifest.jsonl" else ["--manifest", run.manifest]
    shown = " ".join(shlex.quote(escape_name(word)) for word in [run.folder, *words, *manifest])
    return f"write it again: noisecli export {shown}"
