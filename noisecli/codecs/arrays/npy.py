"""One array in a file of its own."""

import io
import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noisecli.codecs import ArraysSource, InputFile, OutputFile, Sink, StoredArray
from noisecli.codecs.arrays.header import MAGIC, MOST_HEADER_BYTES, Header, read_header, write_header
from noisecli.codecs.arrays.pieces import decode, decode_stored, encode, reader_at
from noisecli.codecs.arrays.records import FieldWriter, RecordField, fields_of
from noisecli.codecs.damage import truncated
from noisecli.codecs.region import Region, copy, write_at
from noisecli.errors import FileFailed, FileSkipped, shown
from noisecli.model import SampleSpec


class NpyArray:
    """The one array of a .npy file; see noisecli.codecs.StoredArray."""

    name = ""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.header = read_header(io.BytesIO(os.pread(descriptor, MOST_HEADER_BYTES, 0)).read)
        self.dtype = self.header.dtype.str
        self.shape = self.header.shape
        self.spec: SampleSpec | None = self.header.spec

    def blocks(self) -> Iterator[NDArray[Any]]:
        return decode(self.header, reader_at(self.descriptor, len(self.header.raw)))

    def records(self) -> Iterator[NDArray[Any]]:
        """Yield all of a structured array, as it is stored."""
        return decode_stored(self.header, self.header.dtype, reader_at(self.descriptor, len(self.header.raw)))


class NpySource(ArraysSource):
    """One opened .npy file; see noisecli.codecs.ArraysSource."""

    format = "npy"

    def __init__(self, file: InputFile) -> None:
        part = NpyArray(file.fileno())
        self.array = part
        fields = fields_of("", part.header, part.records)
        self.parts: Sequence[StoredArray] = fields or [part]
        self.warnings: Sequence[str] = []
        if not fields:
            _refuse_samples(part)
        self._check_size(file.fileno(), file.size, part.header)

    def _check_size(self, descriptor: int, size: int, header: Header) -> None:
        promised = len(header.raw) + header.data_bytes
        if size < promised:
            raise truncated(f"it has {size:,} of the {promised:,} bytes that its header says")
        if size > promised:
            if os.pread(descriptor, len(MAGIC), promised) == MAGIC:
                raise FileSkipped("unsupported-samples", "holds several arrays one after the other; save them as .npz")
            self.warnings = ["trailing-data"]


def _refuse_samples(part: NpyArray) -> None:
    """Leave alone, by name, what has no noise."""
    dtype = part.header.dtype
    if dtype.hasobject:
        raise FileFailed("unsafe", "holds Python objects, which may run code when they are loaded; save it as numbers")
    if part.spec is None:
        words = f"samples of type {shown(dtype)}"
        if dtype.kind == "f":
            words = "longdouble samples, which differ between machines"
        message = f"has {words}; noise is for integers, floats up to float64 and complex numbers of them"
        raise FileSkipped("unsupported-samples", message)


class _Writer(Sink):
    """The samples of one array, written after its header."""

    format = "npy"
    lossy = False

    def __init__(self, file: OutputFile) -> None:
        self.warnings: Sequence[str] = []
        self._descriptor, self._position = file.fileno(), 0
        self._dtype: np.dtype[Any] | None = None

    def _begin(self, header: bytes, dtype: np.dtype[Any]) -> None:
        self._dtype = dtype
        self._append(header)

    def _append(self, data: bytes | memoryview) -> None:
        write_at(self._descriptor, data, self._position)
        self._position += len(data)

    def write(self, block: NDArray[Any]) -> None:
        assert self._dtype is not None
        self._append(encode(block, self._dtype))


class NpySink(_Writer):
    """One .npy being written; see noisecli.codecs.ArraysSink."""

    def __init__(self, file: OutputFile, source: NpySource) -> None:
        super().__init__(file)
        self._array = source.array
        self._field: FieldWriter | None = None
        self._has_records = False

    def begin(self, part: StoredArray, spec: SampleSpec | None) -> None:
        """Write the header, or all of an array that stays as it is, or whose fields are written one by one."""
        header = self._array.header
        if spec is None or isinstance(part, RecordField):
            self._copy_once()
            self._begin_field(part, spec)
            return
        dtype = stored_type(header, spec)
        self._begin(output_header(header, dtype), dtype)

    def _copy_once(self) -> None:
        if not self._has_records:
            header = self._array.header
            copy(self._array.descriptor, self._descriptor, 0, len(header.raw) + header.data_bytes)
        self._has_records = True

    def _begin_field(self, part: StoredArray, spec: SampleSpec | None) -> None:
        self._field = None
        if spec is not None and isinstance(part, RecordField):
            self._field = FieldWriter(Region(self._descriptor), len(part.header.raw), part, spec)

    def write(self, block: NDArray[Any]) -> None:
        if self._field is not None:
            self._field.write(block)
        else:
            super().write(block)


class NpyWriter(_Writer):
    """A new .npy of floats, little-endian. Raises OSError where the file cannot be written."""

    def __init__(
        self, file: OutputFile, dtype: np.dtype[Any], shape: tuple[int, ...], *, fortran_order: bool = False
    ) -> None:
        super().__init__(file)
        stored = dtype.newbyteorder("<")
        self._begin(write_header(stored, shape, fortran_order=fortran_order), stored)


def stored_type(header: Header, spec: SampleSpec) -> np.dtype[Any]:
    """Return the type that samples of `spec` are stored as: the source's byte order stays."""
    return np.dtype(spec.stored_dtype).newbyteorder(">" if header.dtype.str.startswith(">") else "<")


def output_header(header: Header, dtype: np.dtype[Any]) -> bytes:
    """Return the source's own header where the type stays."""
    if dtype == header.dtype:
        return header.raw
    return write_header(dtype, header.shape, fortran_order=header.fortran_order)
