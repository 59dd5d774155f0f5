"""Who may read an output: nobody who cannot read its source."""

import contextlib
import os
import stat
from collections.abc import Iterable
from typing import NamedTuple, Protocol


class Status(Protocol):
    """What of an os.stat_result says who may read a file; its fields have their names."""

    @property
    def st_mode(self) -> int: ...

    @property
    def st_gid(self) -> int: ...


class FileStatus(Status, Protocol):
    """What of an os.stat_result a run looks at."""

    @property
    def st_size(self) -> int: ...

    @property
    def st_atime_ns(self) -> int: ...

    @property
    def st_mtime_ns(self) -> int: ...

    @property
    def st_ctime_ns(self) -> int: ...


class Readers(NamedTuple):
    """Who may read every one of several files."""

    st_mode: int
    st_gid: int


def readers_of(files: Iterable[Status]) -> Readers:
    """Return who may read all of these files."""
    modes, groups = 0o666, set()
    for status in files:
        modes &= status.st_mode
        groups.add(status.st_gid)
    return Readers(modes, groups.pop() if len(groups) == 1 else -1)


def modes_like(like: Status, most: int = 0o666) -> tuple[int, int | None]:
    """Return the permissions to create an output with, and wider ones for where its group is the source's.

    Where their groups differ, the output's group gets what everybody has. The system takes the umask off the first.
    """
    mode = like.st_mode & most | stat.S_IRUSR
    narrow = mode & ~stat.S_IRWXG | mode & (mode & stat.S_IRWXO) << 3
    return narrow, None if narrow == mode else mode


def widen(fd: int, wider: int | None, like: Status) -> None:
    """Give an output, just created with the first of modes_like(), the second where that is due."""
    if wider is not None and os.fstat(fd).st_gid == like.st_gid:
        umask = os.umask(0o077)
        os.umask(umask)
        with contextlib.suppress(OSError):
            os.fchmod(fd, wider & ~umask)
