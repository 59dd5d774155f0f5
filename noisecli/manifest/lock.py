"""One run at a time on a destination, and no worker of a killed one still writing into it.

Two bytes of the journal are locked with fcntl, which the kernel releases however a process ends: byte 0 by the run,
byte 1, shared, by each of its workers.
"""

import errno
import fcntl
import os
import struct
import sys
import time

from noisecli.errors import Stopped
from noisecli.storage import escape_name, stopping

_RUN, _WORKERS = 0, 1
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
_WAY_TO_LOCKS = (
    "its file system has no locks, and they keep two runs apart; mount it with them (NFS 4, or NFS 3 with rpc.statd), "
    "or choose another folder"
)
_ORPHANS_GONE_WITHIN = 10.0
_FLOCK, _TYPE_AT = ("qqihh", 3) if sys.platform == "darwin" else ("hhqqi4x", 0)
"""struct flock, and which of its fields is the type of the lock."""


def open_locked(path: str, destination: str) -> int:
    """Open the journal of a destination, creating it, and hold it. Raises Stopped when another run does."""
    while True:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        try:
            fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _RUN)
        except OSError as error:
            os.close(fd)
            if error.errno in (errno.EACCES, errno.EAGAIN):
                words = "another run is writing there; wait for it, or choose another folder"
                raise Stopped(f"{escape_name(destination) or '.'}: {words}") from error
            if error.errno in _NO_LOCKS:
                raise Stopped(f"{escape_name(destination) or '.'}: {_WAY_TO_LOCKS}") from error
            raise
        if _still_named(fd, path):
            wait_for_workers(fd)
            return fd
        os.close(fd)


def is_held(fd: int) -> bool:
    """Whether another process holds the journal as its run does; asking takes no lock, not for a moment."""
    wanted = {"l_type": fcntl.F_WRLCK, "l_whence": os.SEEK_SET, "l_start": _RUN, "l_len": 1, "l_pid": 0}
    fields = ("l_start", "l_len", "l_pid", "l_type", "l_whence") if _TYPE_AT else tuple(wanted)
    answer = fcntl.fcntl(fd, fcntl.F_GETLK, struct.pack(_FLOCK, *(wanted[name] for name in fields)))
    return bool(struct.unpack(_FLOCK, answer)[_TYPE_AT] != fcntl.F_UNLCK)


def hold_as_worker(path: str, identity: tuple[int, int], *, is_elsewhere: bool = False) -> int:
    """Tell later runs that a worker of this one lives; until the process ends. Return a descriptor to append with.

    On another machine (`is_elsewhere`) the device of a shared folder has another number, and appending is not safe.
    Raises Stopped where the path does not lead to the very journal that the run holds.
    """
    with stopping(path):
        fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        status = os.fstat(fd)
        if (status.st_ino != identity[1]) if is_elsewhere else (status.st_dev, status.st_ino) != identity:
            raise Stopped(f"{path}: another file took its place while the run went on; run again to go on")
        fcntl.lockf(fd, fcntl.LOCK_SH, 1, _WORKERS)
        return fd


class Appending:
    """Appends lines to the journal for workers on other machines, and holds it as they do; called with a line."""

    def __init__(self, path: str, identity: tuple[int, int]) -> None:
        self._journal = hold_as_worker(path, identity)

    def __call__(self, line: bytes) -> None:
        """Append a line. Raises OSError."""
        if os.write(self._journal, line) != len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _still_named(fd: int, path: str) -> bool:
    """Whether the run that ended between our open and our lock has not taken the file away."""
    try:
        return os.path.samestat(os.fstat(fd), os.stat(path))
    except FileNotFoundError:
        return False


def wait_for_workers(fd: int) -> None:
    """Wait until no worker holds the journal. They die within two seconds, and may put an output in place until then.

    Raises Stopped where they go on.
    """
    deadline = time.monotonic() + _ORPHANS_GONE_WITHIN
    while True:
        try:
            fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _WORKERS)
        except OSError:
            if time.monotonic() > deadline:
                raise Stopped("workers of a run that was killed are still writing; end them first") from None
            time.sleep(0.05)
        else:
            fcntl.lockf(fd, fcntl.LOCK_UN, 1, _WORKERS)
            return
