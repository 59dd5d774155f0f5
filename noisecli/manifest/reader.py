"""What a destination records of itself: the manifest, and the journal of a run that did not end."""

from __future__ import annotations

import contextlib
import io
import itertools
import os
from collections.abc import Iterator
from functools import cached_property
from typing import Any, BinaryIO, NamedTuple, Self

from noisecli.errors import Stopped
from noisecli.manifest.destination import Names, read_run, runs_in
from noisecli.manifest.entries import (
    Begun,
    Row,
    count_sources,
    is_plain,
    name_of_row,
    parse,
    parse_problem,
    parse_row,
    read_settings,
    read_survival,
    texts,
    to_line,
)
from noisecli.manifest.lock import is_held
from noisecli.manifest.sidecars import SideRecord, known_lists
from noisecli.model import Problem, Survival
from noisecli.model.files import listed_files
from noisecli.storage import folder_at, stopping

CLOSED = -1
_PROOF_LENGTH = 32
SIDECAR = b'{"sidecar"'
"""How a line of the journal begins that says which side file is about to be put in place."""
LIST = b'{"list"'
"""How one begins that says which list of side files, by its digest, is about to be written."""


class RowPosition(NamedTuple):
    """Where a row is: in the manifest or in the journal."""

    in_journal: bool
    offset: int
    length: int


class ManifestReader:
    """The rows of a destination, and what else is recorded there. Reading takes no lock and changes nothing.

    Attributes
    ----------
    intended
        Outputs that a run meant to make and no row lists yet, and the files beside each.
    rows_lost
        Whether run.json counts more rows than there are.
    sources
        From how many folders the outputs were made.
    needs_rewrite
        Whether the manifest is not as noisecli writes it: it holds other lines, or lines of another form.
    """

    own_by_word: frozenset[str] = frozenset()
    """Files that no row lists, and that say of themselves that noisecli put them there."""
    folder_was_there = True
    """Whether the destination existed before this was opened."""

    def __init__(self, destination: str, names: Names, journal: int = CLOSED) -> None:
        self._files, self._names, self._journal = folder_at(destination), names, journal
        self._manifest = self._open(names.manifest)
        self._positions: dict[str, RowPosition] = {}
        self.needs_rewrite = False
        self.previous_run = read_run(self._files, names.run) or {}
        self.problems: dict[str, Problem] = {}
        self.begun = Begun()
        totals = self.previous_run.get("totals", {})
        known = known_lists(self.previous_run) + [
            str(parse(line).get("list")) for _, line in self._journal_lines() if line.startswith(LIST)
        ]
        self.sidecars = SideRecord(self._files, names.sidecars, known)
        self._read_manifest()
        self._read_problems()
        self._read_journal()
        self.intended = self.begun.intended
        self.survival: dict[str, Survival | None] = read_survival(self.previous_run.get("survival"))
        self.survival |= self.begun.survival
        self.versions = texts(self.previous_run.get("versions")) | self.begun.versions
        self.settings: dict[str, Any] = read_settings(self.previous_run.get("settings")) | self.begun.settings
        self.sources = max(self.begun.sources, count_sources(self.previous_run))
        counted = totals.get("outputs", 0)
        self.rows_lost = isinstance(counted, int) and len(self._positions) < counted

    @classmethod
    def look(cls, destination: str, names: Names) -> ManifestReader:
        """Read a destination that somebody else may be writing into."""
        path = folder_at(destination).journals().location_of(names.journal)
        journal = CLOSED
        with stopping(path), contextlib.suppress(FileNotFoundError, NotADirectoryError):
            journal = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        reader = cls(destination, names, journal)
        reader.folder_was_there = folder_at(destination).exists()
        return reader

    @property
    def has_journal(self) -> bool:
        """Whether the journal is on this machine: a run into a store has it where it goes on."""
        return self._journal != CLOSED

    def is_held(self) -> bool:
        """Whether another process has a run there that goes on."""
        with stopping(self._path(self._names.journal)):
            return self._journal != CLOSED and is_held(self._journal)

    @classmethod
    def others(cls, destination: str, own: Names) -> Iterator[tuple[Names, ManifestReader]]:
        """Yield the other manifests that a destination shows signs of, each behind its names; read them as they come.

        Of manifest.jsonl and metadata.jsonl, which have one journal, it is the given one's.
        """
        for names in runs_in(destination):
            if names.manifest != own.manifest:
                is_shared = names.journal == own.journal
                with cls(destination, names) if is_shared else cls.look(destination, names) as reader:
                    if not reader._is_export():
                        yield names, reader

    def _is_export(self) -> bool:
        """Whether it is what `export --to hf` wrote about this folder, which lists outputs and owns none."""
        first = next(map(self.row, self._positions), None) or {}
        return "noisy" in first and "settings" not in first

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._manifest is not None:
            with stopping(self._path(self._names.manifest)):
                self._manifest.close()
        if self._journal != CLOSED:
            with stopping(self._path(self._names.journal)):
                os.close(self._journal)
        self._journal, self._manifest = CLOSED, None

    def __len__(self) -> int:
        return len(self._positions)

    def __contains__(self, output: str) -> bool:
        return output in self._positions

    def _path(self, name: str) -> str:
        return self._files.location_of(name)

    def _open(self, name: str) -> BinaryIO | None:
        with stopping(self._path(name)), contextlib.suppress(FileNotFoundError, NotADirectoryError):
            return self._files.open_own(name)
        return None

    def _lines(self, name: str, file: BinaryIO | None) -> Iterator[tuple[int, bytes]]:
        """Yield the lines of an open file and where they begin."""
        if file is None:
            return
        offset = 0
        with stopping(self._path(name)):
            for line in file:
                yield offset, line
                offset += len(line)

    def _journal_lines(self) -> Iterator[tuple[int, bytes]]:
        if self._journal != CLOSED:
            # closing any descriptor of the journal, a duplicate too, would let go of its lock
            name = self._names.journal
            with stopping(self._path(name)), os.fdopen(self._journal, "rb", closefd=False) as file:
                file.seek(0)
                yield from self._lines(name, file)

    def _read_manifest(self) -> None:
        for offset, line in self._lines(self._names.manifest, self._manifest):
            name = name_of_row(line)
            if name is None or name in self._positions or not is_plain(line):
                self.needs_rewrite = True
            if name is not None:
                self._positions[name] = RowPosition(False, offset, len(line))

    def _read_problems(self) -> None:
        with self._open(self._names.errors) or io.BytesIO() as file:
            for _, line in self._lines(self._names.errors, file):
                problem = parse_problem(parse(line))
                if problem is not None:
                    self.problems[problem.source] = problem

    def _read_journal(self) -> None:
        for offset, line in self._journal_lines():
            name = name_of_row(line) if line.startswith(b'{"file_name"') else None
            if line.startswith(SIDECAR):
                self.sidecars.take(parse(line).get("sidecar"))
            elif name is None:
                self.begun.take(line)
            else:
                self._positions[name] = RowPosition(True, offset, len(line))
                self.begun.intended.pop(name, None)
        self.problems |= self.begun.problems

    def placed_digests(self) -> dict[str, str]:
        """Return the digest that a worker last put in place under each name, by the journal as it is now."""
        begun = Begun()
        for _, line in self._journal_lines():
            if line.startswith(b'{"placing"'):
                begun.take(line)
        return begun.placed

    def is_recorded(self, name: str) -> bool:
        """Whether a row lists a file: an output, or one beside it."""
        return name in self._positions or name in self._beside

    def may_be_ours(self, name: str) -> bool:
        """Whether a run may have made a file that no row lists: its row was lost, or it never came to it."""
        return self.rows_lost or name in self.intended or name in self.intended_files()

    def is_leftover(self, name: str) -> bool:
        """Whether a file is, to the byte, what an unfinished run put in place, though no row lists it now."""
        digest = self.begun.placed.get(name)
        if name in self.own_by_word:
            with stopping(self._path(name)):
                return self._files.says_ours(name)
        if digest is None and not self._proofs:
            return False
        with stopping(self._path(name)):
            found = self._files.own_digest(name)
        return found is not None and (found == digest or found[:_PROOF_LENGTH] in self._proofs)

    @cached_property
    def _beside(self) -> frozenset[str]:
        return frozenset(file.name for line in self.rows() for file in listed_files(parse_row(line))[1:])

    def row(self, output: str) -> Row | None:
        """Return the row of an output; empty where it cannot be read, None where there is none."""
        position = self._positions.get(output)
        return None if position is None else parse_row(self._bytes(position))

    def outputs(self) -> list[str]:
        """Return the names of all outputs with a row."""
        return list(self._positions)

    def files(self) -> Iterator[str]:
        """Yield the names of all files that rows list, those beside outputs too."""
        yield from self._positions
        yield from self._beside

    def intended_files(self) -> Iterator[str]:
        """Yield the names of all files that a run meant to make and no row lists yet."""
        yield from self.intended
        yield from itertools.chain.from_iterable(self.intended.values())

    def rows(self) -> Iterator[bytes]:
        """Yield all rows as lines, sorted by file_name."""
        for output in sorted(self._positions):
            line = self._bytes(self._positions[output])
            yield line if is_plain(line) else to_line({"file_name": output} | parse_row(line))

    def proofs(self) -> list[str]:
        """Return the beginnings of the digests of all files that rows list: what proves them ours without a manifest.

        Make removes the target of a rule that it had to end, which the manifest may be.
        """
        files = (file for line in self.rows() for file in listed_files(parse_row(line)))
        return sorted({str(file.sha256)[:_PROOF_LENGTH] for file in files if file.sha256 is not None})

    @cached_property
    def _proofs(self) -> frozenset[str]:
        recorded = self.previous_run.get("made")
        return frozenset(proof for proof in (recorded if isinstance(recorded, list) else ()) if isinstance(proof, str))

    def _bytes(self, position: RowPosition) -> bytes:
        name = self._names.journal if position.in_journal else self._names.manifest
        with stopping(self._path(name)):
            if position.in_journal:
                data = os.pread(self._journal, position.length, position.offset)
            else:
                assert self._manifest is not None
                self._manifest.seek(position.offset)
                data = self._manifest.read(position.length)
        if len(data) < position.length:
            raise Stopped(f"{self._path(name)}: was changed by somebody else meanwhile; run again to go on")
        return data

    def forget(self, output: str) -> None:
        """Drop the row of an output that is gone, or is not what its row says."""
        self.needs_rewrite = True
        self._positions.pop(output, None)
