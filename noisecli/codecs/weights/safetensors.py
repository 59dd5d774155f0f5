"""The .safetensors format: 8 bytes of length, a JSON header, and the tensors' bytes one after the other.

Read and written here by blocks, rather than by the safetensors package, so that memory stays flat and the header, with
its metadata and its order, stays as it was to the byte.
"""

import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from noisecli.codecs import ArraysSink, ArraysSource, InputFile, OutputFile, StoredArray
from noisecli.codecs.damage import truncated
from noisecli.codecs.limits import MOST_JSON_BYTES, refuse_crowd
from noisecli.codecs.region import copy, read_at, stretches, write_at
from noisecli.codecs.weights import bf16
from noisecli.codecs.weights.bf16 import BF16, RoundsToBF16
from noisecli.errors import FileFailed, shown
from noisecli.model import SampleSpec

SUFFIX = ".safetensors"

_METADATA = "__metadata__"

_LENGTH_BYTES = 8
_MOST_HEADER_BYTES = 100_000_000
"""What the safetensors package itself allows."""

_MOST_DIMENSIONS = 64
_MOST_DIGITS = 20

_STORED = {"F16": "<f2", "BF16": BF16, "F32": "<f4", "F64": "<f8"}
_NEW_DTYPE = re.compile(r"[A-Z]{1,4}[0-9]{1,3}[A-Z0-9_]{0,16}")
"""How the format spells its types: those of its later versions are kept."""
_BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "U16": 16, "I16": 16, "U32": 32, "I32": 32, "U64": 64, "I64": 64,
    "F16": 16, "BF16": 16, "F32": 32, "F64": 64, "C64": 64,
    "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
    "F6_E2M3": 6, "F6_E3M2": 6, "F4": 4,
}  # fmt: skip


@dataclass(slots=True)
class Tensor:
    """One tensor; see noisecli.codecs.StoredArray. `start` and `end` are places in the file."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    spec: SampleSpec | None
    start: int
    end: int
    descriptor: int

    def blocks(self) -> Iterator[NDArray[Any]]:
        stored = _STORED[self.dtype]
        dtype = bf16.raw_dtype(stored)
        for at, length in stretches(self.start, self.end, bf16.BLOCK_SAMPLES * dtype.itemsize):
            yield bf16.widen(np.frombuffer(read_at(self.descriptor, at, length), dtype), stored)


class RoundedTensor(RoundsToBF16, Tensor):
    """One tensor of BF16."""


class SafetensorsSource(ArraysSource):
    """One opened file; see noisecli.codecs.ArraysSource."""

    format = "safetensors"

    def __init__(self, file: InputFile) -> None:
        self.descriptor = file.fileno()
        self.warnings: Sequence[str] = []
        self.header_end, header = _read_header(self.descriptor, file.size)
        _check_metadata(header.pop(_METADATA, {}))
        refuse_crowd(header)
        tensors = [_tensor(name, entry, self.header_end, self.descriptor) for name, entry in header.items()]
        # the sort keeps the header's order where empty tensors share a place
        tensors.sort(key=lambda tensor: (tensor.start, tensor.end))
        _check_places(tensors, self.header_end, file.size)
        self.parts: Sequence[StoredArray] = tensors


class SafetensorsSink(ArraysSink):
    """One output with the source's own header; see noisecli.codecs.ArraysSink."""

    format = "safetensors"
    lossy = False

    def __init__(self, file: OutputFile, source: SafetensorsSource) -> None:
        self.warnings: Sequence[str] = []
        self._descriptor, self._source = file.fileno(), source
        self._stored, self._position = "", 0
        copy(source.descriptor, self._descriptor, 0, source.header_end)

    def begin(self, part: StoredArray, spec: SampleSpec | None) -> None:
        if not isinstance(part, Tensor):
            raise TypeError("a tensor of this codec is needed")
        if spec is None:
            copy(self._source.descriptor, self._descriptor, part.start, part.end)
            return
        bf16.require_stored(part.name, part.spec, spec)
        self._stored, self._position = _STORED[part.dtype], part.start

    def write(self, block: NDArray[Any]) -> None:
        raw = bf16.narrow(block, self._stored)
        write_at(self._descriptor, raw, self._position)
        self._position += raw.nbytes


def looks_like(start: bytes, size: int) -> bool:
    """Whether a file of this size that begins so is in this format: the length of a header that fits, and its brace."""
    length = int.from_bytes(start[:_LENGTH_BYTES], "little")
    return start[_LENGTH_BYTES : _LENGTH_BYTES + 1] == b"{" and length <= size - _LENGTH_BYTES


def _read_header(descriptor: int, size: int) -> tuple[int, dict[str, Any]]:
    """Return where the tensors begin, and the header."""
    if size < _LENGTH_BYTES:
        raise truncated("it ends inside its first eight bytes")
    length = int.from_bytes(read_at(descriptor, 0, _LENGTH_BYTES), "little")
    if length > _MOST_HEADER_BYTES:
        _refuse(f"its header claims {length:,} bytes")
    if length > size - _LENGTH_BYTES:
        raise truncated(f"it ends inside its header of {length:,} bytes")
    if length > MOST_JSON_BYTES:
        words = f"has a header of {length:,} bytes, more than the {MOST_JSON_BYTES:,} that are read"
        raise FileFailed("too-large", f"{words}; spread its tensors over several files")
    return _LENGTH_BYTES + length, _parse(read_at(descriptor, _LENGTH_BYTES, length))


def _parse(data: bytes) -> dict[str, Any]:
    """Return the header's own JSON, as strict as the safetensors package is."""
    try:
        header = json.loads(
            data.decode(), object_pairs_hook=_without_twins, parse_constant=_refuse_constant, parse_int=_integer
        )
    except UnicodeDecodeError:
        _refuse("its header is not UTF-8")
    except (ValueError, RecursionError) as error:
        _refuse(f"its header is not JSON ({shown(error)})")
    if not isinstance(header, dict):
        _refuse("its header is not a JSON object")
    return header


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) < len(pairs):
        _refuse("its header has a duplicate name")
    if not all(map(_is_text, names)):
        _refuse("its header has a name with lone surrogates")
    return names


def _integer(digits: str) -> int | float:
    """Neither minus zero nor a number with more digits than an offset is a count."""
    return float(digits) if digits == "-0" or len(digits) > _MOST_DIGITS else int(digits)


def _refuse_constant(word: str) -> NoReturn:
    _refuse(f"its header holds {word}")


def _refuse(what: str) -> NoReturn:
    raise FileFailed("corrupt", f"is not a valid safetensors file: {what}; save it again")


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < 1 << 63


def _tensor(name: str, entry: object, header_end: int, descriptor: int) -> Tensor:
    """Check one entry of the header."""
    match entry:
        case {"dtype": str(dtype), "shape": list(shape), "data_offsets": [start, end]}:
            pass
        case _:
            _refuse(f"{shown(name)!r} lacks dtype, shape or data_offsets")
    if len(shape) > _MOST_DIMENSIONS or not all(map(_is_count, (*shape, start, end))):
        _refuse(f"{shown(name)!r} has an invalid shape or offsets")
    bits = _BITS.get(dtype)
    if bits is None and not _NEW_DTYPE.fullmatch(dtype):
        _refuse(f"{shown(name)!r} is of type {shown(dtype)!r}, which is unknown")
    if end < start or (bits is not None and math.prod(shape) * bits != (end - start) * 8):
        _refuse(f"{shown(name)!r} has {end - start:,} bytes, which is not what {dtype} of shape {shown(shape)} needs")
    spec = bf16.describe(_STORED[dtype], tuple(shape)) if dtype in _STORED else None
    kind = RoundedTensor if dtype == BF16 else Tensor
    return kind(name, dtype, tuple(shape), spec, header_end + start, header_end + end, descriptor)


def _check_metadata(metadata: object) -> None:
    """What is written into a file beside its tensors is text; the safetensors package refuses all else."""
    texts = metadata.values() if isinstance(metadata, dict) else [0]
    if metadata is not None and not all(isinstance(text, str) and _is_text(text) for text in texts):
        _refuse(f"its {_METADATA} does not map names to text")


def _is_text(name: str) -> bool:
    """JSON can escape a lone surrogate, which a manifest cannot hold."""
    return not any("\ud800" <= character <= "\udfff" for character in name)


def _check_places(tensors: Sequence[Tensor], header_end: int, size: int) -> None:
    """Every byte after the header belongs to one tensor."""
    place = header_end
    for tensor in tensors:
        if tensor.start != place:
            _refuse(f"{shown(tensor.name)!r} {'overlaps another tensor' if tensor.start < place else 'leaves a gap'}")
        place = tensor.end
    if place > size:
        raise truncated(f"{place:,} bytes are promised, {size:,} are there")
    if place < size:
        _refuse(f"{size - place:,} bytes after the last tensor belong to none")
