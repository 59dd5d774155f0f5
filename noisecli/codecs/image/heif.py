"""The items of a HEIF file and their properties, as ISO/IEC 23008-12 and 14496-12 have them.

They are found by walking from box to box: the name of one may stand in a name or in an image's data too, so nothing is
searched for.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from noisecli.codecs.damage import corrupt
from noisecli.codecs.image.boxes import boxes

Property = tuple[bytes, bytes]
"""Kind and body."""
_IN_FILE, _IN_META = 0, 1
_MOST_ENTRIES = 20_000
"""Of all tables together; libavif looks each item up among all others."""


class Extents(NamedTuple):
    """Where the pieces of an item lie: in the file or in the box idat, as (start, length)."""

    method: int
    pieces: tuple[tuple[int, int], ...]


@dataclass(slots=True)
class Items:
    """What a meta box says of the items in a file."""

    data: bytes
    primary: int | None = None
    kinds: dict[int, bytes] = field(default_factory=dict)
    """Item -> its four letters."""
    media: dict[int, bytes] = field(default_factory=dict)
    """Item of kind "mime" -> its media type."""
    references: dict[tuple[bytes, int], tuple[int, ...]] = field(default_factory=dict)
    """(four letters, from) -> the items it refers to."""
    places: dict[int, Extents] = field(default_factory=dict)
    hidden: set[int] = field(default_factory=set)
    inner: tuple[int, int] | None = None
    _properties: list[Property] = field(default_factory=list)
    _owned: dict[int, bytes] = field(default_factory=dict)
    _wide: bool = False
    _entries: int = 0

    def count(self, entries: int = 1) -> None:
        """Refuse tables that no image needs."""
        self._entries += entries
        if self._entries > _MOST_ENTRIES:
            raise corrupt(f"more than {_MOST_ENTRIES:,} entries in the tables of the file")

    def properties(self, item: int) -> list[Property]:
        """Return an item's properties in their order."""
        found, mask = [], 0x7FFF if self._wide else 0x7F
        width = 2 if self._wide else 1
        owned = self._owned.get(item, b"")
        for at in range(0, len(owned), width):
            index = int.from_bytes(owned[at : at + width], "big") & mask
            if index > len(self._properties):
                raise corrupt(f"item {item} has a property that is not there")
            found += [self._properties[index - 1]] if index else []
        return found

    def length(self, item: int) -> int:
        """Return the bytes of an item's data."""
        return sum(size for _, size in self.places[item].pieces) if item in self.places else 0

    def content(self, item: int) -> bytes | memoryview:
        """Return an item's data; pieces are put together only where there are several."""
        if item not in self.places:
            raise corrupt(f"item {item} has no data")
        method, pieces = self.places[item]
        view = memoryview(self.data)
        if method == _IN_META and self.inner is not None:
            view = view[slice(*self.inner)]
        elif method != _IN_FILE:
            raise corrupt(f"item {item} lies in another item or in no box")
        if any(start + size > len(view) for start, size in pieces):
            raise corrupt(f"item {item} lies beyond the file's end")
        views = [view[start : start + size] for start, size in pieces]
        return views[0] if len(views) == 1 else b"".join(views)


def read_items(data: bytes, start: int, end: int) -> Items:
    """Read the meta box whose body lies from start to end."""
    items = Items(data)
    seen: set[bytes] = set()
    for kind, body, stop in boxes(data, start + 4, end):
        if kind in seen and kind in _READERS:
            raise corrupt(f"two boxes {kind.decode('ascii', 'replace')}")
        seen.add(kind)
        if kind in _READERS:
            _READERS[kind](items, body, stop)
    return items


class _Reader:
    """Whole numbers of a full box, one after the other."""

    def __init__(self, data: bytes, body: int, end: int) -> None:
        self.data, self.position, self.end = data, body + 4, end
        self.version, self.flags = data[body], int.from_bytes(data[body + 1 : body + 4], "big")

    def take(self, width: int) -> int:
        if self.position + width > self.end:
            raise corrupt("a HEIF box ends inside its table")
        number = int.from_bytes(self.data[self.position : self.position + width], "big")
        self.position += width
        return number

    def skip(self, count: int) -> None:
        self.take(0)
        self.position += count


def _read_primary(items: Items, body: int, end: int) -> None:
    reader = _Reader(items.data, body, end)
    items.primary = reader.take(4 if reader.version else 2)


def _read_kinds(items: Items, body: int, end: int) -> None:
    reader = _Reader(items.data, body, end)
    reader.take(4 if reader.version else 2)
    for kind, start, stop in boxes(items.data, reader.position, end):
        entry = _Reader(items.data, start, stop)
        if kind != b"infe" or entry.version < 2:
            continue
        item = entry.take(2 if entry.version == 2 else 4)
        entry.take(2)
        items.count()
        if item in items.kinds:
            raise corrupt(f"two items {item}")
        items.kinds[item] = entry.take(4).to_bytes(4, "big")
        items.hidden |= {item} if entry.flags & 1 else set()
        if items.kinds[item] == b"mime":
            items.media[item] = items.data[entry.position : min(stop, entry.position + 1024)].split(b"\0", 2)[1]


def _read_references(items: Items, body: int, end: int) -> None:
    reader = _Reader(items.data, body, end)
    width = 4 if reader.version else 2
    for kind, start, stop in boxes(items.data, reader.position, end):
        entry = _Reader(items.data, start - 4, stop)
        source, count = entry.take(width), entry.take(2)
        items.count(1 + count)
        if (kind, source) in items.references:
            raise corrupt(f"two references {kind.decode('ascii', 'replace')} of item {source}")
        items.references[kind, source] = tuple(entry.take(width) for _ in range(count))


def _read_properties(items: Items, body: int, end: int) -> None:
    for kind, start, stop in boxes(items.data, body, end):
        if kind == b"ipco":
            for name, first, last in boxes(items.data, start, stop):
                items.count()
                items._properties.append((name, items.data[first:last]))
        elif kind == b"ipma":
            _read_associations(items, _Reader(items.data, start, stop))


def _read_associations(items: Items, reader: _Reader) -> None:
    wide = bool(reader.flags & 1)
    if items._owned and items._wide != wide:
        raise corrupt("two tables of properties")
    items._wide = wide
    for _ in range(reader.take(4)):
        item, count = reader.take(4 if reader.version else 2), reader.take(1)
        items.count()
        start = reader.position
        reader.skip(count * (2 if wide else 1))
        if item in items._owned:
            raise corrupt(f"item {item} has its properties twice")
        items._owned[item] = items.data[start : reader.position]


def _read_places(items: Items, body: int, end: int) -> None:
    reader = _Reader(items.data, body, end)
    widths = reader.take(2)
    offset, length, base, index = widths >> 12, widths >> 8 & 15, widths >> 4 & 15, widths & 15
    index = index if reader.version in (1, 2) else 0
    for _ in range(reader.take(2 if reader.version < 2 else 4)):
        item = reader.take(2 if reader.version < 2 else 4)
        method = reader.take(2) & 15 if reader.version in (1, 2) else _IN_FILE
        reader.take(2)
        start, count = reader.take(base), reader.take(2)
        items.count(1 + count)
        if item in items.places or (count > 1 and not offset + length):
            raise corrupt(f"item {item} has many places, or none")
        pieces = []
        for _ in range(count):
            reader.take(index)
            pieces.append((start + reader.take(offset), reader.take(length)))
        items.places[item] = Extents(method, tuple(pieces))


def places_box(items: Items, moved: Callable[[int], int]) -> bytes:
    """Return the body of the box iloc for the same items, those in the file at other places."""
    body = struct.pack(">IBBI", 2 << 24, 0x44, 0, len(items.places))
    for item, (method, pieces) in items.places.items():
        body += struct.pack(">IHHH", item, method, 0, len(pieces))
        for start, size in pieces:
            body += struct.pack(">II", moved(start) if method == _IN_FILE else start, size)
    return body


def _read_data(items: Items, body: int, end: int) -> None:
    items.inner = body, end


_READERS = {
    b"pitm": _read_primary,
    b"iinf": _read_kinds,
    b"iref": _read_references,
    b"iprp": _read_properties,
    b"iloc": _read_places,
    b"idat": _read_data,
}


def size_of(properties: list[Property]) -> tuple[int, int]:
    """Return width and height as the properties of an item say."""
    sizes = {struct.unpack_from(">II", body, 4) for kind, body in properties if kind == b"ispe"}
    if len(sizes) != 1:
        raise corrupt("the file does not say its size" if not sizes else "an image of the file has two sizes")
    return sizes.pop()
