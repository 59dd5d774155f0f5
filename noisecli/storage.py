"""Files at the rim: opened with care, written whole or not at all, named by safe relative paths."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import stat
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, Self

from noisecli.errors import FileFailed, FileSkipped, Refused, Stopped
from noisecli.renaming import rename_new

TEMPORARY_PREFIX = ".noisecli-tmp-"
_SMALL = 1 << 18
"""Files up to this size are digested in one piece; the buffer of file_digest() costs more than they do."""
_FOREIGN = "its output has the name of a file that no row tells of; move that away, or add --force"
_STOPPING = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE}


def escape_name(path: str) -> str:
    """Return a path as UTF-8 can hold it: bytes of the file system that are not UTF-8 become %FF."""
    if path.isascii():
        return path
    raw = os.fsencode(path)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("utf-8", "surrogateescape")
        return "".join(f"%{ord(c) - 0xDC00:02X}" if "\udc80" <= c <= "\udcff" else c for c in text)


def find_escaped(root: str, name: str, *, strict: bool = False) -> str | None:
    """Return the relative path below `root` that escape_name() spells as `name`; None when there is none.

    A literal %FF and a byte 0xff look the same in a manifest, so names are compared, never spelled back. With `strict`,
    OSError is raised where a folder on the way cannot be listed.
    """
    if os.path.lexists(os.path.join(root, name)):
        return name
    found = [""]
    for part in name.split("/"):
        found = [
            os.path.join(below, entry)
            for below in found
            for entry in _escaped_as(os.path.join(root, below), part, strict)
        ]
    return found[0] if found else None


def _escaped_as(folder: str, escaped: str, strict: bool) -> list[str]:
    try:
        return [entry for entry in os.listdir(folder) if escape_name(entry) == escaped]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError:
        if strict:
            raise
        return []


def leads_out(root: str, name: str) -> bool:
    """Whether the folder of a relative path is, by a symbolic link on the way, not below the root any more."""
    real_root = os.path.realpath(root)
    folder = os.path.realpath(os.path.join(root, os.path.dirname(name)))
    return folder != real_root and not folder.startswith(real_root.rstrip("/") + "/")


_LONG = 1 << 24


class SourceFile:
    """A regular file, open for reading.

    Raises FileFailed or FileSkipped from the constructor for what is gone, unreadable, too large or no regular file; a
    FIFO is recognised without waiting for its writer.
    """

    def __init__(self, path: str, max_bytes: int) -> None:
        self.suffix = os.path.splitext(path)[1]
        self._content: bytes | None = None
        self._digest: str | None = None
        try:
            self._fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise _unreadable(error) from error
        try:
            self._opened = os.fstat(self._fd)
            self.size = self._opened.st_size
            if not stat.S_ISREG(self._opened.st_mode):
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
                raise _unreadable(error) from error
            self.check_unchanged(len(self._content))
        return self._content

    def sha256(self) -> str:
        """Return the digest of the content in hex."""
        if self._digest is None:
            self._digest = _file_sha256(self._fd) if self._content is None else sha256(self._content)
        return self._digest

    def forget(self) -> None:
        """Keep the digest alone of a long content: it would lie in memory beside its samples."""
        if self._content is not None and len(self._content) > _LONG:
            self.sha256()
            self._content = None

    def check_unchanged(self, length: int | None = None) -> None:
        """Raise FileFailed when the file changed under us, or gave another number of bytes than it has."""
        now, then = os.fstat(self._fd), self._opened
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


def _unreadable(error: OSError) -> FileFailed:
    if error.errno == errno.ENOENT:
        return FileFailed("gone", "is gone since the folder was listed")
    return FileFailed("unreadable", f"cannot be read: {error.strerror}; check its permissions")


class OutputFile:
    """A temporary file beside its target, which takes the target's name when it is whole.

    As a context manager: commit() inside puts it in place, anything else removes it.
    """

    def __init__(self, path: str, *, prefix: str = TEMPORARY_PREFIX, fsync: bool = False) -> None:
        self._path, self._fsync = path, fsync
        self._digest: str | None = None
        folder = os.path.dirname(path) or "."
        self._temporary = os.path.join(folder, prefix + secrets.token_hex(6))
        try:
            self._fd = self._create(folder)
        except OSError as error:
            raise output_error(error, path) from error

    def _create(self, folder: str) -> int:
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        try:
            return os.open(self._temporary, flags, 0o666)
        except FileNotFoundError:
            os.makedirs(folder, exist_ok=True)
            return os.open(self._temporary, flags, 0o666)

    def fileno(self) -> int:
        """Return the descriptor of the temporary file."""
        return self._fd

    def write(self, data: bytes | bytearray) -> None:
        """Write the whole content."""
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(self._fd, view) :]
        except OSError as error:
            raise output_error(error, self._path) from error
        self._digest = sha256(data)

    def commit(self, *, replace: bool = True, announce: Callable[[str], None] | None = None) -> tuple[int, str]:
        """Put the file in place; return its size and sha256.

        Parameters
        ----------
        replace
            Whether a file that has the name already gives way. Without it, only one of the same content does.
        announce
            Told the sha256 just before the file takes its name; not at all where one of its content has it already.

        Raises
        ------
        FileFailed
            When another file has the name, or the system refuses; Stopped where it would refuse any other file too.
        """
        try:
            size = os.fstat(self._fd).st_size
            digest = self._digest or _file_sha256(self._fd)
            if self._fsync:
                os.fsync(self._fd)
            self._close()
            self._put_in_place(digest, replace, announce)
            if self._fsync:
                fsync_folder(os.path.dirname(self._path))
        except OSError as error:
            raise output_error(error, self._path) from error
        self.discard()
        return size, digest

    def _put_in_place(self, digest: str, replace: bool, announce: Callable[[str], None] | None) -> None:
        if not replace and self._stands(digest):
            return
        if announce is not None:
            announce(digest)
        try:
            (os.replace if replace else rename_new)(self._temporary, self._path)
        except FileExistsError:
            if not self._stands(digest):
                raise
        else:
            self._temporary = ""

    def _stands(self, digest: str) -> bool:
        """Whether a file of this name and content is there. Raises FileFailed where it has another content."""
        if not os.path.lexists(self._path):
            return False
        if not _has_content(self._path, digest):
            raise FileFailed("foreign-file", _FOREIGN)
        return True

    def _close(self) -> None:
        if self._fd >= 0:
            # close() may be where a network file system reports a full disk; it must not run twice
            fd, self._fd = self._fd, -1
            os.close(fd)

    def discard(self) -> None:
        """Remove the temporary file; harmless after commit."""
        with contextlib.suppress(OSError):
            self._close()
        if self._temporary:
            with contextlib.suppress(OSError):
                os.unlink(self._temporary)
            self._temporary = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.discard()


def _has_content(path: str, digest: str) -> bool:
    try:
        return not os.path.islink(path) and file_sha256(path) == digest
    except OSError:
        return False


def output_error(error: OSError, path: str) -> Stopped | FileFailed:
    """Tell what ends the whole run (disk full, read-only) from what costs one file."""
    if error.errno in _STOPPING:
        return Stopped(
            f"{escape_name(path)}: cannot be written: {error.strerror}; the run stops here, run it again to go on"
        )
    return FileFailed("unwritable", f"its output cannot be written: {error.strerror or error}")


@contextlib.contextmanager
def stopping(path: str) -> Iterator[None]:
    """End the run where the system refuses what every run needs of a file of its own."""
    try:
        yield
    except OSError as error:
        raise Stopped(f"{escape_name(path)}: {error.strerror}; the run stops here, run it again to go on") from error


def write_whole(path: str, chunks: Iterable[bytes], *, prefix: str = TEMPORARY_PREFIX, fsync: bool = False) -> None:
    """Replace a file atomically by the given bytes. Raises Stopped."""
    try:
        with OutputFile(path, prefix=prefix, fsync=fsync) as output:
            with os.fdopen(os.dup(output.fileno()), "wb") as file:
                file.writelines(chunks)
            output.commit()
    except (OSError, FileFailed) as error:
        raise Stopped(f"{escape_name(path)}: {error}") from error


def fsync_folder(folder: str) -> None:
    """Make a rename in the folder survive power loss."""
    fd = os.open(folder or ".", os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sha256(data: bytes | bytearray) -> str:
    """Return the digest in hex."""
    return hashlib.sha256(data).hexdigest()


def file_sha256(path: str) -> str:
    """Return the digest of a regular file's content in hex; a pipe is not waited for. Raises OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise OSError(errno.EINVAL, "is not a regular file")
        return _file_sha256(fd)
    finally:
        os.close(fd)


def _file_sha256(fd: int) -> str:
    size = os.fstat(fd).st_size
    if size <= _SMALL and len(data := os.pread(fd, size + 1, 0)) == size:
        return sha256(data)
    with os.fdopen(os.dup(fd), "rb", buffering=0) as file:
        file.seek(0)
        return hashlib.file_digest(file, "sha256").hexdigest()


def remove_temporaries(folders: Iterable[str], prefix: str) -> None:
    """Remove what a killed worker, or all of a killed run, left in these folders."""
    for folder in folders:
        with contextlib.suppress(OSError), os.scandir(folder or ".") as entries:
            for entry in entries:
                if entry.name.startswith(prefix):
                    os.unlink(entry.path)
