"""Objects on their way from and to a store: files without a name on this machine, for what needs a descriptor."""

import contextlib
import os
import stat
import tempfile
from collections.abc import Callable, Iterable
from typing import NamedTuple

from noisecli.errors import FileFailed, Stopped
from noisecli.storage.digests import descriptor_sha256
from noisecli.storage.names import escape_name
from noisecli.storage.output import OutputFile, output_error, write_all
from noisecli.storage.source import SourceFile

_IN_MEMORY = 8 << 20


class ObjectStatus(NamedTuple):
    """What is known of an object; see noisecli.storage.permissions.FileStatus. Who may read it, the store decides."""

    st_size: int
    st_mtime_ns: int
    st_mode: int = stat.S_IFREG | 0o666
    st_gid: int = -1

    @property
    def st_atime_ns(self) -> int:
        """The same time: nobody knows when it was read."""
        return self.st_mtime_ns

    @property
    def st_ctime_ns(self) -> int:
        """The same time: an object is never changed, but replaced."""
        return self.st_mtime_ns


def new_spool(size: int | None = None) -> int:
    """Return the descriptor of an empty file without a name; in memory where its size is known to be small."""
    if size is not None and size <= _IN_MEMORY and hasattr(os, "memfd_create"):
        return os.memfd_create("noisecli", os.MFD_CLOEXEC)
    try:
        with tempfile.TemporaryFile(buffering=0) as file:
            return os.dup(file.fileno())
    except OSError as error:
        where = escape_name(tempfile.gettempdir())
        raise Stopped(f"{where}: no temporary file can be made: {error.strerror}; free space or set TMPDIR") from error


def fill(fd: int, pieces: Iterable[bytes]) -> int:
    """Write an object's content into a spool; return its size."""
    size = 0
    for piece in pieces:
        try:
            write_all(fd, piece)
        except OSError as error:
            where = escape_name(tempfile.gettempdir())
            raise Stopped(f"{where}: {error.strerror}; free space or set TMPDIR, then run again to go on") from error
        size += len(piece)
    return size


class ObjectSource(SourceFile):
    """An object that was read into a spool, which nobody can change."""

    def __init__(self, suffix: str, fd: int, status: ObjectStatus) -> None:
        self.suffix, self._fd, self.status, self.size = suffix, fd, status, status.st_size
        self._content: bytes | None = None
        self._digest: str | None = None

    def check_unchanged(self, length: int | None = None) -> None:
        """Raise FileFailed where fewer bytes came than the object has."""
        if length is not None and length != self.size:
            raise FileFailed("changed", "changed while it was read; run again when its writer is done")


Put = Callable[[int, int, str, bool], None]
"""Puts a descriptor's content, of this size and digest, in place; the flag is whether it may replace an object."""


class ObjectOutput(OutputFile):
    """An output that is put into its store when it is whole; see noisecli.storage.output.OutputFile.

    Parameters
    ----------
    shown
        Its URL, for messages.
    put
        Raises OSError, and FileFailed "foreign-file".
    """

    def __init__(self, shown: str, put: Put) -> None:
        self._path, self._put = shown, put
        self._temporary = ""
        self._digest: str | None = None
        self._lock = self._folder = -1
        self._fd = new_spool()

    def commit(self, *, replace: bool = True, announce: Callable[[str], None] | None = None) -> tuple[int, str]:
        """Put the object; return its size and sha256."""
        try:
            size = os.fstat(self._fd).st_size
            digest = self._digest or descriptor_sha256(self._fd)
            if announce is not None:
                announce(digest)
            self._put(self._fd, size, digest, replace)
        except OSError as error:
            raise output_error(error, self._path) from error
        self.discard()
        return size, digest


def close(fd: int) -> None:
    """Close a spool; an error says nothing of what was read from it."""
    with contextlib.suppress(OSError):
        os.close(fd)
