"""Folders for what is temporary: gone when we are done, and with the next run where we were killed.

Whoever has such a folder holds a lock on it, which the kernel lets go of however a process ends.
"""

import contextlib
import fcntl
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterable, Iterator

from noisecli.errors import Refused
from noisecli.storage import escape_name

_PREFIX = "noisecli-scratch-"
_NAME = re.compile(_PREFIX + r"[0-9a-f]{12}\Z")
NAME_LENGTH = len(_PREFIX) + 12


def temporary_folders() -> Iterator[str]:
    """Yield the folders for temporary files, the one that was asked for first; they may not be there."""
    for variable in ("TMPDIR", "TEMP", "TMP"):
        if folder := os.environ.get(variable):
            yield os.path.abspath(folder)
    yield from ("/tmp", "/var/tmp", "/usr/tmp")


class ScratchFolder:
    """A folder of ours alone, in the first of some folders that takes one. A context manager, which yields its path.

    Raises Refused from the constructor where none does.
    """

    def __init__(self, within: Iterable[str] | None = None) -> None:
        tried = list(dict.fromkeys(temporary_folders() if within is None else within))
        self._lock = -1
        for folder in tried:
            with contextlib.suppress(OSError):
                _remove_abandoned(folder)
                self.path, self._lock = _create(folder)
                return
        names = ", ".join(map(escape_name, tried))
        raise Refused(f"no folder for temporary files can be written ({names}); set TMPDIR to one that can")

    def remove(self) -> None:
        """Remove it with all it holds; harmless twice."""
        if self._lock >= 0:
            shutil.rmtree(self.path, ignore_errors=True)
            os.close(self._lock)
            self._lock = -1

    def __enter__(self) -> str:
        return self.path

    def __exit__(self, *_: object) -> None:
        self.remove()


def _create(folder: str) -> tuple[str, int]:
    while True:
        path = os.path.join(folder, _PREFIX + secrets.token_hex(6))
        os.mkdir(path, 0o700)
        # another run may take it for abandoned between these calls, and remove it
        with contextlib.suppress(FileNotFoundError, BlockingIOError):
            lock = _hold(path, fcntl.LOCK_SH)
            if os.path.isdir(path):
                return path, lock
            os.close(lock)


def _hold(path: str, how: int) -> int:
    """Return the folder's descriptor, locked. Raises BlockingIOError where somebody else holds it."""
    lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, how | fcntl.LOCK_NB)
    except OSError as error:
        if how == fcntl.LOCK_SH and not isinstance(error, BlockingIOError):
            # a file system without locks: nobody can take it for abandoned either
            return lock
        os.close(lock)
        raise
    return lock


def _remove_abandoned(folder: str) -> None:
    """Remove what killed runs of this user left: folders of our name that nobody holds."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for path in [entry.path for entry in entries if _NAME.match(entry.name)]:
            with contextlib.suppress(OSError):
                found = os.lstat(path)
                if stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid():
                    lock = _hold(path, fcntl.LOCK_EX)
                    shutil.rmtree(path, ignore_errors=True)
                    os.close(lock)
