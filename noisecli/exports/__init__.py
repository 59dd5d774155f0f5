"""A finished run in the forms that training libraries read: one page and one line of EXPORTS each.

Light: a page is imported when it is asked for.
"""

import os
from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple

from noisecli.errors import Refused
from noisecli.kinds import KINDS, Kind
from noisecli.manifest.finished import FinishedRun
from noisecli.storage import escape_name, from_anywhere

Place = Callable[[str], str]
"""From a name in the manifest to the path that a table gives."""


class Written(NamedTuple):
    """What an export has written: its files, how many rows they hold, and what to know of them."""

    files: list[str]
    rows: int
    notes: tuple[str, ...] = ()


class Export(NamedTuple):
    """One form.

    Attributes
    ----------
    page
        Its module.
    help
        What it is, for the help of --to.
    suffix
        Of the file whose content the page's `content(run: FinishedRun, place: Place) -> Iterator[bytes]` yields, row by
        row; None where its `write(run: FinishedRun, *, force: bool, metadata: str | None) -> Written` writes files
        into the destination.
    columns
        Columns of its table that no other table has all of: by these a table is known that lies in a destination.
    has_header
        Whether its first line is no row.
    takes
        Whether it exports runs of a kind.
    install
        What pip installs for it, where it needs a library of its own.
    """

    page: str
    help: str
    suffix: str | None = ".csv"
    columns: tuple[str, ...] = ()
    has_header: bool = True
    takes: Callable[[Kind], bool] = lambda kind: True
    install: str = ""


EXPORTS = {
    "pairs": Export("noisecli.exports.pairs_csv", "paths of clean and noisy files", columns=("clean", "noisy")),
    "labels": Export("noisecli.exports.labels_csv", "path, 0 or 1, class, level", columns=("file", "label", "level")),
    "csv": Export("noisecli.exports.manifest_csv", "the whole manifest", columns=("file_name", "source", "settings")),
    "hf": Export("noisecli.exports.huggingface", "metadata.jsonl", suffix=None, takes=lambda kind: bool(kind.builder)),
}
"""What --to names."""


def page_of(name: str, run: FinishedRun) -> Any:
    """Return the module that exports a run. Raises Refused for another kind's run, and where a library is missing."""
    export = EXPORTS[name]
    taken = [kind.name for kind in KINDS.values() if export.takes(kind)]
    if run.kind not in taken:
        kinds = f"{', '.join(taken[:-1])} or {taken[-1]}"
        raise Refused(f"{escape_name(run.folder)}: --to {name} exports runs of {kinds}, not of {run.kind}")
    try:
        return import_module(export.page)
    except ImportError as error:
        if not export.install:
            raise
        raise Refused(f"--to {name}: {error}; pip install {export.install}") from error


def placing(folder: str, *, absolute: bool) -> Place:
    """Return how paths are given: relative to the destination, or absolute. Raises Refused for one that is not text."""
    if not absolute:
        return lambda name: name
    root = from_anywhere(folder)
    if escape_name(root) != root:
        raise Refused(f"{escape_name(root)}: is not UTF-8, which tables are written in; omit --absolute")
    return lambda name: os.path.join(root, name)
