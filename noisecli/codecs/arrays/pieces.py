"""Samples of an array, as bytes that come and go in pieces."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noisecli.codecs.arrays.header import Header, component
from noisecli.codecs.damage import truncated
from noisecli.codecs.region import stretches, unreadable

_BLOCK_BYTES = 1 << 20
"""A multiple of every sample's size; the noise of it fits the cache."""

ReadInto = Callable[[memoryview], int]


def decode(header: Header, read_into: ReadInto) -> Iterator[NDArray[Any]]:
    """Yield all samples in native byte order, in one dimension and storage order; complex numbers as pairs of them.

    A block may be a view of a buffer that the next one reuses. Raises FileFailed where the bytes end before.
    """
    return (in_native_order(stored) for stored in decode_stored(header, component(header.dtype), read_into))


def decode_stored(header: Header, dtype: np.dtype[Any], read_into: ReadInto) -> Iterator[NDArray[Any]]:
    """Yield all of an array in blocks of a type whose size fits into its elements', as it is stored."""
    step = max(_BLOCK_BYTES // dtype.itemsize, 1) * dtype.itemsize if dtype.itemsize else 1
    buffer = memoryview(bytearray(min(header.data_bytes, step)))
    for _, length in stretches(0, header.data_bytes, step):
        _fill(buffer[:length], read_into)
        yield np.frombuffer(buffer[:length], dtype)


def in_native_order(stored: NDArray[Any]) -> NDArray[Any]:
    """Return the same numbers in this machine's byte order."""
    native = stored.dtype.newbyteorder("=")
    return stored if stored.dtype == native else stored.byteswap().view(native)


def _fill(piece: memoryview, read_into: ReadInto) -> None:
    filled = 0
    while filled < len(piece):
        count = read_into(piece[filled:])
        if not count:
            raise truncated("it ends before the last of its samples")
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


def encode(block: NDArray[Any], dtype: np.dtype[Any]) -> memoryview:
    """Return the bytes of a block of samples, as decode() yields it, in the type of the array they are stored in."""
    return np.ascontiguousarray(block, component(dtype)).view(np.uint8).data
