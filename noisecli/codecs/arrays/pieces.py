"""Samples of an array, as bytes that come and go in pieces."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noisecli.codecs.arrays.header import Header
from noisecli.errors import FileFailed

BLOCK_BYTES = 1 << 20
"""A multiple of every sample's size; the noise of it fits the cache."""

ReadInto = Callable[[memoryview], int]


def decode(header: Header, read_into: ReadInto) -> Iterator[NDArray[Any]]:
    """Yield all samples in native byte order, in one dimension and storage order.

    A block may be a view of a buffer that the next one reuses.
    """
    native = header.dtype.newbyteorder("=")
    for piece in pieces(header.data_bytes, read_into):
        stored = np.frombuffer(piece, header.dtype)
        yield stored if stored.dtype == native else stored.byteswap().view(native)


def pieces(size: int, read_into: ReadInto) -> Iterator[memoryview]:
    """Yield so many bytes, in one buffer that is used again. Raises FileFailed where they end before."""
    buffer = memoryview(bytearray(min(size, BLOCK_BYTES)))
    for start in range(0, size, BLOCK_BYTES):
        piece = buffer[: min(size - start, BLOCK_BYTES)]
        _fill(piece, read_into)
        yield piece


def _fill(piece: memoryview, read_into: ReadInto) -> None:
    filled = 0
    while filled < len(piece):
        count = read_into(piece[filled:])
        if not count:
            raise FileFailed("truncated", "ends before the last of its samples; copy it again")
        filled += count


def reader_at(descriptor: int, offset: int) -> ReadInto:
    """Return what reads a file on from an offset, wherever its position is. No mapping: a file may shrink."""
    position = offset

    def read_into(piece: memoryview) -> int:
        nonlocal position
        try:
            count = os.preadv(descriptor, [piece], position)
        except OSError as error:
            raise unreadable(error) from error
        position += count
        return count

    return read_into


def unreadable(error: OSError) -> FileFailed:
    """Return an error of reading as the source's: where pieces are copied, it must not be taken for the output's."""
    return FileFailed("unreadable", f"cannot be read: {error.strerror or error}; look after the disk")


def write_all(descriptor: int, data: bytes | memoryview) -> None:
    """Write all of it where the file stands. Raises OSError."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def encode(block: NDArray[Any], dtype: np.dtype[Any]) -> memoryview:
    """Return a block's bytes in the type they are stored as."""
    return np.ascontiguousarray(block, dtype).view(np.uint8).data
