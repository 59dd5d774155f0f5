"""Sources, opened with care: what is odd is named, and never waited for."""

import errno
import os
import stat
from typing import BinaryIO, Self

from noisecli.errors import FileFailed, FileSkipped, Refused, Stopped
from noisecli.storage.digests import descriptor_sha256, sha256
from noisecli.storage.names import escape_name
from noisecli.storage.permissions import FileStatus

_LONG = 1 << 24


def open_regular(path: str) -> BinaryIO:
    """Open a file of noisecli's own; Refused where a pipe, socket or device took its place: nothing is waited for."""
    try:
        file = open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK))  # noqa: SIM115
        if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            return file
        file.close()
    except OSError as error:
        if error.errno != errno.ENXIO:
            raise
    raise Refused(f"{escape_name(path)}: is no regular file, and noisecli's own belongs there; move it away")


class SourceFile:
    """A regular file, open for reading.

    Raises FileFailed or FileSkipped from the constructor for what is gone, unreadable, too large or no regular file; a
    FIFO is recognised without waiting for its writer. `status` is what fstat() said when it was opened.
    """

    def __init__(self, path: str, max_bytes: int) -> None:
        self.suffix = os.path.splitext(path)[1]
        self._content: bytes | None = None
        self._digest: str | None = None
        try:
            self._fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise _unopened(path, error) from error
        try:
            self.status: FileStatus = os.fstat(self._fd)
            self.size = self.status.st_size
            if not stat.S_ISREG(self.status.st_mode):
                raise FileSkipped("special-file", "is no regular file; left alone")
            if self.size > max_bytes:
                raise FileFailed("too-large", f"has {self.size:,} bytes; raise --max-bytes to allow it")
        except BaseException:
            os.close(self._fd)
            raise

    def fileno(self) -> int:
        """Return the descriptor, at any position."""
        return self._fd

    def read(self) -> bytes:
        """Return the whole content, read once."""
        if self._content is None:
            try:
                with os.fdopen(os.dup(self._fd), "rb", buffering=0) as file:
                    file.seek(0)
                    self._content = file.readall()
            except OSError as error:
                raise unreadable(error) from error
            self.check_unchanged(len(self._content))
        return self._content

    def forget(self) -> None:
        """Keep the digest alone of a long content: it would lie in memory beside its samples."""
        if self._content is not None and len(self._content) > _LONG:
            self.sha256()
            self._content = None

    def sha256(self) -> str:
        """Return the digest of the content in hex."""
        if self._digest is None:
            self._digest = descriptor_sha256(self._fd) if self._content is None else sha256(self._content)
        return self._digest

    def check_unchanged(self, length: int | None = None) -> None:
        """Raise FileFailed when the file changed under us, or gave another number of bytes than it has."""
        now, then = os.fstat(self._fd), self.status
        same = (now.st_size, now.st_mtime_ns) == (then.st_size, then.st_mtime_ns)
        if not same or (length is not None and length != then.st_size):
            raise FileFailed("changed", "changed while it was read; run again when its writer is done")

    def close(self) -> None:
        """Close the descriptor; harmless twice."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _unopened(path: str, error: OSError) -> Stopped | FileFailed:
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return Stopped(f"{escape_name(path)}: cannot be opened: {error.strerror}; raise ulimit -n, then run it again")
    return unreadable(error)


def unreadable(error: OSError) -> FileFailed:
    """Return what an error in opening or reading a source means."""
    if error.errno == errno.ENOENT:
        return FileFailed("gone", "is gone since the folder was listed")
    what_to_do = "check its permissions" if error.errno in (errno.EACCES, errno.EPERM) else "check the disk"
    return FileFailed("unreadable", f"cannot be read: {error.strerror or error}; {what_to_do}")
