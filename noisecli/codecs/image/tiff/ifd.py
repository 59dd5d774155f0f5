"""TIFF's directories of tags, read and written."""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from noisecli.codecs.damage import corrupt, truncated
from noisecli.codecs.image.header import Tags
from noisecli.errors import FileFailed

SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
"""Bytes of one value of each TIFF type."""
_LETTERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q"}
_MOST_ENTRIES = 1 << 20
_MOST_BYTES = 1 << 32

Entry = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Page:
    """One directory: tag -> (type, count, position of the values)."""

    data: bytes
    order: str
    entries: dict[int, Entry]
    start: int
    link: int
    """Where it begins, and where the position of the next one is written."""

    def raw(self, tag: int) -> bytes:
        """Return the bytes of a tag's values."""
        kind, count, position = self.entries[tag]
        end = position + SIZES[kind] * count
        if end > len(self.data):
            raise truncated(f"TIFF tag {tag} lies beyond its end")
        return self.data[position:end]

    def values(self, tag: int, most: int) -> tuple[int, ...]:
        """Return a tag's whole numbers, so many at most: pages may share millions of them."""
        if tag not in self.entries:
            return ()
        kind, count, position = self.entries[tag]
        if kind not in _LETTERS:
            raise corrupt(f"TIFF tag {tag} has type {kind}")
        if position + SIZES[kind] * count > len(self.data):
            raise truncated(f"TIFF tag {tag} lies beyond its end")
        return struct.unpack_from(f"{self.order}{min(count, most)}{_LETTERS[kind]}", self.data, position)

    def value(self, tag: int, default: int = 0) -> int:
        """Return a tag's first whole number."""
        return next(iter(self.values(tag, 1)), default)

    def count(self, tag: int) -> int:
        """Return how many values a tag has."""
        return self.entries[tag][1] if tag in self.entries else 0

    def patch(self, data: bytearray, tag: int, number: int) -> None:
        """Write a number over all values of a tag, in a copy of the file."""
        if tag in self.entries:
            kind, count, position = self.entries[tag]
            struct.pack_into(f"{self.order}{count}{_LETTERS[kind]}", data, position, *[number] * count)


class _Form(NamedTuple):
    """How directories are written: the ordinary way, or that of files beyond 4 GiB."""

    order: str
    counter: str
    pointer: str
    entry: str
    value_at: int
    width: int
    first: int


def _form_of(data: bytes | bytearray) -> _Form:
    order = "<" if data[:2] == b"II" else ">"
    if data[2:4] in (b"+\0", b"\0+"):
        return _Form(order, "Q", "Q", "HHQ", 12, 20, 8)
    return _Form(order, "H", "I", "HHI", 8, 12, 4)


def _count_at(data: bytes, form: _Form, position: int) -> int:
    """Return how many entries the directory at a position has."""
    width = struct.calcsize("=" + form.counter)
    if position + width > len(data):
        raise truncated("a TIFF directory lies beyond its end")
    count: int = struct.unpack_from(form.order + form.counter, data, position)[0]
    if position + width + form.width * count + struct.calcsize("=" + form.pointer) > len(data):
        raise truncated("a TIFF directory lies beyond its end")
    return count


def directory(data: bytes, position: int, form: _Form | None = None) -> Page:
    """Return the directory at a position. Raises FileFailed where it leaves the file."""
    form = form or _form_of(data)
    start, count = position + struct.calcsize("=" + form.counter), _count_at(data, form, position)
    entries: dict[int, Entry] = {}
    for at in range(start, start + form.width * count, form.width):
        tag, kind, number = struct.unpack_from(form.order + form.entry, data, at)
        if kind in SIZES:
            inline = SIZES[kind] * number <= form.width - form.value_at
            place = at + form.value_at
            if not inline:
                (place,) = struct.unpack_from(form.order + form.pointer, data, place)
            entries.setdefault(tag, (kind, number, place))  # of two the first, as libtiff has it
    return Page(data, form.order, entries, position, start + form.width * count)


def pages(data: bytes) -> Iterator[Page]:
    """Yield the directories in their order; raises FileFailed where the chain leaves the file or bites its tail."""
    form = _form_of(data)
    (position,) = struct.unpack_from(form.order + form.pointer, data, form.first)
    seen: set[int] = set()
    total = 0
    while position:
        if position in seen:
            raise corrupt("its TIFF directories run in a circle")
        seen.add(position)
        total += _count_at(data, form, position)
        if total * form.width > len(data):
            raise corrupt("its TIFF directories overlap")
        if total > _MOST_ENTRIES:
            raise corrupt(f"more than {_MOST_ENTRIES:,} TIFF tags")
        page = directory(data, position, form)
        yield page
        (position,) = struct.unpack_from(form.order + form.pointer, data, page.link)


def chain(data: bytearray, kept: Sequence[Page]) -> None:
    """Link the directories that are kept, in a copy of the file, so that a reader comes to no others."""
    form = _form_of(data)
    for place, page in zip([form.first, *(page.link for page in kept)], [*kept, None], strict=True):
        struct.pack_into(form.order + form.pointer, data, place, page.start if page else 0)


def splice(encoded: bytes, added: list[Tags]) -> bytes:
    """Give each page of a freshly encoded little-endian TIFF a new directory at its end, with tags added."""
    first = len(encoded) + (len(encoded) & 1)
    directories = [
        {tag: (entry[0], page.raw(tag)) for tag, entry in page.entries.items()} | more
        for page, more in zip(pages(encoded), added, strict=True)
    ]
    start: list[bytes | memoryview] = [encoded[:4], struct.pack("<I", first), memoryview(encoded)[8:]]
    return b"".join([*start, b"\0" * (len(encoded) & 1), *_directories(directories, first)])


def joined(made: Sequence[tuple[Sequence[bytes], Tags]], where: int, long: int) -> bytes:
    """Return a little-endian TIFF of pages: their packed strips or tiles, and the tags besides `where` and `long`.

    Nothing lies between the strips, as readers of ImageJ's stacks expect it.
    """
    pieces: list[bytes] = []
    directories: list[Tags] = []
    position = 8
    for segments, tags in made:
        places = []
        for segment in segments:
            places.append(position)
            pieces.append(segment)
            position += len(segment)
        if position > _MOST_BYTES - (1 << 24):
            raise FileFailed("no-encoder", "needs a TIFF of more than 4 GiB, which is not written; cut it into tiles")
        sizes = [len(segment) for segment in segments]
        lists = {
            tag: (4, struct.pack(f"<{len(sizes)}I", *numbers)) for tag, numbers in ((where, places), (long, sizes))
        }
        directories.append(tags | lists)
    pieces.append(b"\0" * (position & 1))
    position += position & 1
    return b"".join([b"II*\0", struct.pack("<I", position), *pieces, *_directories(directories, position)])


def _directories(directories: Sequence[Tags], position: int) -> list[bytes]:
    """Return the pieces of directories that follow one another from a position on."""
    pieces: list[bytes] = []
    for number, tags in enumerate(directories, start=1):
        made = _directory(tags, position, number == len(directories))
        pieces += made
        position += sum(map(len, made))
    return pieces


def _directory(tags: Tags, position: int, last: bool) -> list[bytes]:
    """Return the pieces of a directory and its long values, for a given place; the next one follows it directly."""
    beyond = position + 2 + 12 * len(tags) + 4
    entries, values = [struct.pack("<H", len(tags))], []
    for tag in sorted(tags):
        kind, raw = tags[tag]
        if isinstance(raw, dict):
            inner = _directory(raw, beyond, last=True)
            entries.append(struct.pack("<HHII", tag, kind, 1, beyond))
            values += inner
            beyond += sum(map(len, inner))
            continue
        entries.append(struct.pack("<HHI", tag, kind, len(raw) // SIZES[kind]))
        if len(raw) <= 4:
            entries.append(raw.ljust(4, b"\0"))
            continue
        entries.append(struct.pack("<I", beyond))
        values += [raw, b"\0" * (len(raw) & 1)]
        beyond += len(raw) + (len(raw) & 1)
    following = struct.pack("<I", 0 if last else beyond)
    return [*entries, following, *values]
