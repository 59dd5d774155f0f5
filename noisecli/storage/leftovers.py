"""Temporary files that a killed process left beside single outputs. The next one removes them.

Each is locked with flock for as long as its owner lives, which the kernel releases however a process ends. So what can
be locked, was made on this machine and is of the same user, is nobody's any more. Where a file system knows no such
locks, leftovers stay.
"""

import contextlib
import errno
import fcntl
import os
import stat
import zlib

from noisecli.storage.below import names_in

_HELD = ".noisecli-tmp-held-"


def held_prefix() -> str:
    """Return how the names of temporary files begin that their owner holds.

    They have a word for this machine: some shared file systems keep locks among the processes of one.
    """
    return f"{_HELD}{zlib.crc32(os.uname().nodename.encode(errors='surrogateescape')):08x}-"


def is_held(prefix: str) -> bool:
    """Whether temporary files with this prefix are to be held."""
    return prefix.startswith(_HELD)


def hold(fd: int) -> bool:
    """Lock what was just made. False when somebody took it for a leftover in that instant: make another."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)
    return os.fstat(fd).st_nlink > 0


def remove_leftovers(folder: int) -> None:
    """Remove the temporary files in an open folder that were held by processes which are gone."""
    with contextlib.suppress(OSError):
        for name in names_in(folder, held_prefix()):
            with contextlib.suppress(OSError):
                _remove_file(folder, name)


def _remove_file(folder: int, name: str) -> None:
    fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    try:
        # names are made by chance and never used again, so this one is still that file's, or gone
        if stat.S_ISREG(os.fstat(fd).st_mode) and _is_nobodys(fd):
            os.unlink(name, dir_fd=folder)
    finally:
        os.close(fd)


def _is_nobodys(fd: int) -> bool:
    if os.fstat(fd).st_uid != os.geteuid():
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
