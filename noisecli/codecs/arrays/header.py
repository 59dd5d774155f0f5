"""The header of the .npy format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html."""

import io
import math
import struct
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.lib import format as npy

from noisecli.codecs.damage import truncated
from noisecli.errors import FileFailed, shown
from noisecli.model import SampleSpec

MAGIC = npy.MAGIC_PREFIX
_LONGEST = 10_000
"""Bytes of a header's text, numpy's own limit: it is parsed as Python literals."""
MOST_HEADER_BYTES = len(MAGIC) + 6 + _LONGEST
_MOST_AXES = 64
_MOST_BYTES = (1 << 63) - 1
"""numpy's own limits of an array, axes of length 0 left out."""
_LENGTHS = {(1, 0): "<H", (2, 0): "<I", (3, 0): "<I"}


class Header(NamedTuple):
    """What a header says, and its own bytes."""

    raw: bytes
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    fortran_order: bool

    @property
    def data_bytes(self) -> int:
        """How many bytes of samples follow."""
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def spec(self) -> SampleSpec | None:
        """What the samples mean; see spec_of()."""
        return spec_of(self.dtype, self.shape, fortran_order=self.fortran_order)


def component(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the type of the real and the imaginary part of complex numbers; any other type itself."""
    return np.dtype(f"{dtype.str[0]}f{dtype.itemsize // 2}") if dtype.kind == "c" else dtype


def spec_of(dtype: np.dtype[Any], shape: tuple[int, ...], *, fortran_order: bool) -> SampleSpec | None:
    """Return what samples mean; None for what is not a number, or differs between machines (longdouble)."""
    native = component(dtype)
    if native.kind not in "iuf" or native.itemsize > 8:
        return None
    native = native.newbyteorder("=")
    low, high = -math.inf, math.inf
    if native.kind != "f":
        low, high = int(np.iinfo(native).min), int(np.iinfo(native).max)
    components = 2 if dtype.kind == "c" else 1
    return SampleSpec(native.name, shape, 1.0, low, high, fortran_order=fortran_order, components=components)


def read_header(read: Callable[[int], bytes]) -> Header:
    """Read and check a header. Raises FileFailed. `read` returns the next so many bytes, fewer at the end."""

    def take(count: int) -> bytes:
        data = read(count)
        if len(data) < count:
            raise truncated("it ends inside its header")
        return data

    start = read(len(MAGIC) + 2)
    if start[: len(MAGIC)] != MAGIC:
        raise FileFailed("wrong-content", "is not a .npy array; give it the suffix of its format")
    if len(start) < len(MAGIC) + 2:
        raise truncated("it ends inside its header")
    length = _LENGTHS.get(tuple(start[len(MAGIC) :]))  # type: ignore[arg-type]
    if length is None:
        raise FileFailed("corrupt", "has an unknown version of the .npy format; save it again")
    size_bytes = take(struct.calcsize(length))
    [size] = struct.unpack(length, size_bytes)
    if size > _LONGEST:
        raise FileFailed(
            "corrupt",
            f"has a header of {size:,} bytes, more than numpy reads unless it is told to; save it with fewer fields",
        )
    text = take(size)
    return Header(start + size_bytes + text, *_parsed(text, is_utf8=start[len(MAGIC)] == 3))


def _parsed(text: bytes, *, is_utf8: bool) -> tuple[np.dtype[Any], tuple[int, ...], bool]:
    """Have numpy parse the text, as of version 2: version 3 differs in the letters of names, which can be escaped."""
    try:
        if is_utf8:
            text = text.decode().encode("latin-1", "backslashreplace")
        with warnings.catch_warnings():
            # Python 2 wrote 10L: numpy reads it, and warns
            warnings.simplefilter("ignore")
            shape, fortran_order, dtype = npy.read_array_header_2_0(io.BytesIO(struct.pack("<I", len(text)) + text))
    except Exception as error:
        # numpy hands the text to Python's parser and to its own of types, which raise whatever they stumble over
        reason = shown(str(error).partition("\n")[0] or type(error).__name__)
        raise FileFailed("corrupt", f"has a header that cannot be read ({reason}); save it again") from None
    if not _is_shape(shape, dtype.itemsize):
        raise FileFailed("corrupt", f"has a header that says shape {shown(shape)}; save it again")
    return dtype, shape, fortran_order


def _is_shape(shape: tuple[int, ...], itemsize: int) -> bool:
    """Whether an array may have this shape: numpy looks at a product of all lengths but 0, and so at every length."""
    if any(isinstance(length, bool) or not 0 <= length <= _MOST_BYTES for length in shape):
        return False
    return len(shape) <= _MOST_AXES and math.prod(filter(None, shape)) * itemsize <= _MOST_BYTES


def write_header(dtype: np.dtype[Any], shape: tuple[int, ...], *, fortran_order: bool) -> bytes:
    """Return the header of an array, the same bytes for the same array."""
    buffer = io.BytesIO()
    entries = {"descr": npy.dtype_to_descr(dtype), "fortran_order": fortran_order, "shape": shape}
    npy.write_array_header_1_0(buffer, entries)
    return buffer.getvalue()
