"""TIFF's directories of tags, read and written."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from noisecli.codecs.damage import corrupt, truncated

SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
"""Bytes of one value of each TIFF type."""
_LETTERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q"}
_MOST_ENTRIES = 1 << 20

Entry = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Page:
    """One directory: tag -> (type, count, position of the values)."""

    data: bytes
    order: str
    entries: dict[int, Entry]

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


def pages(data: bytes) -> Iterator[Page]:
    """Yield the directories in their order; raises FileFailed where the chain leaves the file or bites its tail."""
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in (b"+\0", b"\0+")
    counter, pointer, entry, value_at = ("Q", "Q", "HHQ", 12) if big else ("H", "I", "HHI", 8)
    width, pointer_width, counter_width = (20, 8, 8) if big else (12, 4, 2)
    (position,) = struct.unpack_from(order + pointer, data, 8 if big else 4)
    seen: set[int] = set()
    total = 0
    while position:
        if position in seen:
            raise corrupt("its TIFF directories run in a circle")
        seen.add(position)
        if position + counter_width > len(data):
            raise truncated("a TIFF directory lies beyond its end")
        (count,) = struct.unpack_from(order + counter, data, position)
        start = position + counter_width
        if start + width * count + pointer_width > len(data):
            raise truncated("a TIFF directory lies beyond its end")
        total += count
        if total * width > len(data):
            raise corrupt("its TIFF directories overlap")
        if total > _MOST_ENTRIES:
            raise corrupt(f"more than {_MOST_ENTRIES:,} TIFF tags")
        entries: dict[int, Entry] = {}
        for at in range(start, start + width * count, width):
            tag, kind, number = struct.unpack_from(order + entry, data, at)
            if kind in SIZES:
                inline = SIZES[kind] * number <= width - value_at
                place = at + value_at
                entries[tag] = (kind, number, place if inline else struct.unpack_from(order + pointer, data, place)[0])
        yield Page(data, order, entries)
        (position,) = struct.unpack_from(order + pointer, data, start + width * count)


def splice(encoded: bytes, added: list[dict[int, tuple[int, bytes]]]) -> bytes:
    """Give each page of a freshly encoded little-endian TIFF a new directory at its end, with tags added."""
    first, last = len(encoded) + (len(encoded) & 1), len(added) - 1
    pieces: list[bytes | memoryview] = [
        encoded[:4],
        struct.pack("<I", first),
        memoryview(encoded)[8:],
        b"\0" * (len(encoded) & 1),
    ]
    position = first
    for number, page in enumerate(pages(encoded)):
        kept = {tag: (entry[0], page.raw(tag)) for tag, entry in page.entries.items()}
        directory = _directory({**added[number], **kept}, position, number == last)
        pieces += directory
        position += sum(map(len, directory))
    return b"".join(pieces)


def _directory(tags: dict[int, tuple[int, bytes]], position: int, last: bool) -> list[bytes]:
    """Return the pieces of a directory and its long values, for a given place; the next one follows it directly."""
    beyond = position + 2 + 12 * len(tags) + 4
    entries, values = [struct.pack("<H", len(tags))], []
    for tag in sorted(tags):
        kind, raw = tags[tag]
        entries.append(struct.pack("<HHI", tag, kind, len(raw) // SIZES[kind]))
        if len(raw) <= 4:
            entries.append(raw.ljust(4, b"\0"))
            continue
        entries.append(struct.pack("<I", beyond))
        values += [raw, b"\0" * (len(raw) & 1)]
        beyond += len(raw) + (len(raw) & 1)
    following = struct.pack("<I", 0 if last else beyond)
    return [*entries, following, *values]
