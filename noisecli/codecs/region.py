"""A stretch of an open file that looks like a file of its own; and bytes from one file to another."""

import contextlib
import io
import os
import tempfile
from collections.abc import Iterator
from typing import IO, Any

from noisecli.codecs.damage import truncated
from noisecli.errors import FileFailed

_COPY_BYTES = 1 << 22


def read_at(descriptor: int, start: int, length: int) -> bytes:
    """Return `length` bytes of a source. Raises FileFailed where it ends before, or cannot be read."""
    pieces = []
    while length:
        try:
            piece = os.pread(descriptor, length, start)
        except OSError as error:
            raise unreadable(error) from error
        if not piece:
            raise truncated("it ends before the last of its values")
        pieces.append(piece)
        start, length = start + len(piece), length - len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def unreadable(error: OSError) -> FileFailed:
    """Return an error of reading as the source's: where bytes are copied, it must not be taken for the output's."""
    return FileFailed("unreadable", f"cannot be read: {error.strerror or error}; check the disk")


def stretches(start: int, end: int, step: int = _COPY_BYTES) -> Iterator[tuple[int, int]]:
    """Yield (start, length) of the pieces of a stretch."""
    return ((at, min(step, end - at)) for at in range(start, end, step))


def write_at(descriptor: int, data: Any, start: int) -> None:
    """Write all bytes of an array or of bytes at one place, however many calls that takes."""
    if not memoryview(data).nbytes:
        return
    with memoryview(data).cast("B") as view:
        written = 0
        while written < len(view):
            written += os.pwrite(descriptor, view[written:], start + written)


def copy(source: int, target: int, start: int, end: int) -> None:
    """Copy a stretch of a source to the same place of an output."""
    for at, length in stretches(start, end):
        write_at(target, read_at(source, at, length), at)


class Region(io.RawIOBase):
    """The bytes of a descriptor from `start` on, as a seekable file; of a fixed size, or to the file's end.

    HDF5 cannot be closed while it has something to write: so a write that fails is remembered, and what comes after
    it is accepted and dropped. `error` is the first thing that went wrong.
    """

    def __init__(self, descriptor: int, start: int = 0, size: int | None = None) -> None:
        super().__init__()
        self._descriptor, self._start, self._fixed = descriptor, start, size
        self._position, self._abandoned = 0, False
        self._most = size
        self.error: Exception | None = None

    def hold_to(self, most: int) -> None:
        """Let nothing be written beyond so many bytes: a false address would make an endless file."""
        self._most = most if self._most is None else min(self._most, most)

    def _refuse_beyond(self, end: int) -> None:
        if self._most is not None and end > self._most:
            raise FileFailed("corrupt", "has tensors beyond its end; save it again")

    def abandon(self) -> None:
        """Write nothing from now on."""
        self._abandoned = True

    def check(self) -> None:
        """Raise what went wrong."""
        if self.error is not None:
            raise self.error

    @contextlib.contextmanager
    def _remembering(self) -> Iterator[None]:
        try:
            yield
        except (OSError, FileFailed) as error:
            self.error, self._abandoned = self.error or self._named(error), True

    def _named(self, error: Exception) -> Exception:
        """Return an error as the caller is to see it: an OSError is taken for the output's."""
        return error

    def _size(self) -> int:
        return os.fstat(self._descriptor).st_size - self._start if self._fixed is None else self._fixed

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move; return the new position."""
        base = offset if whence == os.SEEK_SET else offset + (self._position if whence == os.SEEK_CUR else self._size())
        self._position = max(base, 0)
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer as far as the region goes; return how many bytes that are."""
        view = memoryview(buffer).cast("B")
        length = 0 if self._abandoned else max(0, min(len(view), self._size() - self._position))
        with self._remembering():
            view[:length] = read_at(self._descriptor, self._start + self._position, length)
        self._position += length
        return length

    def write(self, data: Any) -> int:
        """Take all of it; a region of fixed size does not grow."""
        length = memoryview(data).nbytes
        if not self._abandoned:
            with self._remembering():
                self._refuse_beyond(self._position + length)
                write_at(self._descriptor, data, self._start + self._position)
        self._position += length
        return length

    def truncate(self, size: int | None = None) -> int:
        """Cut or grow the file under a region that ends with it."""
        size = self._position if size is None else size
        if self._fixed is None and not self._abandoned:
            with self._remembering():
                self._refuse_beyond(size)
                os.ftruncate(self._descriptor, self._start + size)
        return size


class Scratch(Region):
    """A temporary file without a name; its errors are neither the source's nor the output's."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file.fileno())
        self._file = file

    def _named(self, error: Exception) -> Exception:
        return _no_room(error) if isinstance(error, OSError) else error

    def close(self) -> None:
        """Close the file, which is deleted by that."""
        super().close()
        self._file.close()


def open_scratch() -> Scratch:
    """Open a temporary file. Raises FileFailed."""
    try:
        return Scratch(tempfile.TemporaryFile(prefix="noisecli-", buffering=0))
    except OSError as error:
        raise _no_room(error) from error


def _no_room(error: OSError) -> FileFailed:
    words = f"needs a temporary file, and cannot make one ({error.strerror or error}); set TMPDIR to a folder with room"
    return FileFailed("unwritable", words)
