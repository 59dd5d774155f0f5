"""Several arrays in a zip archive, as numpy.savez and numpy.savez_compressed write it."""

import contextlib
import io
import os
import zipfile
from collections.abc import Iterator, Sequence
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray

from noisecli.codecs import InputFile, OutputFile, StoredArray, zips
from noisecli.codecs.arrays.header import Header, read_header
from noisecli.codecs.arrays.npy import output_header, stored_type
from noisecli.codecs.arrays.pieces import decode, encode
from noisecli.codecs.damage import truncated
from noisecli.codecs.region import read_at, stretches
from noisecli.errors import FileFailed, FileSkipped, shown
from noisecli.model import Limits, SampleSpec

_SUFFIX = ".npy"


class NpzArray:
    """One member of an archive; see noisecli.codecs.StoredArray. Anything but plain arrays is copied as it is."""

    def __init__(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, *, floats_only: bool) -> None:
        self._archive, self.info = archive, info
        self.name = info.filename.removesuffix(_SUFFIX)
        self.header = self._read_header() if info.filename.endswith(_SUFFIX) else None
        self.dtype = "" if self.header is None else self.header.dtype.str
        self.shape = () if self.header is None else self.header.shape
        self.spec: SampleSpec | None = None if self.header is None else self.header.spec
        if floats_only and self.spec is not None and not self.spec.is_float:
            self.spec = None

    def _read_header(self) -> Header:
        with zips.zip_damage_as_problems(), self._archive.open(self.info) as member:
            header = read_header(member.read)
        if self.info.file_size < len(header.raw) + header.data_bytes:
            raise truncated(f"its member {shown(self.name)!r} ends before the last of its samples")
        return header

    @property
    def has_trailing_data(self) -> bool:
        """Whether bytes follow the array."""
        return self.header is not None and self.info.file_size > len(self.header.raw) + self.header.data_bytes

    def blocks(self) -> Iterator[NDArray[Any]]:
        assert self.header is not None
        with zips.zip_damage_as_problems(), self._archive.open(self.info) as member:
            member.read(len(self.header.raw))
            yield from decode(self.header, cast(io.BufferedIOBase, member).readinto)
            # the checksum is compared at the member's end
            while member.read(1 << 18):
                pass

    def check(self) -> None:
        """Compare the checksum of all of it."""
        for _ in zips.read_member(self._archive, self.info):
            pass


class NpzSource:
    """One opened .npz archive; see noisecli.codecs.ArraysSource. `floats_only`: integers are not parameters."""

    format = "npz"

    def __init__(self, file: InputFile, limits: Limits, *, floats_only: bool = False) -> None:
        self.descriptor = file.fileno()
        self.archive = zips.open_archive(self.descriptor)
        try:
            members = self.archive.infolist()
            names = [info.filename.removesuffix(_SUFFIX) for info in members]
            zips.check_members(members, names, file.size, limits)
            _refuse_odd_members(members, names)
            arrays = [NpzArray(self.archive, info, floats_only=floats_only) for info in members]
        except BaseException:
            self.close()
            raise
        self.parts: Sequence[StoredArray] = arrays
        trailing = any(array.has_trailing_data for array in arrays)
        self.warnings: Sequence[str] = ["trailing-data"] if trailing else []

    def close(self) -> None:
        zips.close_archive(self.archive)


def _refuse_odd_members(members: Sequence[zipfile.ZipInfo], names: Sequence[str]) -> None:
    for info, name in zip(members, names, strict=True):
        if info.flag_bits & zips.ENCRYPTED:
            raise FileFailed("unreadable", "is an encrypted archive; decrypt it first")
        if info.compress_type not in zips.PLAIN:
            message = f"has a member {shown(name)!r} compressed in a way that numpy does not write; save it again"
            raise FileSkipped("unsupported-format", message)


class NpzSink:
    """One .npz being written; see noisecli.codecs.ArraysSink. Members keep their place, date and compression."""

    format = "npz"
    lossy = False

    def __init__(self, file: OutputFile, source: NpzSource) -> None:
        self._source = source
        self._file = os.fdopen(os.dup(file.fileno()), "w+b")
        self._archive = zips.create_archive(self._file)
        self._archive.comment = source.archive.comment
        self._member: IO[bytes] | None = None
        self._dtype: np.dtype[Any] | None = None
        self.warnings: Sequence[str] = []

    def begin(self, part: StoredArray, spec: SampleSpec | None) -> None:
        assert isinstance(part, NpzArray)
        self._end_member()
        if spec is None:
            part.check()
            self._carry(part.info)
            return
        assert part.header is not None
        self._dtype = stored_type(part.header, spec)
        header = output_header(part.header, self._dtype)
        info = _described_like(part.info)
        # whether the member needs 64 bits for its size is decided by what is to come
        info.file_size = len(header) + part.header.data_bytes // part.header.dtype.itemsize * self._dtype.itemsize
        self._member = self._archive.open(info, "w")
        self._member.write(header)

    def write(self, block: NDArray[Any]) -> None:
        assert self._member is not None
        assert self._dtype is not None
        self._member.write(encode(block, self._dtype))

    def _carry(self, info: zipfile.ZipInfo) -> None:
        """Copy a member's bytes, not inflated; zipfile writes the directory entry that goes with them."""
        new = _described_like(info)
        new.CRC, new.compress_size, new.file_size = info.CRC, info.compress_size, info.file_size
        new.flag_bits = info.flag_bits & ~zips.SIZES_AFTER
        archive = self._archive
        self._file.seek(archive.start_dir)
        new.header_offset = archive.start_dir
        self._file.write(new.FileHeader())
        descriptor = self._source.descriptor
        start = zips.data_start(descriptor, info)
        for at, length in stretches(start, start + info.compress_size):
            self._file.write(read_at(descriptor, at, length))
        archive.start_dir = self._file.tell()
        archive.filelist.append(new)
        archive.NameToInfo[new.filename] = new

    def _end_member(self) -> None:
        if self._member is not None:
            member, self._member = self._member, None
            member.close()

    def finish(self) -> None:
        self._end_member()
        self._archive.close()
        self._file.close()

    def abort(self) -> None:
        with contextlib.suppress(OSError, ValueError, RuntimeError, zipfile.LargeZipFile):
            self._end_member()
        with contextlib.suppress(OSError, ValueError, RuntimeError):
            self._archive.close()
        with contextlib.suppress(OSError):
            self._file.close()


def _described_like(info: zipfile.ZipInfo) -> zipfile.ZipInfo:
    """Return a new entry with the old one's name, date, compression and attributes."""
    new = zipfile.ZipInfo(info.filename, info.date_time)
    new.compress_type = info.compress_type
    new.comment = info.comment
    new.create_system = info.create_system
    new.internal_attr, new.external_attr = info.internal_attr, info.external_attr
    return new
