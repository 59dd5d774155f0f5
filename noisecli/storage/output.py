"""Files on this machine, written whole or not at all."""

import contextlib
import errno
import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from typing import Self

from noisecli.errors import FileFailed, Stopped
from noisecli.storage.below import folder_opened, open_folder
from noisecli.storage.digests import descriptor_sha256, file_sha256, sha256
from noisecli.storage.leftovers import held_prefix, hold, is_held, remove_leftovers
from noisecli.storage.names import escape_name
from noisecli.storage.permissions import Status, modes_like, widen
from noisecli.storage.renaming import rename_new

TEMPORARY_PREFIX = ".noisecli-tmp-"
FOREIGN = "its output has the name of a file that no row lists; move that away, or add --force"
_STOPPING = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE}


class OutputFile:
    """A temporary file beside its target, which takes the target's name when it is whole.

    As a context manager: commit() inside puts it in place, anything else removes it.

    Parameters
    ----------
    path
        The target; with `root`, relative to that, and no symbolic link on the way leads out of it.
    root_opened
        A descriptor of the root, where there is one already.
    prefix
        How the temporary file's name begins.
    like
        The status of the source: the output can be read by nobody who cannot read that.

    Raises
    ------
    FileFailed, Stopped
        See output_error(); "foreign-file" where the folder leads out of the root.
    """

    def __init__(
        self,
        path: str,
        *,
        root: str | None = None,
        root_opened: int | None = None,
        prefix: str = TEMPORARY_PREFIX,
        fsync: bool = False,
        like: Status | None = None,
    ) -> None:
        self._path, self._fsync = path if root is None else os.path.join(root, path), fsync
        self._digest: str | None = None
        self._temporary = ""
        self._fd = self._lock = self._folder = -1
        folder, self._name = os.path.split(path)
        try:
            self._folder = open_folder(root, folder, make=True, opened=root_opened)
            self._create(prefix, like)
        except OSError as error:
            self.discard()
            raise output_error(error, self._path) from error
        except BaseException:
            self.discard()
            raise

    def _create(self, prefix: str, like: Status | None) -> None:
        mode, wider = (0o666, None) if like is None else modes_like(like)
        while self._fd < 0:
            self._temporary = prefix + secrets.token_hex(6)
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            self._fd = os.open(self._temporary, flags, mode, dir_fd=self._folder)
            if is_held(prefix):
                if hold(self._fd):
                    # a second descriptor: the first is closed before the file gets its name
                    self._lock = os.dup(self._fd)
                else:
                    self._close()
        if like is not None:
            widen(self._fd, wider, like)

    def fileno(self) -> int:
        """Return the descriptor of the temporary file."""
        return self._fd

    def write(self, data: bytes | bytearray) -> None:
        """Write the whole content."""
        try:
            write_all(self._fd, data)
        except OSError as error:
            raise output_error(error, self._path) from error
        self._digest = sha256(data)

    def commit(self, *, replace: bool = True, announce: Callable[[str], None] | None = None) -> tuple[int, str]:
        """Put the file in place; return its size and sha256.

        Parameters
        ----------
        replace
            Whether a file that has the name already gives way. Without it, only one of the same content stays.
        announce
            Called with the sha256 just before the file takes its name; not where a file of that content has it.

        Raises
        ------
        FileFailed
            "foreign-file" when another file has the name; see output_error() for what the system refuses.
        """
        try:
            size = os.fstat(self._fd).st_size
            digest = self._digest or descriptor_sha256(self._fd)
            if self._fsync:
                os.fsync(self._fd)
            self._close()
            self._put_in_place(digest, replace, announce)
            if self._fsync:
                _fsync_in(self._folder)
        except OSError as error:
            raise output_error(error, self._path) from error
        return size, digest

    def _put_in_place(self, digest: str, replace: bool, announce: Callable[[str], None] | None) -> None:
        if not replace and self._has_a_twin(digest):
            return
        if announce is not None:
            announce(digest)
        try:
            if replace:
                os.replace(self._temporary, self._name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
            else:
                rename_new(self._temporary, self._name, folder=self._folder)
        except FileExistsError:
            if not self._has_a_twin(digest):
                raise
        else:
            self._temporary = ""

    def _has_a_twin(self, digest: str) -> bool:
        """Whether a file of this name and content is there. Raises FileFailed where it has another content."""
        try:
            os.lstat(self._name, dir_fd=self._folder)
        except FileNotFoundError:
            return False
        with contextlib.suppress(OSError):
            if file_sha256(self._name, folder=self._folder) == digest:
                return True
        raise FileFailed("foreign-file", FOREIGN)

    def _close(self) -> None:
        if self._fd >= 0:
            # close() may be where a network file system reports a full disk; it must not run twice
            fd, self._fd = self._fd, -1
            os.close(fd)

    def discard(self) -> None:
        """Remove the temporary file, if it is there still, and let go of everything; harmless twice."""
        with contextlib.suppress(OSError):
            self._close()
        if self._temporary:
            with contextlib.suppress(OSError):
                os.unlink(self._temporary, dir_fd=self._folder)
            self._temporary = ""
        for fd in (self._lock, self._folder):
            if fd >= 0:
                with contextlib.suppress(OSError):
                    os.close(fd)
        self._lock = self._folder = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.discard()


def write_all(fd: int, data: bytes | bytearray) -> None:
    """Write to an open file, to the last byte. Raises OSError."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def output_error(error: OSError, path: str) -> Stopped | FileFailed:
    """Tell what ends the whole run (disk full, read-only) from what costs one file."""
    if error.errno in _STOPPING:
        words = f"cannot be written: {error.strerror}; the run stops here, run it again to go on"
        return Stopped(f"{escape_name(path)}: {words}")
    return FileFailed("unwritable", f"its output cannot be written: {error.strerror or error}")


@contextlib.contextmanager
def stopping(path: str, *, passing: tuple[type[OSError], ...] = ()) -> Iterator[None]:
    """End the run where the system refuses what every run needs of a file of its own; errors of `passing` go on."""
    try:
        yield
    except passing:
        raise
    except OSError as error:
        raise Stopped(f"{escape_name(path)}: {error.strerror}; the run stops here, run it again to go on") from error


def write_whole(
    path: str,
    chunks: Iterable[bytes],
    *,
    root: str | None = None,
    prefix: str | None = None,
    fsync: bool = False,
    like: Status | None = None,
    time: int | None = None,
) -> None:
    """Replace a file atomically by the given bytes; see OutputFile. Raises Stopped.

    `time` is what the file shows as the time of its last change, from its first instant on. Without a prefix, what an
    earlier process left when it was killed beside the file is removed.
    """
    try:
        if prefix is None:
            clean_up_beside(path, root=root)
        with OutputFile(path, root=root, prefix=prefix or held_prefix(), fsync=fsync, like=like) as output:
            with os.fdopen(os.dup(output.fileno()), "wb") as file:
                file.writelines(chunks)
            if time is not None:
                os.utime(output.fileno(), ns=(time, time))
            output.commit()
    except OSError as error:
        raise Stopped(f"{escape_name(path)}: cannot be written: {error.strerror or error}") from error
    except FileFailed as error:
        raise Stopped(f"{escape_name(path)}: {error}") from error


def clean_up_beside(path: str, *, root: str | None = None) -> None:
    """Remove the temporary files that killed processes left beside a file about to be written."""
    with contextlib.suppress(OSError, FileFailed), folder_opened(root, os.path.dirname(path)) as folder:
        remove_leftovers(folder)


def _fsync_in(folder: int) -> None:
    """Do so in an open folder, whose descriptor may be for names alone."""
    fd = os.open(".", os.O_RDONLY | os.O_CLOEXEC, dir_fd=folder)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
