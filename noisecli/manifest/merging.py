"""The ledger of a whole run whose rows come from its shards."""

import itertools
import os
import secrets
from collections.abc import Iterator, Sequence
from typing import Any

from noisecli.errors import Refused
from noisecli.manifest.destination import Names
from noisecli.manifest.entries import parse, to_line
from noisecli.manifest.ledger import Ledger
from noisecli.manifest.reader import ManifestReader, RowPosition
from noisecli.manifest.shards import FoundShard, shards_in
from noisecli.storage import TEMPORARY_PREFIX, Folder, escape_name, folder_at, from_anywhere, stopping

MERGED = b'{"merged"'
"""How the journal's line begins that says that everything is written."""
_MERGING = b'{"merging"'


class MergeLedger(Ledger):
    """Holds a destination while shards are merged there; the journal says how far that came.

    A merge that was killed before everything was written starts over, for the shards still have it all. After that,
    only the shards' own files are still to be removed.

    Raises Refused where there is a whole run already.

    Attributes
    ----------
    is_written
        Whether an earlier merge wrote everything.
    """

    def __init__(self, destination: str, names: Names, *, fsync: bool = False) -> None:
        super().__init__(destination, names, fsync=fsync)
        self._shards: list[tuple[str, int]] = []
        self.is_written = False
        try:
            self._go_on_or_begin(destination)
        except BaseException:
            self.abandon()
            self.__exit__()
            raise

    def _go_on_or_begin(self, destination: str) -> None:
        shown, first = escape_name(destination), next((line for _, line in self._journal_lines()), b"")
        if not (first.startswith(_MERGING) or _MERGING.startswith(first)):
            raise Refused(f"{shown}: a run without --shard goes on there or was interrupted; run it again, to its end")
        header = len(first) if first.endswith(b"\n") else 0
        if not header:
            for name in self._names:
                if name != self._names.journal and self._files.has(name):
                    raise Refused(
                        f"{shown}: holds shards and {name} of another run, which would be replaced; move it away"
                    )
        for _, line in self._journal_lines():
            if line.startswith(MERGED) and line.endswith(b"\n"):
                entry = parse(line).get("merged")
                self._shards = [pair for pair in map(_shards_of, entry if isinstance(entry, list) else ()) if pair]
                self.is_written = True
        if not self.is_written:
            self._start_over(header)

    def _start_over(self, header: int) -> None:
        """Forget all but that this is a merge, and how the names of its temporary files begin."""
        for table in (self._positions, self.problems, self.survival, self.versions, self.settings, self.intended):
            table.clear()
        self.sidecars.rows.clear()
        self.sidecars.begun.clear()
        self.sources = 1
        with stopping(self._journal_path):
            os.ftruncate(self._journal, header)
        self._prefix = next(iter(self.begun.prefixes), f"{TEMPORARY_PREFIX}{secrets.token_hex(4)}-")
        if not header:
            self._append(to_line({"merging": True, "temporaries": self._prefix}))

    @property
    def prefix(self) -> str:
        """How the names of this merge's temporary files begin, those of its killed attempts too."""
        return self._prefix

    def take(self, shard: ManifestReader) -> None:
        """Take what a shard records beside its rows."""
        self.problems.update(shard.problems)
        self.survival.update(shard.survival)
        self.versions.update(shard.versions)
        self.settings.update(shard.settings)
        self.sources = max(self.sources, shard.sources)
        for row in shard.sidecars.rows.values():
            self.sidecars.put(row)

    def take_row(self, output: str, line: bytes) -> None:
        """Take one row."""
        self._positions[output] = RowPosition(True, *self._append(line))

    def finish(self, run: dict[str, Any], shards: Sequence[tuple[str, int]], time: int) -> None:
        """Write manifest, side files, errors and run.json; then the shards' own files go, of each folder with n.

        `time` is what the manifest shows Make: what was changed after the first shard began is looked at again.
        """
        self.write(run, time)
        self._append(to_line({"merged": [(from_anywhere(folder), of) for folder, of in shards]}))
        self._shards = list(shards)
        self.clear_away()

    def clear_away(self) -> None:
        """Remove the shards' own files, what folders are empty then, and the journal."""
        for location, of in self._shards:
            folder = folder_at(location)
            for found in shards_in(location, self._names.manifest):
                if found.shard.of == of and self._has_rows_of(found):
                    # run.json goes last: by it the others are found
                    for name in (found.names.manifest, found.names.errors, found.names.sidecars, found.names.run):
                        with stopping(folder.location_of(name)):
                            folder.remove_own(name)
            if not folder.is_same(self._files):
                _remove_empty(folder, itertools.chain(self.files(), self.sidecars.rows))
        self._remove_journal()

    def _has_rows_of(self, found: FoundShard) -> bool:
        """Whether every row of a shard is in the whole manifest: a journal that was edited proves nothing."""
        with ManifestReader.look(found.folder, found.names) as shard:
            return all(self.row(output) == shard.row(output) for output in shard.outputs())

    def withdraw(self) -> None:
        """After a refusal, leave the destination as it was before the first merge."""
        if self.found_journal and not self.is_written:
            for name in self._names:
                if name != self._names.journal:
                    self._remove(name)
        self._remove_journal()
        if not self.folder_was_there:
            self._files.remove_if_empty()


def _remove_empty(folder: Folder, files: Iterator[str]) -> None:
    """Remove the folders that files were moved out of, where nothing else is in them."""
    folders = {"", *map(os.path.dirname, files)}
    for name in list(folders):
        while name := os.path.dirname(name):
            folders.add(name)
    for name in sorted(folders, key=len, reverse=True):
        folder_at(folder.location_of(name)).remove_if_empty()


def _shards_of(entry: object) -> tuple[str, int] | None:
    """Return a folder, and how many shards of one run it had some of, as the journal names them."""
    is_pair = isinstance(entry, list) and list(map(type, entry)) == [str, int]
    return (entry[0], entry[1]) if is_pair and isinstance(entry, list) else None
