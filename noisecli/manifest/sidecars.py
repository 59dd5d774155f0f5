"""sidecars.jsonl: which files in a destination came along beside the data, one row for each."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Literal, NamedTuple, cast

from noisecli.errors import FileProblem, Refused
from noisecli.manifest.entries import Row, read_line, texts, to_line
from noisecli.storage import Folder, is_inside, stopping

How = Literal["copy", "link", "rewritten"]
_HOW = ("copy", "link", "rewritten")


class SideRow(NamedTuple):
    """A side file that stands in the destination.

    Attributes
    ----------
    how
        A copy of its source, a symbolic link to it, or content that noisecli made of one or several sources.
    bytes, sha256
        Of the file; of a link, those of the source that it leads to.
    sources
        Of rewritten content, the digest of everything it was made from.
    """

    file_name: str
    source: str
    how: How
    bytes: int
    sha256: str
    sources: tuple[tuple[str, str], ...] = ()

    def as_entry(self) -> dict[str, Any]:
        """Return the row as plain data."""
        entry = self._asdict()
        del entry["sources"]
        return entry | ({"sources": dict(self.sources)} if self.sources else {})

    @classmethod
    def of(cls, entry: Row) -> SideRow | None:
        """Return the row that an entry records; None where there is none."""
        name, source, how = entry.get("file_name"), entry.get("source"), entry.get("how")
        size, digest, sources = entry.get("bytes"), entry.get("sha256"), texts(entry.get("sources"))
        is_row = is_inside(name) and is_inside(source) and how in _HOW and all(map(is_inside, sources))
        if not is_row or not isinstance(size, int) or not isinstance(digest, str):
            return None
        return cls(str(name), str(source), cast(How, how), size, digest, tuple(sorted(sources.items())))


class SideRecord:
    """The side files on record in a destination.

    Attributes
    ----------
    rows
        By file_name.
    changed
        Whether they are others than sidecars.jsonl lists.
    is_there, is_foreign
        Whether there is a sidecars.jsonl, and whether it is not, to the byte, what a run of noisecli wrote. Then its
        rows prove nothing, and it stays as it is.
    """

    def __init__(self, folder: Folder, name: str, known: Collection[str]) -> None:
        """Read the rows; `known` are the digests of the lists that runs wrote, or were about to write."""
        self.name = name
        self.rows: dict[str, SideRow] = {}
        self.begun: dict[str, list[SideRow]] = {}
        """What runs that did not end were about to put in place."""
        digest = hashlib.sha256()
        self.is_there = folder.has(name)
        none = contextlib.suppress(FileNotFoundError, NotADirectoryError, Refused)
        with stopping(folder.location_of(name)), none, folder.open_own(name) as file:
            for line in file:
                digest.update(line)
                row = SideRow.of(read_line(line))
                if row is not None:
                    self.rows[row.file_name] = row
        self.is_foreign = self.is_there and digest.hexdigest() not in known
        if self.is_foreign:
            self.rows.clear()
        self.changed = bool(known) and not self.is_there

    def __len__(self) -> int:
        return len(self.rows)

    def digests_of(self, name: str) -> list[str]:
        """Return what the content of a file may be, where a run of noisecli put it there."""
        recorded = [self.rows[name]] if name in self.rows else []
        return [row.sha256 for row in (*recorded, *self.begun.get(name, ()))]

    def is_link(self, name: str) -> bool:
        """Whether a run of noisecli made a symbolic link of that name."""
        recorded = [self.rows[name]] if name in self.rows else []
        return any(row.how == "link" for row in (*recorded, *self.begun.get(name, ())))

    def take(self, entry: object) -> None:
        """Take what the journal says of a file that was about to be put in place."""
        row = SideRow.of(entry) if isinstance(entry, dict) else None
        if row is not None:
            self.begun.setdefault(row.file_name, []).append(row)

    def put(self, row: SideRow) -> None:
        """Record a file that stands."""
        if self.rows.get(row.file_name) != row:
            self.rows[row.file_name] = row
            self.changed = True

    def forget(self, name: str) -> None:
        """Drop the row of a file that is gone, or is ours no more."""
        if self.rows.pop(name, None) is not None:
            self.changed = True

    def settle(self, folder: Folder, settled: set[str]) -> None:
        """Keep the rows of files that a run had no part in only while the files exist; find those of killed runs."""
        for name, begun in self.begun.items():
            if name not in settled:
                candidates = [*begun[::-1], *([self.rows[name]] if name in self.rows else [])]
                digest = digest_of(folder, name)
                for row in candidates:
                    if row.sha256 == digest:
                        self.put(row)
                        break
        for name in [name for name in self.rows if name not in settled and folder.is_missing(name)]:
            self.forget(name)

    def lines(self) -> Iterator[bytes]:
        """Yield the rows as lines, sorted by file_name."""
        for name in sorted(self.rows):
            yield to_line(self.rows[name].as_entry())

    @property
    def digest(self) -> str:
        """What run.json says of the list: the digest of its lines."""
        digest = hashlib.sha256()
        for line in self.lines():
            digest.update(line)
        return digest.hexdigest()


def known_lists(run: Mapping[str, Any]) -> list[str]:
    """Return the digest of the list that belongs to a run.json; none where there is no list."""
    digest = run.get("sidecars_sha256")
    return [digest] if isinstance(digest, str) else []


def digest_of(folder: Folder, name: str) -> str | None:
    """Return the digest of a side file, of a link that of what it leads to; None where there is none."""
    try:
        return folder.sha256(name) if not folder.leads_out(name) else None
    except (OSError, FileProblem):
        return None
