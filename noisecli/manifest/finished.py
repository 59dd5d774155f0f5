"""A finished run, its rows read one by one: there may be a million."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from noisecli.errors import Refused
from noisecli.manifest.destination import Names, read_run
from noisecli.manifest.entries import is_inside
from noisecli.storage import escape_name, open_regular

Row = dict[str, Any]

_MOST = 1e300
_SPLIT = re.compile(
    r"(?:^|[-._ 0-9])(?:train|training|validation|valid|val|dev|test|testing|eval|evaluation)(?:[-._ 0-9]|$)"
)
"""Folders that stand for a part of a dataset, not for a class, by the words that Hugging Face datasets knows them."""


class FinishedRun:
    """A destination whose run came to its end.

    Raises Refused from the constructor where it did not, or is none of ours.

    Attributes
    ----------
    folder, manifest
        The destination, and its manifest's name.
    errors
        The name of its list of problems.
    kind
        What was made: "images", "audio" and so on.
    """

    def __init__(self, folder: str, manifest: str) -> None:
        self.folder, self.manifest = folder, manifest
        self._shown = escape_name(folder)
        names = Names.of(manifest)
        self.errors = names.errors
        if os.path.lexists(os.path.join(folder, names.journal)):
            raise Refused(f"{self._shown}: its run was interrupted, or goes on; run the same command again, to its end")
        run = read_run(os.path.join(folder, names.run))
        if run is None:
            raise Refused(f"{self._shown}: holds no {names.run} of noisecli; name a folder it wrote, or its --manifest")
        if not os.path.exists(os.path.join(folder, manifest)):
            raise Refused(f"{self._shown}: its {manifest} is gone; run the same command again")
        self.kind = str(run.get("kind"))
        self._settings: dict[str, Any] = run["settings"]
        self._expected = run["totals"].get("outputs")
        told = (run["totals"].get(word, 0) for word in ("failed", "skipped"))
        self.problems = sum(number for number in told if isinstance(number, int))

    def was_asked(self, setting: str, usual: object) -> bool:
        """Whether any of the run's settings has another value than the usual one."""
        return any(isinstance(told, dict) and told.get(setting, usual) != usual for told in self._settings.values())

    def rows(self) -> Iterator[Row]:
        """Yield the rows in the manifest's order, each of whose files is there with its size.

        Raises Refused at the first that is not: half a table is worse than none.
        """
        count = 0
        for row in self._parsed():
            count += 1
            for name, size in (
                (row["file_name"], row.get("bytes")),
                (row.get("clean_file_name"), row.get("clean_bytes")),
            ):
                if name is not None:
                    self._require_file(name, size)
            yield row
        if count != self._expected:
            raise Refused(
                f"{self._shown}: {self.manifest} has {count:,} rows, its run.json counts {self._expected}; "
                "run the same command again"
            )

    def _parsed(self) -> Iterator[Row]:
        with open_regular(os.path.join(self.folder, self.manifest)) as file:
            for number, line in enumerate(file, 1):
                try:
                    row = json.loads(line)
                except (ValueError, RecursionError):
                    row = None
                if not isinstance(row, dict) or not _is_sound(row) or (b"\\ud" in line and not _is_text(row)):
                    raise Refused(
                        f"{self._shown}: line {number} of {self.manifest} is no row; run the same command again"
                    )
                yield row

    def _require_file(self, name: str, size: object) -> None:
        path = os.path.join(self.folder, name)
        try:
            standing = os.stat(path).st_size
        except OSError as error:
            raise Refused(f"{escape_name(path)}: {error.strerror}; run the same command again") from None
        if isinstance(size, int) and standing != size:
            raise Refused(f"{escape_name(path)}: is not what its row says; noisecli verify tells more")

    @cached_property
    def columns(self) -> list[str]:
        """The keys of all rows, in the order they first come."""
        keys: dict[str, None] = {}
        for row in self._parsed():
            keys.update(dict.fromkeys(row))
        return list(keys)


def _is_sound(row: Row) -> bool:
    """Whether what exports read of a row is of the kind that noisecli writes."""
    numbers = (row.get(key) for key in ("copy", "std", "std_fraction", "measured_std"))
    return (
        all(map(is_inside, _names(row)))
        and (row.get("source") is None or (is_inside(row["source"]) and "\0" not in row["source"]))
        and all(number is None or (isinstance(number, int | float) and abs(number) < _MOST) for number in numbers)
    )


def _is_text(row: Row) -> bool:
    """Whether a row can be written as UTF-8: JSON may spell half of a character."""
    try:
        json.dumps(row, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _names(row: Row) -> list[object]:
    return [row.get("file_name"), *([row["clean_file_name"]] if row.get("clean_file_name") is not None else [])]


def part_of(row: Row) -> tuple[str, list[str]]:
    """Return the folders of a source: those down to the one that names a split, joined, and those below it."""
    folders = str(row.get("source") or "").split("/")[:-1]
    for number, folder in enumerate(folders, 1):
        if _SPLIT.search(folder.lower()):
            return "/".join(folders[:number]), folders[number:]
    return "", folders


def class_of(row: Row) -> str:
    """Return the folder that a source lies in: the class, where folders are classes; empty where there is none."""
    below = part_of(row)[1]
    return below[-1] if below else ""
