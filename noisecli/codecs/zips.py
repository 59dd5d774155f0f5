"""Zip archives, as .npz and .keras are: opened within limits, members that overlap refused; and begun."""

import contextlib
import errno
import io
import os
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import IO, Any, cast

from noisecli.codecs.limits import refuse_bomb, refuse_crowd
from noisecli.codecs.region import read_at, unreadable
from noisecli.errors import FileFailed, shown
from noisecli.model import Limits

ENCRYPTED, SIZES_AFTER = 0x1, 0x8
"""Flags of a member."""
PLAIN = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""How numpy, Keras and zip programs pack."""
_LOCAL_BYTES = 30
_PIECE = 1 << 20
_MOST_DIRECTORY_BYTES = 1 << 24
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, struct.error, RuntimeError, ValueError, OverflowError)
"""What zipfile and zlib raise over bytes that are not a valid archive."""


@contextlib.contextmanager
def zip_damage_as_problems() -> Iterator[None]:
    """Raise what zipfile and zlib say of a broken archive as FileFailed."""
    try:
        yield
    except _BROKEN as error:
        words = shown(error) or type(error).__name__
        raise FileFailed("corrupt", f"is a broken archive ({words}); copy or save it again") from None
    except OSError as error:
        if error.errno not in (None, errno.EINVAL):
            raise unreadable(error) from error
        # bzip2 has no error of its own
        words = "its directory points outside the file" if error.errno else shown(error)
        raise FileFailed("corrupt", f"is a broken archive ({words}); copy or save it again") from None


class _Reader(io.BufferedReader):
    """A file whose zip directory has a length that memory holds: zipfile reads it in one piece, and nothing else."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _MOST_DIRECTORY_BYTES:
            message = f"is an archive with a directory of {size:,} bytes, which no archive of arrays needs; split it"
            raise FileFailed("too-large", message)
        return super().read(size)


def open_archive(descriptor: int) -> zipfile.ZipFile:
    """Open the archive in a file, which stays the caller's. Raises FileFailed."""
    file = _Reader(io.FileIO(os.dup(descriptor), "rb"))
    try:
        with zip_damage_as_problems():
            archive = zipfile.ZipFile(file)
    except BaseException:
        file.close()
        raise
    return archive


def close_archive(archive: zipfile.ZipFile) -> None:
    """Close what open_archive() opened."""
    file = archive.fp
    archive.close()
    if file is not None:
        file.close()


def read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield a member's inflated bytes; its checksum is compared at their end."""
    with zip_damage_as_problems(), archive.open(info) as member:
        while piece := member.read(_PIECE):
            yield piece


def data_start(descriptor: int, info: zipfile.ZipInfo) -> int:
    """Return where a member's packed bytes begin."""
    name, extra = struct.unpack("<HH", read_at(descriptor, info.header_offset + 26, 4))
    return info.header_offset + _LOCAL_BYTES + int(name) + int(extra)


def check_members(members: Sequence[zipfile.ZipInfo], names: Sequence[str], size: int, limits: Limits) -> None:
    """Check the members of an archive of `size` bytes; `names` is what they are called, in their order.

    The directory's sizes are believed: zipfile reads no more of a member than they say.
    """
    refuse_crowd(names)
    refuse_bomb(sum(info.file_size for info in members), size, limits)
    places = ((info.header_offset, info.header_offset + _LOCAL_BYTES + info.compress_size) for info in members)
    if any(end > start for (_, end), (start, _) in pairwise([(0, 0), *sorted(places), (size, size)])):
        raise FileFailed("corrupt", "is an archive whose members overlap; save it again")
    if len(set(names)) < len(names):
        [(twice, _)] = Counter(names).most_common(1)
        raise FileFailed("corrupt", f"has two members named {shown(twice)!r}; save it again")


class _Watched:
    """A file that remembers a seek that failed: zipfile takes that for a pipe, and writes another layout in silence."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.failure: OSError | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def tell(self) -> int:
        return self.seek(0, 1)

    def seek(self, offset: int, whence: int = 0) -> int:
        try:
            return self._file.seek(offset, whence)
        except OSError as error:
            self.failure = error
            raise


def create_archive(file: IO[bytes]) -> zipfile.ZipFile:
    """Begin an archive. Raises OSError, the file closed, where the file cannot seek."""
    watched = _Watched(file)
    archive = zipfile.ZipFile(cast("IO[bytes]", watched), "w")
    if watched.failure is not None:
        # so that its end does not write a directory
        archive.fp = None
        file.close()
        raise watched.failure
    return archive
