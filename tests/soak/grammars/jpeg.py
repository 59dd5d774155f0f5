"""Markers of JPEG: segments of good files in other numbers, orders and lengths, with other content."""

from __future__ import annotations

import random
import struct
from functools import cache

import cv2
import numpy as np

from grammars.pieces import chance, damaged, name, size

SOI, EOI, SOS = 0xD8, 0xD9, 0xDA
Segment = tuple[int, bytes]
"""A marker and what follows it; in a scan's, its header and its coded data."""


def make(choose: random.Random) -> tuple[str, bytes]:
    segments = list(_base(choose.randrange(5)))
    for _ in range(choose.choice((0, 1, 1, 2, 3))):
        choose.choice(_TWISTS)(choose, segments)
    data = b"".join(_written(*segment) for segment in segments)
    if chance(choose, 0.05):
        data = _fill(choose, data)
    suffix = choose.choice((".jpg", ".jpg", ".jpg", ".jpeg", ".jfif"))
    return suffix, damaged(data, choose) if chance(choose, 0.08) else data


def _written(marker: int, content: bytes) -> bytes:
    head = b"\xff" + bytes([marker & 0xFF])
    return (
        head + content
        if marker & 0x100 or _is_bare(marker)
        else head + struct.pack(">H", len(content) + 2 & 0xFFFF) + content
    )


def _is_bare(marker: int) -> bool:
    return marker in (SOI, EOI, 0x01, 0x00, 0xFF) or 0xD0 <= marker <= 0xD7


@cache
def _base(number: int) -> tuple[Segment, ...]:
    """Return a good file: baseline, progressive, with restarts, grey, or of odd sides with optimal tables."""
    rng = np.random.default_rng(number)
    shape = (17, 13) if number == 3 else (16 + number, 24, 3)
    samples = rng.integers(0, 256, shape, np.uint8)
    options = (
        (),
        (cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
        (cv2.IMWRITE_JPEG_RST_INTERVAL, 1),
        (),
        (cv2.IMWRITE_JPEG_OPTIMIZE, 1),
    )
    return tuple(_segments(bytes(cv2.imencode(".jpg", samples, list(options[number]))[1])))


def _segments(data: bytes) -> list[Segment]:
    found, at = [(SOI, b"")], 2
    while at < len(data):
        marker = data[at + 1]
        if marker == EOI:
            found.append((EOI, b""))
            break
        length = struct.unpack_from(">H", data, at + 2)[0]
        end = at + 2 + length
        if marker == SOS:
            while not (data[end] == 0xFF and data[end + 1] != 0 and not 0xD0 <= data[end + 1] <= 0xD7):
                end += 1
            # with its length, as it cannot be told from the coded data behind it
            found.append((SOS | 0x100, data[at + 2 : end]))
        else:
            found.append((marker, data[at + 4 : end]))
        at = end
    return found


def _at(choose: random.Random, segments: list[Segment], *markers: int) -> int:
    fitting = [at for at, (marker, _) in enumerate(segments) if marker & 0xFF in markers]
    return choose.choice(fitting) if fitting else choose.randrange(len(segments))


def _fill(choose: random.Random, data: bytes) -> bytes:
    """Fill bytes between segments, few or very many; or nothing but them."""
    many = b"\xff" * choose.choice((1, 2, 7, 3_000, 40_000, 300_000))
    at = data.find(b"\xff", choose.randrange(len(data) or 1))
    return choose.choice((data[:at] + many + data[at:], data[:2] + many, many + data, data[:at] + many, data + many))


def _application(choose: random.Random, segments: list[Segment]) -> None:
    """Empty APPn and comments, one or by the thousand, with the beginnings of known ones."""
    starts = (b"", b"JFIF\0", b"JFXX\0\x10", b"Exif\0\0", b"Exif", b"http://ns.adobe.com/xap/1.0/\0", b"ICC_PROFILE\0")
    start = choose.choice(
        (
            *starts,
            b"Adobe",
            b"Adobe\0d\0\0\0\0\1",
            b"MPF\0",
            b"Photoshop 3.0\0",
            b"http://ns.adobe.com/xmp/extension/\0",
        )
    )
    content = start + choose.choice(
        (b"", b"\0", name(choose).encode("utf-8", "surrogatepass")[:60_000], choose.randbytes(40))
    )
    marker = choose.choice((*range(0xE0, 0xF0), 0xFE))
    number = choose.choice((1, 1, 1, 2, 300, 5_000))
    segments[1:1] = [(marker, content if number < 300 else content[:8])] * number


def _profile(choose: random.Random, segments: list[Segment]) -> None:
    """An ICC profile in chunks that are out of order, missing, doubled, numbered from 0, or whose count lies."""
    number = choose.choice((1, 2, 3, 255))
    chunks = [(0xE2, b"ICC_PROFILE\0" + bytes([at + 1 & 0xFF, number]) + choose.randbytes(20)) for at in range(number)]
    way = choose.randrange(6)
    if way == 0:
        choose.shuffle(chunks)
    elif way == 1:
        chunks.pop()
    elif way == 2:
        chunks += chunks[:1]
    elif way == 3:
        chunks = [
            (marker, content[:12] + bytes([choose.randrange(4), choose.randrange(4)]) + content[14:])
            for marker, content in chunks
        ]
    elif way == 4:
        chunks = [(marker, content[: choose.choice((12, 13, 14))]) for marker, content in chunks]
    segments[1:1] = chunks


def _exif(choose: random.Random, segments: list[Segment]) -> None:
    """Directories that point at themselves, outside, and name types and counts that do not exist."""
    order = choose.choice(("<", ">"))
    entries = choose.choice((0, 1, 2, 5, 0xFFFF))
    tiff = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(
        order + "I", choose.choice((8, 8, 8, 0, 4, 2**31, 2**32 - 1))
    )
    tiff += struct.pack(order + "H", entries)
    for _ in range(min(entries, 5)):
        tag = choose.choice((0x0112, 0x0112, 0x8769, 0x8825, 0x0201, 0x0202, 0x013B, size(choose, 16)))
        kind, count = (
            choose.choice((1, 2, 3, 3, 4, 5, 7, 12, 0, 13, 255)),
            choose.choice((0, 1, 1, 2, 2**31, 2**32 - 1)),
        )
        told = choose.choice((1, 6, 8, 9, 0, 2**32 - 1))
        value = struct.pack(order + "HH", told & 0xFFFF, 0) if kind == 3 else struct.pack(order + "I", told)
        tiff += struct.pack(order + "HHI", tag, kind, count) + value
    tiff += struct.pack(order + "I", choose.choice((0, 8, 8, 2**32 - 1)))
    segments[1:1] = [(0xE1, b"Exif\0\0" + tiff)] * choose.choice((1, 1, 2))


def _length(choose: random.Random, segments: list[Segment]) -> None:
    """A segment whose length is not that of its content."""
    at = choose.randrange(1, len(segments))
    marker, content = segments[at]
    told = choose.choice((0, 1, 2, 3, len(content), len(content) + 1, len(content) + 3, 0xFFFF))
    segments[at] = (marker & 0xFF | 0x100, struct.pack(">H", told & 0xFFFF) + content)


def _twice(choose: random.Random, segments: list[Segment]) -> None:
    at = choose.randrange(len(segments))
    segments.insert(choose.randrange(len(segments) + 1), segments[at])


def _missing(choose: random.Random, segments: list[Segment]) -> None:
    if len(segments) > 2:
        segments.pop(choose.randrange(len(segments)))


def _bare(choose: random.Random, segments: list[Segment]) -> None:
    """SOI, EOI, restart and reserved markers where they do not belong."""
    marker = choose.choice((SOI, EOI, 0xD0, 0xD7, 0x01, 0x02, 0xDC, 0xDE, 0xF0, 0xFD, 0x00))
    segments.insert(choose.randrange(len(segments) + 1), (marker | 0x100, choose.choice((b"", b"\0\2", b"\0\4\0\1"))))


def _frame(choose: random.Random, segments: list[Segment]) -> None:
    """Other precision, sides, components, sampling; arithmetic, lossless and hierarchical processes."""
    at = _at(choose, segments, 0xC0, 0xC1, 0xC2)
    marker, content = segments[at][0], bytearray(segments[at][1])
    if len(content) < 9:
        return
    way = choose.randrange(6)
    if way == 0:
        marker = choose.choice((0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC8, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF))
    elif way == 1:
        content[0] = choose.choice((0, 1, 7, 12, 16, 255))
    elif way == 2:
        place = choose.choice((1, 3))
        content[place : place + 2] = struct.pack(">H", choose.choice((0, 1, 8, 17, 16_000, 65_500, 0xFFFF)))
    elif way == 3:
        content[5] = choose.choice((0, 1, 2, 3, 4, 5, 255))
    elif way == 4:
        content[choose.randrange(6, len(content))] = choose.choice((0, 1, 0x11, 0x14, 0x41, 0x44, 0x55, 0xFF))
    else:
        del content[choose.randrange(5, len(content)) :]
    segments[at] = (marker, bytes(content))


def _table(choose: random.Random, segments: list[Segment]) -> None:
    """Damage in a Huffman or quantisation table, a restart interval, or a scan's header."""
    at = _at(choose, segments, 0xC4, 0xDB, 0xDD, SOS)
    marker, content = segments[at]
    changed = bytearray(content)
    for _ in range(choose.choice((1, 2, 8))):
        if changed:
            changed[choose.randrange(min(len(changed), 40))] = choose.choice((0, 1, 0x10, 0x20, 0x7F, 0xFF))
    cut = len(changed) if chance(choose, 0.7) else choose.randrange(len(changed) + 1)
    segments[at] = (marker, bytes(changed[:cut]))


def _scan(choose: random.Random, segments: list[Segment]) -> None:
    """Coded data cut, zeroed, with markers inside, with the wrong restart."""
    at = _at(choose, segments, SOS)
    marker, content = segments[at]
    middle = choose.randrange(len(content) + 1)
    inside = choose.choice(
        (b"\xff\xd9", b"\xff\xd0", b"\xff\xd5", b"\xff\xd8", b"\xff\x01", b"\xff\xff\xff", b"\xff\xe1\0\2", bytes(50))
    )
    segments[at] = (
        marker,
        choose.choice(
            (
                content[:middle],
                content[:middle] + inside + content[middle:],
                content[:middle] + bytes(len(content) - middle),
            )
        ),
    )


def _restarts(choose: random.Random, segments: list[Segment]) -> None:
    segments.insert(
        _at(choose, segments, SOS), (0xDD, choose.choice((b"\0\1", b"\0\0", b"\xff\xff", b"\0", b"", b"\0\1\0")))
    )


_TWISTS = (
    *(_application, _application, _profile, _exif, _exif, _length, _twice, _missing, _bare, _frame, _frame, _table),
    *(_scan, _restarts),
)
