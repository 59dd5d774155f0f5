"""Finished runs, their rows read one by one: there may be a million."""

import errno
import json
import os
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from noisecli.errors import Refused
from noisecli.manifest.destination import Names, is_finished, read_run, runs_in
from noisecli.manifest.entries import Row, read_line
from noisecli.manifest.shards import hint_of_shards
from noisecli.manifest.sidecars import SideRecord, known_lists
from noisecli.model.files import BESIDE, listed_files
from noisecli.storage import Folder, escape_name, folder_at, is_inside, is_text

_MOST = 1e300
_NUMBERS = ("copy", "drawn", "std", "std_fraction", "measured_std")


class RecordedRun:
    """A manifest and the run.json beside it, whatever they hold.

    Attributes
    ----------
    folder, files
        The destination: its path or URL, and what it holds.
    content
        What run.json holds; None where there is none of ours.
    is_interrupted
        Whether there is a journal: the run did not come to its end, or goes on.
    """

    def __init__(self, folder: str, manifest: str) -> None:
        self.folder, self.manifest = folder, manifest
        self.files, self.names = folder_at(folder), Names.of(manifest)
        self.is_interrupted = self.files.has(self.names.journal)
        self.content = read_run(self.files, self.names.run)
        self.has_manifest = self.files.has(manifest, follow=True)

    def refuse_unfinished(self) -> None:
        """Raise Refused where the run did not come to its end: what it has not done yet is no difference."""
        shown = escape_name(self.folder)
        if self.is_interrupted:
            raise Refused(f"{shown}: its run was interrupted, or goes on; run the same command again, to its end")
        if self.content is not None and not is_finished(self.content):
            raise Refused(
                f"{shown}: its run was stopped before its end; run the same command again (where a broken file stopped "
                "it, without --on-error stop and --max-failures)"
            )

    @cached_property
    def sidecars(self) -> SideRecord:
        """The side files on record."""
        return SideRecord(self.files, self.names.sidecars, known_lists(self.content or {}))

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Yield the lines of the manifest, each behind its number."""
        with self.files.open_own(self.manifest) as file:
            yield from enumerate(file, 1)


class FinishedRun(RecordedRun):
    """A destination whose run came to its end. Raises Refused where it did not, or is none of ours.

    `errors` is the name of its list of problems, `survival` what lossy outputs kept of their noise, by name. With
    `whole`, rows() looks for the files of every row.
    """

    def __init__(self, folder: str, manifest: str, *, whole: bool = True) -> None:
        super().__init__(folder, manifest)
        self._whole = whole
        self._shown, self.errors = escape_name(folder), self.names.errors
        self.refuse_unfinished()
        if self.content is None:
            run, shards = self.names.run, hint_of_shards(folder, manifest)
            if shards is not None:
                raise Refused(f"{self._shown}: {shards}")
            raise Refused(f"{self._shown}: holds no {run} of noisecli; name a folder it wrote, or its --manifest")
        if not self.has_manifest:
            raise Refused(f"{self._shown}: its {manifest} is gone; run the same command again")
        self.kind = str(self.content.get("kind"))
        self.survival: dict[str, Any] = self.content["survival"]
        self._settings: dict[str, Any] = self.content["settings"]
        totals = self.content["totals"]
        self._expected = totals.get("outputs")
        self.seen = set[str]()
        """The hashes of the settings of all rows that were read."""
        self.problems = sum(n for n in (totals.get("failed"), totals.get("skipped")) if isinstance(n, int))

    def was_asked(self, setting: str, usual: object) -> bool:
        """Whether any of the run's settings has another value than the usual one."""
        tables = (table for table in self._settings.values() if isinstance(table, dict))
        return any(table.get(setting, usual) != usual for table in tables)

    @cached_property
    def looks(self) -> Folder:
        """The destination, for many looks at what is there now."""
        return self.files.survey()

    def rows(self) -> Iterator[Row]:
        """Yield the rows in the manifest's order, each of whose files is there with its size.

        Raises Refused at the first that is not: half a table is worse than none.
        """
        count = 0
        for row in self.parsed():
            count += 1
            if self._whole:
                for file in listed_files(row):
                    self._require_file(file.name, file.bytes)
            yield row
        if count != self._expected:
            raise Refused(
                f"{self._shown}: {self.manifest} has {count:,} rows, its run.json counts {self._expected}; "
                "run the same command again"
            )

    def parsed(self) -> Iterator[Row]:
        """Yield the rows, whether their files are there or not. Raises Refused at the first that is no row of ours."""
        for number, line in self.lines():
            row = read_line(line)
            if not _is_valid(row) or (b"\\ud" in line and not is_text(json.dumps(row, ensure_ascii=False))):
                raise Refused(f"{self._shown}: line {number} of {self.manifest} is no row; run the same command again")
            self.seen.add(str(row.get("settings")))
            yield row

    def _require_file(self, name: str, size: object) -> None:
        shown = escape_name(self.files.location_of(name))
        try:
            found = self.looks.look(name, follow=True)
        except OSError as error:
            raise Refused(f"{shown}: {error.strerror}; run the same command again") from None
        if found is None:
            raise Refused(f"{shown}: {os.strerror(errno.ENOENT)}; run the same command again")
        if isinstance(size, int) and found.st_size != size:
            raise Refused(f"{shown}: is not what its row says; noisecli verify says more")

    @cached_property
    def columns(self) -> list[str]:
        """The keys of all rows, in the order they first come."""
        keys: dict[str, None] = {}
        for row in self.parsed():
            keys.update(dict.fromkeys(row))
        return list(keys)


def manifests_in(folder: str) -> list[str]:
    """Return the manifests of all finished runs in a folder, sorted."""
    files = folder_at(folder)
    return sorted(n.manifest for n in runs_in(folder) if files.is_file(n.manifest) and read_run(files, n.run))


def files_of(row: Row) -> list[str]:
    """Return the files that a row lists; none where one of them leads out of the folder."""
    names = [row.get("file_name"), *(row[keys.name] for keys in BESIDE if keys.name in row)]
    return [str(name) for name in names] if all(map(is_inside, names)) else []


def _is_valid(row: Row) -> bool:
    """Whether what exports read of a row is of the kind that noisecli writes."""
    names = [name for key in (*(keys.name for keys in BESIDE), "source") if (name := row.get(key)) is not None]
    numbers = (row.get(key) for key in _NUMBERS)
    return all(map(is_inside, (row.get("file_name"), *names))) and all(
        number is None or (isinstance(number, int | float) and abs(number) < _MOST) for number in numbers
    )
