"""A tar that is written: whole or not at all, the same bytes from the same members."""

import os
import tarfile
from collections.abc import Callable, Sequence
from typing import Self

from noisecli.errors import FileFailed, shown
from noisecli.storage.output import OutputFile, output_error, write_all
from noisecli.storage.permissions import Status
from noisecli.storage.tar.members import MemberFile, PendingSource, copy_bytes


class TarWriter:
    """Writes one tar into an output file. A context manager; what was not committed is gone.

    Members are made first, one sample's at a time, and put in place by add_made(); drop() forgets them. Headers hold
    the name and the size, nothing of times and people.
    """

    def __init__(self, output: OutputFile, path: str) -> None:
        self._output, self._path = output, path
        self._made: dict[str, int] = {}
        self._names: set[str] = set()
        self._size = 0

    def file(self, name: str, like: Status | None) -> MemberFile:
        """Return the file that becomes a member."""
        return MemberFile(name, f"{self._path}/{name}", like, self._take)

    def _take(self, name: str, fd: int) -> None:
        self._made[name] = fd

    def open_made(self, name: str) -> PendingSource | None:
        """Open what was made and is not in its place yet; None where there is no such."""
        fd = self._made.get(name)
        return None if fd is None else PendingSource(name, fd, os.fstat(fd).st_size)

    def add_made(self, name: str) -> None:
        """Append a member that was made. Raises FileFailed or Stopped."""
        fd = self._made[name]
        self.add(name, fd, os.fstat(fd).st_size)
        os.close(self._made.pop(name))

    def refuse_taken(self, names: Sequence[str]) -> None:
        """Raise FileFailed where one of these members is there already, or twice among them."""
        taken = next((name for number, name in enumerate(names) if name in self._names or name in names[:number]), None)
        if taken is not None:
            raise FileFailed("ambiguous", f"{shown(taken)} would be in its tar twice; rename one, or keep the format")

    def add(self, name: str, source: int, size: int) -> None:
        """Append so many bytes of an open file as a member. Raises FileFailed or Stopped."""
        self._names.add(name)
        info = tarfile.TarInfo(name)
        info.size, info.mode, info.mtime = size, 0o644, 0
        header = info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
        padding = bytes(-size % tarfile.BLOCKSIZE)
        self._write(header)
        try:
            copied = copy_bytes(source, 0, size, self._output.fileno())
        except OSError as error:
            raise output_error(error, self._path) from error
        if copied != size:
            raise FileFailed("changed", "changed while it was read; run again when its writer is done")
        self._write(padding)
        self._size += len(header) + size + len(padding)

    def _write(self, data: bytes) -> None:
        try:
            write_all(self._output.fileno(), data)
        except OSError as error:
            raise output_error(error, self._path) from error

    def drop(self) -> None:
        """Forget what was made and is not in its place."""
        for fd in self._made.values():
            os.close(fd)
        self._made.clear()

    def commit(self, *, replace: bool, announce: Callable[[str], None]) -> None:
        """Give the tar its end and its name; see OutputFile.commit()."""
        end = 2 * tarfile.BLOCKSIZE
        self._write(bytes(end + -(self._size + end) % tarfile.RECORDSIZE))
        self._output.commit(replace=replace, announce=announce)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.drop()
        self._output.discard()
