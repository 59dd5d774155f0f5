"""Directories of TIFF: entries of any tag, type, count and place, in both byte orders."""

from __future__ import annotations

import random
import struct

from grammars.pieces import chance, damaged, size

_WIDTHS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8}
_LETTERS = {1: "B", 3: "H", 4: "I"}
Entry = list[int | bytes]
"""Tag, type, count, and the value or where it is."""


def make(choose: random.Random) -> tuple[str, bytes]:
    order = choose.choice("<>")
    width, height = choose.randrange(1, 12), choose.randrange(1, 9)
    channels, bits, form = choose.choice(
        ((1, 8, 1), (3, 8, 1), (1, 16, 1), (3, 16, 1), (1, 32, 3), (4, 8, 1), (3, 32, 3))
    )
    if form == 3:
        samples = b"".join(struct.pack(order + "f", choose.random()) for _ in range(width * height * channels))
    else:
        samples = choose.randbytes(width * height * channels * bits // 8)
    entries = _plain(width, height, channels, bits, form, len(samples))
    for _ in range(choose.choice((0, 1, 1, 2, 3))):
        choose.choice(_TWISTS)(choose, entries)
    data = _written(choose, order, entries, samples)
    return choose.choice((".tif", ".tiff")), damaged(data, choose) if chance(choose, 0.05) else data


def _plain(width: int, height: int, channels: int, bits: int, form: int, size: int) -> list[Entry]:
    entries: list[Entry] = [[256, 3, 1, width], [257, 3, 1, height], [258, 3, channels, bits], [259, 3, 1, 1]]
    entries += [
        [262, 3, 1, 2 if channels > 1 else 1],
        [273, 4, 1, 8],
        [277, 3, 1, channels],
        [278, 4, 1, height],
        [279, 4, 1, size],
    ]
    entries += [[339, 3, channels, form]]
    return entries + ([[338, 3, 1, 2]] if channels == 4 else [])


def _written(choose: random.Random, order: str, entries: list[Entry], samples: bytes) -> bytes:
    """Samples first, then values, then the directory."""
    odd = chance(choose, 0.1)
    values, table = bytearray(), bytearray()
    start = 8 + len(samples) + len(samples) % 2
    for tag, kind, count, told in entries:
        assert isinstance(tag, int) and isinstance(kind, int) and isinstance(count, int)  # noqa: PT018
        table += struct.pack(order + "HHI", tag & 0xFFFF, kind & 0xFFFF, count & 0xFFFFFFFF)
        value = told if isinstance(told, bytes) else _value(order, kind, count, told)
        if len(value) > 4:
            table += struct.pack(order + "I", start + len(values))
            values += value + bytes(len(value) % 2)
        else:
            table += value.ljust(4, b"\0")
    place = start + len(values)
    first = choose.choice((place, 0, 8, 2**32 - 1, place + 1)) if odd else place
    following = choose.choice((0, place, 8, 2**32 - 1)) if odd else 0
    magic = choose.choice((42, 43, 0x2A00, 0)) if odd and chance(choose, 0.3) else 42
    number = choose.choice((len(entries), 0, len(entries) + 1, 0xFFFF)) if odd else len(entries)
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", magic, first)
    directory = struct.pack(order + "H", number) + bytes(table) + struct.pack(order + "I", following)
    return head + samples + bytes(len(samples) % 2) + bytes(values) + directory


def _value(order: str, kind: int, count: int, told: int | bytes) -> bytes:
    assert isinstance(told, int)
    letter = _LETTERS.get(kind)
    if letter is None or count > 64:
        return struct.pack(order + "I", told & 0xFFFFFFFF)
    mask = (1 << 8 * _WIDTHS[kind]) - 1
    return struct.pack(f"{order}{max(count, 1)}{letter}", *[told & mask] * max(count, 1))


def _number(choose: random.Random, entries: list[Entry]) -> None:
    choose.choice(entries)[3] = choose.choice((0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 64, size(choose)))


def _type(choose: random.Random, entries: list[Entry]) -> None:
    choose.choice(entries)[1] = choose.choice((0, 1, 2, 3, 4, 5, 7, 11, 12, 13, 16, 18, 255, 65_535))


def _count(choose: random.Random, entries: list[Entry]) -> None:
    choose.choice(entries)[2] = choose.choice((0, 1, 2, 3, 5, 300, size(choose)))


def _twice(choose: random.Random, entries: list[Entry]) -> None:
    entries.insert(choose.randrange(len(entries)), list(choose.choice(entries)))


def _missing(choose: random.Random, entries: list[Entry]) -> None:
    if len(entries) > 1:
        entries.pop(choose.randrange(len(entries)))


def _shuffled(choose: random.Random, entries: list[Entry]) -> None:
    choose.shuffle(entries)


def _private(choose: random.Random, entries: list[Entry]) -> None:
    """Private tags, few or many, which may all point to the same bytes."""
    number = choose.choice((1, 2, 60, 400))
    kind, count = choose.choice((1, 2, 7, 3, 4, 12)), choose.choice((0, 1, 9, 1_000, 2**20))
    told: int | bytes = choose.randbytes(9) if count == 9 and kind in (1, 2, 7) else choose.choice((8, 0, size(choose)))
    entries.extend([0x9000 + at * choose.choice((1, 1, 7)), kind, count, told] for at in range(number))


def _known(choose: random.Random, entries: list[Entry]) -> None:
    """Tags that change how samples are read: compression, planes, tiles, colour maps, predictors, profiles, EXIF."""
    tag = choose.choice(
        (259, 259, 262, 266, 274, 274, 284, 317, 320, 322, 323, 324, 325, 330, 338, 339, 700, 34665, 34675, 50838, 270)
    )
    told: int | bytes = choose.choice(
        (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 32773, 32946, 34712, 50000, b"", choose.randbytes(40))
    )
    entries[:] = [entry for entry in entries if entry[0] != tag or chance(choose, 0.1)]
    entries.append(
        [tag, choose.choice((3, 4, 7)), len(told) if isinstance(told, bytes) else choose.choice((1, 1, 3, 768)), told]
    )
    entries.sort(key=lambda entry: int(entry[0]))


_TWISTS = (_number, _number, _type, _count, _twice, _missing, _shuffled, _private, _private, _known, _known, _known)
