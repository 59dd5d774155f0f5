"""Tables as CSV: pairs for denoisers, labels for detectors and classifiers, the whole manifest for everybody else."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from noisecli.errors import Refused
from noisecli.exports.labels import class_of
from noisecli.manifest.entries import Row
from noisecli.manifest.finished import FinishedRun
from noisecli.storage import escape_name

Place = Callable[[str], str]
"""From a name in the manifest to the path that a table tells."""
Cells = Sequence[str]

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a spreadsheet takes for the beginning of a formula, in the full width of East Asian keyboards too."""
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?\Z", re.ASCII)


def pairs(run: FinishedRun, place: Place) -> Iterator[Cells]:
    """Yield clean and noisy path of every output. Raises Refused where there are no clean files."""
    yield "clean", "noisy"
    for row in run.rows():
        yield _path(place(_clean(row, run))), _path(place(row["file_name"]))


def labels(run: FinishedRun, place: Place) -> Iterator[Cells]:
    """Yield every file with 1 where it has noise and 0 where it has none, and its class.

    A clean file stands before its noisy one. Raises Refused where the run tells no clean file from a noisy one.
    """
    with_clean, by_chance = run.was_asked("with_clean", False), run.was_asked("probability", 1.0)
    if not with_clean and not by_chance:
        raise Refused(
            f"{escape_name(run.folder)}: has no clean files to tell from noisy ones; "
            "make it with --with-clean, or with --prob 0.5"
        )
    yield "file", "label", "class"
    for row in run.rows():
        if with_clean and not by_chance:
            _clean(row, run)
        if row.get("clean_file_name") is not None:
            yield _path(place(row["clean_file_name"])), "0", _text(class_of(row))
        yield _path(place(row["file_name"])), str(int(bool(row.get("applied", True)))), _text(class_of(row))


def whole(run: FinishedRun, place: Place) -> Iterator[Cells]:
    """Yield everything the manifest tells, and the class.

    Lists of numbers are joined by x (512x768x3), lists of words by a space; what is deeper stays JSON, null is empty.
    """
    columns = run.columns
    yield *map(_text, columns), "class"
    for row in run.rows():
        named = {key: _path(place(row[key])) for key in ("file_name", "clean_file_name") if row.get(key) is not None}
        if row.get("source"):
            named["source"] = _path(row["source"])
        yield *(named[key] if key in named else _cell(row.get(key)) for key in columns), _text(class_of(row))


TABLES: dict[str, Callable[[FinishedRun, Place], Iterator[Cells]]] = {"pairs": pairs, "labels": labels, "csv": whole}


def placing(folder: str, *, absolute: bool) -> Place:
    """Return how paths are told: relative to the destination, or absolute. Raises Refused for what is no text."""
    if not absolute:
        return lambda name: name
    root = os.path.abspath(folder)
    if escape_name(root) != root:
        raise Refused(f"{escape_name(root)}: is no UTF-8, which tables are written in; leave --absolute away")
    return lambda name: os.path.join(root, name)


def as_csv(table: Iterable[Cells]) -> Iterator[bytes]:
    """Yield a table as lines of CSV in UTF-8, quoted where it must be."""
    buffer = io.StringIO(newline="")
    # with this end of line a bare carriage return is quoted too; the lines themselves end as everywhere on Unix
    writer = csv.writer(buffer, lineterminator="\r\n")
    for cells in table:
        writer.writerow(cells)
        yield buffer.getvalue().removesuffix("\r\n").encode() + b"\n"
        buffer.seek(0)
        buffer.truncate()


def _clean(row: Row, run: FinishedRun) -> str:
    name: str | None = row.get("clean_file_name")
    if name is None:
        raise Refused(
            f"{escape_name(run.folder)}: {row['file_name']} has no clean file beside it; make the run with --with-clean"
        )
    return name


def _path(name: str) -> str:
    """Return a path that no spreadsheet takes for a formula, and that leads to the same file."""
    return f"./{name}" if name.startswith(_FORMULA) else name


def _text(cell: str) -> str:
    """Return a text that no spreadsheet takes for a formula; numbers stay numbers."""
    return f"'{cell}" if cell.startswith(_FORMULA) and not _NUMBER.match(cell) else cell


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, list) and all(isinstance(item, int) and not isinstance(item, bool) for item in value):
        return _text("x".join(map(str, value)))
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return _text(" ".join(value))
    return json.dumps(value, ensure_ascii=False)
