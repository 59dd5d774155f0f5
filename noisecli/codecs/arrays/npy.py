"""One array in a file of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noisecli.codecs import InputFile, OutputFile, StoredArray
from noisecli.codecs.arrays.header import MAGIC, Header, read_header, write_header
from noisecli.codecs.arrays.pieces import decode, encode, pieces, reader_at, write_all
from noisecli.errors import FileFailed, FileSkipped, shown
from noisecli.model import SampleSpec, Warn

_PEEK = 64


class NpyPart:
    """The one array of a .npy file; see noisecli.codecs.StoredArray."""

    name = ""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.header = _header_of(descriptor)
        self.dtype = self.header.dtype.str
        self.shape = self.header.shape
        self.spec: SampleSpec | None = self.header.spec

    def blocks(self) -> Iterator[NDArray[Any]]:
        """Yield the samples in storage order."""
        return decode(self.header, reader_at(self.descriptor, len(self.header.raw)))


def _header_of(descriptor: int) -> Header:
    position = 0

    def read(count: int) -> bytes:
        nonlocal position
        data = os.pread(descriptor, count, position)
        position += len(data)
        return data

    return read_header(read)


class NpySource:
    """One opened .npy file; see noisecli.codecs.ArraysSource."""

    format = "npy"

    def __init__(self, file: InputFile) -> None:
        part = NpyPart(file.fileno())
        self.parts = [part]
        self.warnings: Sequence[Warn] = []
        _refuse_samples(part)
        self._check_size(file.size, part.header)

    def _check_size(self, size: int, header: Header) -> None:
        promised = len(header.raw) + header.data_bytes
        if size < promised:
            raise FileFailed("truncated", f"has {size:,} of the {promised:,} bytes that its header says; copy it again")
        if size > promised:
            if os.pread(self.parts[0].descriptor, len(MAGIC), promised) == MAGIC:
                message = "holds several arrays one behind the other; save them as .npz"
                raise FileSkipped("unsupported-samples", message)
            self.warnings = ["trailing-data"]

    def close(self) -> None:
        """Nothing is held."""


def _refuse_samples(part: NpyPart) -> None:
    """Leave alone, by name, what has no noise."""
    dtype = part.header.dtype
    if dtype.hasobject:
        message = "holds Python objects, which may run code when they are loaded; save it as numbers"
        raise FileFailed("unsafe", message)
    if part.spec is None:
        words = f"samples of type {shown(dtype)}"
        if dtype.kind == "f":
            words = "longdouble samples, which differ between machines"
        raise FileSkipped("unsupported-samples", f"has {words}; noise is for integers and floats up to float64")


class NpySink:
    """One .npy being written; see noisecli.codecs.ArraysSink."""

    format = "npy"
    lossy = False

    def __init__(self, file: OutputFile) -> None:
        self._descriptor = file.fileno()
        self._dtype: np.dtype[Any] | None = None
        self.warnings: list[Warn] = []

    def begin(self, part: StoredArray, spec: SampleSpec | None) -> None:
        """Write the header, or all of an array that stays as it is."""
        assert isinstance(part, NpyPart)
        header = part.header
        if spec is None:
            for piece in pieces(len(header.raw) + header.data_bytes, reader_at(part.descriptor, 0)):
                write_all(self._descriptor, piece)
            return
        self._dtype = stored_type(header, spec)
        write_all(self._descriptor, output_header(header, self._dtype))

    def write(self, block: NDArray[Any]) -> None:
        """Write the next samples."""
        assert self._dtype is not None
        write_all(self._descriptor, encode(block, self._dtype))

    def finish(self) -> None:
        """All is written by now."""

    def abort(self) -> None:
        """Nothing is held."""


class NpyWriter:
    """A new .npy of floats, little-endian and in C order.

    Raises OSError where the file cannot be written.
    """

    format = "npy"
    lossy = False

    def __init__(self, file: OutputFile, dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
        self._descriptor, self._dtype = file.fileno(), dtype.newbyteorder("<")
        write_all(self._descriptor, write_header(self._dtype, shape, fortran_order=False))

    def write(self, block: NDArray[Any]) -> None:
        """Write the next samples, one dimension."""
        write_all(self._descriptor, encode(block, self._dtype))

    def finish(self) -> None:
        """All is written by now."""

    def abort(self) -> None:
        """Nothing is held."""


def stored_type(header: Header, spec: SampleSpec) -> np.dtype[Any]:
    """Return the type that samples of `spec` are stored as: the source's byte order stays."""
    return np.dtype(spec.dtype).newbyteorder(">" if header.dtype.str.startswith(">") else "<")


def output_header(header: Header, dtype: np.dtype[Any]) -> bytes:
    """Return the source's own header where the type stays."""
    if dtype == header.dtype:
        return header.raw
    return write_header(dtype, header.shape, fortran_order=header.fortran_order)
