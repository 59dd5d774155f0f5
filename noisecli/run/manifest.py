"""The journal while running, sorted rows at the end. Only the parent process writes here."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
from collections.abc import Iterable, Iterator
from functools import cached_property, partial
from typing import Any, NamedTuple, Self

from noisecli.errors import Stopped
from noisecli.model import Made, Problem, Survival, Task
from noisecli.run.destination import Names, read_run
from noisecli.run.lock import open_locked
from noisecli.storage import TEMPORARY_PREFIX, stays_below, stopping, write_whole

_NAME = re.compile(rb'\{"file_name": "((?:[^"\\]|\\.)*)"')


class _Place(NamedTuple):
    """Where a row stands: in the old manifest or in the journal."""

    in_journal: bool
    offset: int
    length: int


class Ledger:
    """What stands in a destination: rows of earlier runs, rows of this one, and what is intended.

    Opening it takes the lock. Use as a context manager; without publish() the journal stays, and the next run goes on
    from it.
    """

    def __init__(self, destination: str, names: Names, *, fsync: bool) -> None:
        self._destination, self._names, self._fsync = destination, names, fsync
        self.folder_was_there = os.path.isdir(destination)
        try:
            os.makedirs(destination, exist_ok=True)
            self._journal = open_locked(self._path(names.journal))
        except OSError as error:
            raise Stopped(f"{destination}: cannot be written: {error.strerror}") from error
        self._manifest = self._open_manifest()
        self._places: dict[str, _Place] = {}
        self.intended: dict[str, str | None] = {}
        self.foreign: set[str] = set()
        self.killed_runs: list[str] = []
        self._untold = False
        self.survival: dict[str, Survival | None] = {}
        self.problems: dict[str, Problem] = {}
        self.previous_run = read_run(self._path(names.run)) or {}
        self.versions: dict[str, str] = dict(self.previous_run.get("versions", {}))
        self.settings: dict[str, Any] = dict(self.previous_run.get("settings", {}))
        self.found_journal = os.fstat(self._journal).st_size > 0
        self._read_all()
        told = self.previous_run.get("totals", {}).get("outputs", 0)
        self._rows_lost = isinstance(told, int) and len(self._places) < told

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for fd in (self._journal, self._manifest):
            if fd >= 0:
                os.close(fd)
        self._journal = self._manifest = -1

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, output: str) -> bool:
        return output in self._places

    def _path(self, name: str) -> str:
        return os.path.join(self._destination, name)

    def _open_manifest(self) -> int:
        path = self._path(self._names.manifest)
        with stopping(path), contextlib.suppress(FileNotFoundError):
            return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        return -1

    def _read_all(self) -> None:
        self.survival.update(self.previous_run.get("survival", {}))
        if self._manifest >= 0:
            for offset, line in _lines(self._manifest):
                self._take_row(False, offset, line)
        path = self._path(self._names.errors)
        with stopping(path), contextlib.suppress(FileNotFoundError), open(path, "rb") as file:
            for line in file:
                self._take_problem(_parsed(line))
        line = b""
        for offset, line in _lines(self._journal):
            self._take_journal_line(offset, line)
        if line and not line.endswith(b"\n"):
            self._append("")

    def _take_row(self, in_journal: bool, offset: int, line: bytes) -> None:
        match = _NAME.match(line)
        if match is None:
            self._untold = True
            return
        name: str = (
            _parsed(match[0] + b"}").get("file_name", "") if b"\\" in match[1] else match[1].decode(errors="replace")
        )
        if not stays_below(name):
            self._untold = True
        elif line.endswith(b"}\n"):
            self._places[name] = _Place(in_journal, offset, len(line))
            self.intended.pop(name, None)
        else:
            # a torn line: the output is ours, but must be made again
            self.intended[name] = None

    def _take_journal_line(self, offset: int, line: bytes) -> None:
        if line.startswith(b'{"file_name"'):
            self._take_row(True, offset, line)
            return
        entry = _parsed(line)
        for output, clean in entry.get("intended", {}).items():
            if stays_below(output) and (clean is None or stays_below(clean)):
                self.intended[output] = clean
        self.foreign.update(entry.get("foreign", ()))
        self.survival.update(entry.get("survival", {}))
        self.versions.update(entry.get("versions", {}))
        self.settings.update(entry.get("settings", {}))
        if entry.get("temporaries", "").startswith(TEMPORARY_PREFIX):
            self.killed_runs.append(entry["temporaries"])
        self._take_problem(entry)

    def _take_problem(self, entry: dict[str, Any]) -> None:
        if "reason" in entry:
            with contextlib.suppress(TypeError):
                problem = Problem(**entry)
                self.problems[problem.source] = problem

    def is_ours(self, output: str) -> bool:
        """Whether a run made this output, or one that was interrupted meant to, or its row may be lost to damage."""
        known = self._rows_lost or output in self._places or output in self.intended
        return known or output in self.intended.values() or output in self._clean_outputs

    @cached_property
    def _clean_outputs(self) -> frozenset[str]:
        rows = map(_parsed, self.rows())
        return frozenset(row["clean_file_name"] for row in rows if "clean_file_name" in row)

    def row(self, output: str) -> dict[str, Any] | None:
        """Return the row of an output, if there is one that can be read."""
        place = self._places.get(output)
        if place is None:
            return None
        row = _parsed(self._bytes(place))
        if not stays_below(str(row.get("clean_file_name", "clean"))):
            del row["clean_file_name"]
        return row

    def outputs(self) -> list[str]:
        """Return the names of all outputs with a row."""
        return list(self._places)

    def _bytes(self, place: _Place) -> bytes:
        return os.pread(self._journal if place.in_journal else self._manifest, place.length, place.offset)

    def begin(self, prefix: str, settings: dict[str, Any]) -> None:
        """Note how the names of this run's temporary files begin, and its settings by their key."""
        self._prefix = prefix
        self.settings.update(settings)
        self._append(json.dumps({"temporaries": prefix, "settings": settings}))

    def intend(self, tasks: Iterable[Task], *, force: bool) -> None:
        """Note outputs before they are made, so that an interrupted run's leftovers are known as ours.

        What `force` allows to replace is noted apart: until it is replaced, it is not ours to remove.
        """
        new = {task.output: task.clean_output for task in tasks}
        foreign: list[str] = []
        if force:
            names = filter(None, itertools.chain(new, new.values()))
            foreign = [name for name in names if not self.is_ours(name) and os.path.lexists(self._path(name))]
        self.intended.update(new)
        self.foreign.update(foreign)
        self._append(json.dumps({"intended": new, "foreign": foreign} if foreign else {"intended": new}))

    def note_versions(self, versions: dict[str, str]) -> None:
        """Note the libraries that make the outputs."""
        if versions.items() - self.versions.items():
            self.versions.update(versions)
            self._append(json.dumps({"versions": versions}))

    def note_made(self, made: Made) -> None:
        """Note an output that stands."""
        offset, length = self._append(made.row)
        self._places[made.output] = _Place(True, offset, length)
        self.intended.pop(made.output, None)
        if made.survival:
            self.survival.update(made.survival)
            self._append(json.dumps({"survival": made.survival}))

    def note_problem(self, problem: Problem) -> None:
        """Note a source that failed or was skipped."""
        self.problems[problem.source] = problem
        self._append(json.dumps(problem.as_entry()))

    def forget(self, output: str) -> None:
        """Drop the row of an output that is gone."""
        self._untold = True
        self._places.pop(output, None)

    def _append(self, line: str) -> tuple[int, int]:
        data = line.encode() + b"\n"
        try:
            written = os.write(self._journal, data)
            if written != len(data):
                raise OSError(28, "No space left on device")
            if self._fsync:
                os.fsync(self._journal)
        except OSError as error:
            raise Stopped(f"{self._path(self._names.journal)}: {error.strerror}; run again to go on") from error
        return os.lseek(self._journal, 0, os.SEEK_CUR) - len(data), len(data)

    def rows(self) -> Iterator[bytes]:
        """Yield all rows as lines, sorted by file_name."""
        for output in sorted(self._places):
            yield self._bytes(self._places[output])

    def publish(self, run: dict[str, Any]) -> None:
        """Write manifest, errors and run.json, each atomically, then take the journal away."""
        write = partial(write_whole, prefix=self._prefix, fsync=self._fsync)
        write(self._path(self._names.manifest), self.rows())
        if self.problems:
            lines = (_line(self.problems[source].as_entry()) for source in sorted(self.problems))
            write(self._path(self._names.errors), lines)
        else:
            self._remove(self._names.errors)
        text = json.dumps(run, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        write(self._path(self._names.run), [text.encode()])
        self._remove(self._names.journal)

    def _remove(self, name: str) -> None:
        with stopping(self._path(name)), contextlib.suppress(FileNotFoundError):
            os.unlink(self._path(name))

    @property
    def dirty(self) -> bool:
        """Whether there is anything that the manifest and what goes with it do not say yet."""
        return self._untold or self.found_journal or bool(self.intended) or bool(self.problems) or self._names_missing()

    def _names_missing(self) -> bool:
        errors = os.path.exists(self._path(self._names.errors))
        return errors or not all(os.path.exists(self._path(name)) for name in (self._names.manifest, self._names.run))

    def leave_as_it_was(self) -> None:
        """Take the journal away, which says nothing new."""
        self._remove(self._names.journal)

    def abandon(self) -> None:
        """Take a journal away that holds nothing, after a refusal."""
        if not self.found_journal:
            self._remove(self._names.journal)
        if not self.folder_was_there:
            with contextlib.suppress(OSError):
                os.rmdir(self._destination)


def _lines(fd: int) -> Iterator[tuple[int, bytes]]:
    offset = 0
    # closing any descriptor of the journal, a duplicate too, would let go of its lock
    with os.fdopen(fd, "rb", closefd=False) as file:
        file.seek(0)
        for line in file:
            yield offset, line
            offset += len(line)


def _line(entry: dict[str, Any]) -> bytes:
    return json.dumps(entry, ensure_ascii=False).encode() + b"\n"


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        content = json.loads(line.decode())  # given bytes, it would guess their encoding first
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
