"""Members of tars as files of their own: what is small lies in memory, what is large in a temporary file."""

import contextlib
import os
import stat
import tempfile
from collections.abc import Callable

from noisecli.errors import FileFailed
from noisecli.storage.digests import descriptor_sha256
from noisecli.storage.output import OutputFile, output_error, write_all
from noisecli.storage.permissions import FileStatus, Status
from noisecli.storage.source import SourceFile, unreadable
from noisecli.storage.tar.index import Place

_SMALL = 1 << 24
_PIECE = 1 << 20
_SHOWN = 60


def _spool(size: int, name: str) -> int:
    """Return the descriptor of a file for about so many bytes, whose name only its process can see."""
    if size <= _SMALL and hasattr(os, "memfd_create"):
        return os.memfd_create(os.path.basename(name)[:_SHOWN], os.MFD_CLOEXEC)
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def copy_bytes(source: int, offset: int, size: int, target: int) -> int:
    """Copy bytes of an open file behind what another has; return how many. Raises OSError of the target's.

    FileFailed is raised for what the source says.
    """
    copied = 0
    while copied < size:
        try:
            piece = os.pread(source, min(_PIECE, size - copied), offset + copied)
        except OSError as error:
            raise unreadable(error) from error
        if not piece:
            break
        write_all(target, piece)
        copied += len(piece)
    return copied


def status_of(tar: FileStatus, place: Place) -> os.stat_result:
    """Return what a look at a member says: its own size, and what else the tar's says."""
    mode = stat.S_IFREG | stat.S_IMODE(tar.st_mode) & 0o666
    group = getattr(tar, "st_gid", -1)
    times = {"st_mtime_ns": tar.st_mtime_ns, "st_ctime_ns": tar.st_ctime_ns, "st_atime_ns": tar.st_mtime_ns}
    seconds = tar.st_mtime_ns // 10**9
    return os.stat_result((mode, 0, 0, 1, 0, group, place.size, seconds, seconds, tar.st_ctime_ns // 10**9), times)


class MemberSource(SourceFile):
    """A member of a tar, open for reading. Raises FileFailed from the constructor as SourceFile does."""

    def __init__(self, name: str, tar: SourceFile, place: Place, max_bytes: int) -> None:
        self.suffix = os.path.splitext(name)[1]
        self._content = self._digest = None
        self._tar, self.status, self.size = tar, status_of(tar.status, place), place.size
        if self.size > max_bytes:
            raise FileFailed("too-large", f"has {self.size:,} bytes; raise --max-bytes to allow it")
        try:
            self._fd = _spool(self.size, name)
        except OSError as error:
            raise output_error(error, tempfile.gettempdir()) from error
        try:
            self._fill(place)
        except BaseException:
            self.close()
            raise

    def _fill(self, place: Place) -> None:
        try:
            copied = copy_bytes(self._tar.fileno(), place.offset, place.size, self._fd)
        except OSError as error:
            raise output_error(error, tempfile.gettempdir()) from error
        self.check_unchanged(copied)

    def check_unchanged(self, length: int | None = None) -> None:
        """Raise FileFailed when the tar changed under us, or gave another number of bytes than the member has."""
        self._tar.check_unchanged()
        if length is not None and length != self.size:
            raise FileFailed("changed", "changed while it was read; run again when its writer is done")


class PendingSource(SourceFile):
    """A member that was made and is in no tar yet, open for reading."""

    def __init__(self, name: str, fd: int, size: int) -> None:
        self.suffix, self.size = os.path.splitext(name)[1], size
        self._content = self._digest = None
        self._fd = os.dup(fd)
        self.status = os.fstat(fd)


class MemberFile(OutputFile):
    """What becomes a member: commit() hands its bytes to a tar's writer, which puts them in their place."""

    def __init__(self, name: str, path: str, like: Status | None, keep: Callable[[str, int], None]) -> None:
        self._path, self._member, self._keep = path, name, keep
        self._digest: str | None = None
        self._fd = -1
        try:
            self._fd = _spool(getattr(like, "st_size", 0), name)
        except OSError as error:
            raise output_error(error, tempfile.gettempdir()) from error

    def commit(self, *, replace: bool = True, announce: Callable[[str], None] | None = None) -> tuple[int, str]:
        """Hand it over; return its size and sha256. Whether it may replace anything, its tar is asked."""
        try:
            size = os.fstat(self._fd).st_size
            digest = self._digest or descriptor_sha256(self._fd)
        except OSError as error:
            raise output_error(error, self._path) from error
        fd, self._fd = self._fd, -1
        self._keep(self._member, fd)
        return size, digest

    def discard(self) -> None:
        """Let go of it; harmless twice."""
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            with contextlib.suppress(OSError):
                os.close(fd)
