"""Structured arrays: each field is an array of its own, to be chosen by its name; records are written whole."""

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from noisecli.codecs.arrays.header import Header, component, spec_of
from noisecli.codecs.arrays.pieces import in_native_order
from noisecli.codecs.region import Region
from noisecli.errors import FileFailed, shown
from noisecli.model import SampleSpec

_LARGEST_RECORD = 1 << 24
_MOST_FIELDS = 1_000
_MOST_AXES = 64
"""Beyond these an array stays as it is."""
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
"""A header can hold one by its escape; a manifest cannot."""


class _Place(NamedTuple):
    """Where a field lies: its name, and those of the fields that it is in."""

    path: tuple[str, ...]
    dtype: np.dtype[Any]
    shape: tuple[int, ...]


class RecordField:
    """One field of a structured array; see noisecli.codecs.StoredArray.

    Parameters
    ----------
    member
        The array's name.
    records
        Yields all of the array, as it is stored.
    """

    def __init__(self, member: str, header: Header, place: _Place, records: Callable[[], Iterator[NDArray[Any]]]):
        self.member, self.header, self._records, self._path = member, header, records, place.path
        self.name = ".".join([member, *place.path] if member else place.path)
        self.dtype = place.dtype.str
        self.shape = header.shape + place.shape
        in_fortran_order = header.fortran_order and not place.shape
        self.spec: SampleSpec | None = spec_of(place.dtype, self.shape, fortran_order=in_fortran_order)

    def of(self, records: NDArray[Any]) -> NDArray[Any]:
        """Return a view of the field in so many records."""
        for name in self._path:
            records = records[name]
        return records

    def blocks(self) -> Iterator[NDArray[Any]]:
        for records in self._records():
            values = np.ascontiguousarray(self.of(records)).reshape(-1)
            yield in_native_order(values.view(component(values.dtype)))


def fields_of(name: str, header: Header, records: Callable[[], Iterator[NDArray[Any]]]) -> list[RecordField]:
    """Return the fields of an array; none where it is not structured, or cannot be taken apart."""
    dtype = header.dtype
    if dtype.names is None or dtype.hasobject or not 0 < dtype.itemsize <= _LARGEST_RECORD:
        return []
    fields = [RecordField(name, header, place, records) for place in _places(dtype)]
    names = {field.name for field in fields}
    is_plain = len(names) == len(fields) <= _MOST_FIELDS and not any(map(_LONE_SURROGATE.search, names))
    return fields if is_plain and all(len(field.shape) < _MOST_AXES for field in fields) else []


def _places(dtype: np.dtype[Any], path: tuple[str, ...] = (), shape: tuple[int, ...] = ()) -> Iterator[_Place]:
    for name in dtype.names or ():
        inner: np.dtype[Any] = dtype[name]
        base, whole = inner.base, shape + inner.shape
        if base.names is not None:
            yield from _places(base, (*path, name), whole)
        else:
            yield _Place((*path, name), base, whole)


class FieldWriter:
    """Writes the noisy samples of one field into records that are in place.

    Parameters
    ----------
    file, start
        What holds the records, and where they begin.
    """

    def __init__(self, file: Region, start: int, field: RecordField, spec: SampleSpec) -> None:
        if field.spec is None or spec.dtype != field.spec.dtype:
            raise FileFailed("no-encoder", f"the field {shown(field.name)} keeps its type; omit --dtype")
        self._file, self._position, self._field = file, start, field
        one = field.of(np.zeros(1, field.header.dtype))
        self._samples = one.size * spec.components
        self._rest = np.empty(0, spec.dtype)

    def write(self, block: NDArray[Any]) -> None:
        """Take the next samples, in storage order."""
        waiting = np.concatenate([self._rest, block]) if self._rest.size else block
        count = waiting.size // self._samples if self._samples else 0
        whole, self._rest = waiting[: count * self._samples], waiting[count * self._samples :].copy()
        dtype = self._field.header.dtype
        data = bytearray(count * dtype.itemsize)
        self._file.seek(self._position)
        self._file.readinto(data)
        values = self._field.of(np.frombuffer(data, dtype))
        stored = np.ascontiguousarray(whole, component(values.dtype)).view(values.dtype)
        values[...] = stored.reshape(values.shape)
        self._file.seek(self._position)
        self._file.write(data)
        self._file.check()
        self._position += len(data)
