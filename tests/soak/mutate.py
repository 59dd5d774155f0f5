"""Ways to break a file: bytes flipped, cut, spliced, zeroed, repeated, and headers that lie."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Callable

HEADER_BYTES = 160
LIES = (0, 1, 2, 7, 8, 16, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_PNG = b"\x89PNG\r\n\x1a\n"

Way = Callable[[bytearray, random.Random, bytes], bytearray]


def mutated(data: bytes, other: bytes, choose: random.Random) -> bytes:
    """Break a file in one to three ways; `other` is a file to splice from."""
    broken = bytearray(data)
    for _ in range(choose.choice((1, 1, 1, 2, 3))):
        broken = choose.choice(WAYS)(broken, choose, other)
    # a checksum would stop most of it at the door
    if broken[:8] == _PNG and choose.random() < 0.7:
        broken = _checksums_mended(broken)
    return bytes(broken)


def _flip(data: bytearray, choose: random.Random, other: bytes) -> bytearray:
    for _ in range(choose.choice((1, 1, 2, 4, 16))):
        if data:
            data[choose.randrange(len(data))] ^= 1 << choose.randrange(8)
    return data


def _replace(data: bytearray, choose: random.Random, other: bytes) -> bytearray:
    for _ in range(choose.choice((1, 2, 8))):
        if data:
            data[choose.randrange(len(data))] = choose.randrange(256)
    return data


def _cut(data: bytearray, choose: random.Random, other: bytes) -> bytearray:
    return data[: choose.randrange(len(data) + 1)]


def _cut_a_little(data: bytearray, choose: random.Random, other: bytes) -> bytearray:
    return data[: max(0, len(data) - choose.randrange(1, 12))]


def _splice(data: bytearray, choose: random.Random, other: bytes) -> bytearray:
    start = choose.randrange(len(other) or 1)
    piece = other[start : start + choose.randrange(1, 200)]
    at = choose.randrange(len(data) + 1)
    over = len(piece) if choose.random() < 0.5 else 0
    return data[:at] + piece + data[at + over :]


def _zero_run(data: bytearray, choose: random.Random, other: bytes) -> bytearray:
    at, length = choose.randrange(len(data) + 1), choose.choice((4, 16, 64, 512))
    length = min(length, len(data) - at)
    data[at : at + length] = bytes(length)
    return data


def _zero_tail(data: bytearray, choose: random.Random, other: bytes) -> bytearray:
    at = choose.randrange(len(data) + 1)
    return data[:at] + bytes(len(data) - at)


def _drop_run(data: bytearray, choose: random.Random, other: bytes) -> bytearray:
    at = choose.randrange(len(data) + 1)
    return data[:at] + data[at + choose.choice((1, 2, 7, 64)) :]


def _repeat_run(data: bytearray, choose: random.Random, other: bytes) -> bytearray:
    at, length = choose.randrange(len(data) + 1), choose.choice((1, 4, 32, 256))
    return data[:at] + data[at : at + length] + data[at:]


def _lie(data: bytearray, choose: random.Random, other: bytes) -> bytearray:
    """Write a number that means trouble over a field near the beginning."""
    width = choose.choice(("B", "<H", ">H", "<I", ">I", "<Q", ">Q"))
    size = struct.calcsize(width)
    at = choose.randrange(max(1, min(HEADER_BYTES, len(data)) - size + 1))
    number = choose.choice(LIES) & ((1 << 8 * size) - 1)
    if len(data) >= at + size:
        struct.pack_into(width, data, at, number)
    return data


def _garbage_behind(data: bytearray, choose: random.Random, other: bytes) -> bytearray:
    return data + choose.randbytes(choose.choice((1, 3, 100)))


WAYS: tuple[Way, ...] = (
    *(_flip, _flip, _replace, _cut, _cut_a_little, _splice, _zero_run, _zero_tail),
    *(_drop_run, _repeat_run, _lie, _lie, _lie, _garbage_behind),
)


def _checksums_mended(data: bytearray) -> bytearray:
    """Give the chunks of a PNG the checksums they ask for, as far as they can be followed."""
    at = 8
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        end = at + 8 + length
        if end + 4 > len(data):
            break
        struct.pack_into(">I", data, end, zlib.crc32(data[at + 4 : end]))
        at = end + 4
    return data
