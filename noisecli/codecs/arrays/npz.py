"""Several arrays in a zip archive, as numpy.savez and numpy.savez_compressed write it."""

import contextlib
import io
import os
import shutil
import zipfile
from collections.abc import Iterator, Sequence
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray

from noisecli.codecs import InputFile, OutputFile, StoredArray, zips
from noisecli.codecs.arrays.header import MAGIC, Header, read_header
from noisecli.codecs.arrays.npy import output_header, stored_type
from noisecli.codecs.arrays.pieces import ReadInto, decode, decode_stored, encode
from noisecli.codecs.arrays.records import FieldWriter, RecordField, fields_of
from noisecli.codecs.damage import truncated
from noisecli.codecs.region import Scratch, open_scratch, read_at, stretches
from noisecli.errors import FileFailed, FileSkipped, shown
from noisecli.model import Limits, SampleSpec

_SUFFIX = ".npy"


class NpzArray:
    """One member of an archive; see noisecli.codecs.StoredArray. Anything but arrays of numbers is copied as it is."""

    def __init__(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, *, floats_only: bool) -> None:
        self._archive, self.info = archive, info
        self.name = info.filename.removesuffix(_SUFFIX)
        self.header = self._read_header() if info.filename.endswith(_SUFFIX) else None
        self.dtype = "" if self.header is None else self.header.dtype.str
        self.shape = () if self.header is None else self.header.shape
        self.spec: SampleSpec | None = None if self.header is None else self.header.spec
        if floats_only and self.spec is not None and (not self.spec.is_float or self.spec.components > 1):
            self.spec = None

    @property
    def opaque_bytes(self) -> int:
        """See noisecli.codecs.Opaque. What macOS adds holds nothing of anybody's."""
        is_array = self.header is not None and not self.header.dtype.hasobject
        is_apples = self.name.startswith("__MACOSX/") or self.name.rpartition("/")[2].startswith("._")
        return 0 if is_array or is_apples else self.info.file_size

    def _read_header(self) -> Header | None:
        """Return what the member says of its array; None for one that numpy hands out as bytes, too."""
        with zips.zip_damage_as_problems(), self._archive.open(self.info) as member:
            start = member.read(len(MAGIC))
            if not MAGIC.startswith(start):
                return None
            header = read_header(_ReadOn(start, member).read)
        if self.info.file_size < len(header.raw) + _expected_bytes(header):
            raise truncated(f"its member {shown(self.name)!r} ends before the last of its samples")
        return header

    @property
    def has_trailing_data(self) -> bool:
        """Whether bytes follow the array. How many a pickle has, it alone says."""
        if self.header is None or self.header.dtype.hasobject:
            return False
        return self.info.file_size > len(self.header.raw) + self.header.data_bytes

    @contextlib.contextmanager
    def _data(self) -> Iterator[ReadInto]:
        assert self.header is not None
        with zips.zip_damage_as_problems(), self._archive.open(self.info) as member:
            member.read(len(self.header.raw))
            yield cast(io.BufferedIOBase, member).readinto
            # the checksum is compared at the member's end
            while member.read(1 << 18):
                pass

    def blocks(self) -> Iterator[NDArray[Any]]:
        assert self.header is not None
        with self._data() as read_into:
            yield from decode(self.header, read_into)

    def records(self) -> Iterator[NDArray[Any]]:
        """Yield all of a structured array, as it is stored."""
        assert self.header is not None
        with self._data() as read_into:
            yield from decode_stored(self.header, self.header.dtype, read_into)

    def check(self) -> None:
        """Compare the checksum of all of it."""
        for _ in zips.read_member(self._archive, self.info):
            pass


class _ReadOn:
    """A member of which some bytes have been read."""

    def __init__(self, start: bytes, member: IO[bytes]) -> None:
        self._start, self._member = start, member

    def read(self, count: int) -> bytes:
        start, self._start = self._start[:count], self._start[count:]
        return start + self._member.read(count - len(start))


def _expected_bytes(header: Header) -> int:
    """Return how many bytes follow a header at least. Objects are pickled, and never loaded."""
    return 0 if header.dtype.hasobject else header.data_bytes


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
        self.arrays = {array.name: array for array in arrays}
        self.parts: Sequence[StoredArray] = arrays if floats_only else _with_fields(arrays)
        trailing = any(array.has_trailing_data for array in arrays)
        self.warnings: Sequence[str] = ["trailing-data"] if trailing else []

    def close(self) -> None:
        zips.close_archive(self.archive)


def _with_fields(arrays: Sequence[NpzArray]) -> list[StoredArray]:
    """Return the arrays, those that are structured as their fields; as a whole where a name would be there twice."""
    taken, parts = {array.name for array in arrays}, list[StoredArray]()
    for array in arrays:
        fields = [] if array.header is None else fields_of(array.name, array.header, array.records)
        names = {field.name for field in fields}
        if not fields or names & (taken - {array.name}):
            parts.append(array)
            continue
        taken |= names
        parts += fields
    return parts


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
        self._records: tuple[NpzArray, Scratch | None] | None = None
        self._field: FieldWriter | None = None
        self.warnings: Sequence[str] = []

    def begin(self, part: StoredArray, spec: SampleSpec | None) -> None:
        if isinstance(part, RecordField):
            self._begin_field(part, spec)
            return
        assert isinstance(part, NpzArray)
        self._end_member()
        if spec is None:
            part.check()
            self._carry(part.info)
            return
        assert part.header is not None
        self._begin_member(part, part.header, stored_type(part.header, spec))

    def _begin_member(self, array: NpzArray, header: Header, dtype: np.dtype[Any]) -> IO[bytes]:
        text = output_header(header, dtype)
        info = _described_like(array.info)
        # whether the member needs 64 bits for its size is decided by what is to come
        info.file_size = len(text) + header.data_bytes // header.dtype.itemsize * dtype.itemsize
        self._dtype, self._member = dtype, self._archive.open(info, "w")
        self._member.write(text)
        return self._member

    def _begin_field(self, part: RecordField, spec: SampleSpec | None) -> None:
        """Begin a field of a member that is begun, or of another one. Records with noise wait in a temporary file."""
        if self._records is None or self._records[0].name != part.member:
            self._end_member()
            self._records = self._source.arrays[part.member], None
        self._field = None
        array, scratch = self._records
        if spec is None:
            return
        if scratch is None:
            scratch = open_scratch()
            self._records = array, scratch
            for records in array.records():
                scratch.write(records.view(np.uint8))
            scratch.check()
        self._field = FieldWriter(scratch, 0, part, spec)

    def _end_records(self, array: NpzArray, scratch: Scratch | None) -> None:
        """Write a structured member, of which some fields may have noise."""
        if scratch is None:
            array.check()
            self._carry(array.info)
            return
        assert array.header is not None
        with contextlib.closing(scratch), self._begin_member(array, array.header, array.header.dtype) as member:
            self._member = None
            scratch.seek(0)
            shutil.copyfileobj(scratch, member, 1 << 20)
            scratch.check()

    def write(self, block: NDArray[Any]) -> None:
        if self._field is not None:
            self._field.write(block)
            return
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
        self._field = None
        if self._records is not None:
            records, self._records = self._records, None
            self._end_records(*records)
        if self._member is not None:
            member, self._member = self._member, None
            member.close()

    def finish(self) -> None:
        self._end_member()
        self._archive.close()
        self._file.close()

    def abort(self) -> None:
        if self._records is not None and self._records[1] is not None:
            self._records[1].close()
        self._records = None
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
