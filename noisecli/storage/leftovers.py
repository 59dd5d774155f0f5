"""What a killed process leaves: temporary files beside single outputs, and scratch folders. The next one removes them.

Each is locked with flock for as long as its owner lives, which the kernel releases however a process ends. So what can
be locked, was made on this machine and is of the same user, is nobody's any more. Where a file system knows no such
locks, leftovers stay.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import zlib
from collections.abc import Iterator

from noisecli.errors import Stopped
from noisecli.storage.below import names_in

_HELD = ".noisecli-tmp-held-"
_SCRATCH = "noisecli-"


def _host() -> str:
    """Return a word for this machine: some shared file systems keep locks among the processes of one."""
    return f"{zlib.crc32(os.uname().nodename.encode(errors='surrogateescape')):08x}"


def held_prefix() -> str:
    """Return how the names of temporary files begin that their owner holds."""
    return f"{_HELD}{_host()}-"


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


@contextlib.contextmanager
def scratch_folder() -> Iterator[str]:
    """Yield the path of a folder of our own for temporary files; those of killed processes are removed first.

    Raises Stopped where none can be made.
    """
    import shutil
    import tempfile

    try:
        home = tempfile.gettempdir()
        _remove_scratch(home)
        path, fd = _make_scratch(home)
    except OSError as error:
        raise Stopped(f"no temporary folder can be made: {error.strerror}; set TMPDIR to one with room") from error
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(fd)


def _make_scratch(home: str) -> tuple[str, int]:
    import tempfile

    while True:
        path = tempfile.mkdtemp(prefix=f"{_SCRATCH}{_host()}-{os.getpid()}-", dir=home)
        try:
            fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except FileNotFoundError:
            # taken for a leftover already
            continue
        if hold(fd) and os.path.isdir(path):
            return path, fd
        os.close(fd)


def _remove_scratch(home: str) -> None:
    import shutil

    prefix = f"{_SCRATCH}{_host()}-"
    with contextlib.suppress(OSError), os.scandir(home) as entries:
        for entry in entries:
            if entry.name.startswith(prefix):
                with contextlib.suppress(OSError):
                    fd = os.open(entry.path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
                    try:
                        if _is_nobodys(fd):
                            shutil.rmtree(entry.path, ignore_errors=True)
                    finally:
                        os.close(fd)
