"""Directories of .npz: zip archives written by hand, so that every field can lie."""

from __future__ import annotations

import random
import struct
import zlib
from dataclasses import dataclass, field

from grammars import npy
from grammars.pieces import chance, damaged, name, size

STORED, DEFLATED = 0, 8
_METHODS = (1, 6, 9, 12, 14, 93, 99, 0xFFFF)
_OBJECT = (
    b"\x93NUMPY\x01\x00"
    + struct.pack("<H", 54)
    + b"{'descr': '|O', 'fortran_order': False, 'shape': (1,)}"
    + b"\x80\x04N."
)


@dataclass
class Member:
    """One member; what its two headers say may be told apart."""

    name: bytes
    data: bytes
    method: int = DEFLATED
    flags: int = 0
    local: dict[str, int] = field(default_factory=dict)
    central: dict[str, int] = field(default_factory=dict)
    extra: bytes = b""
    comment: bytes = b""

    @property
    def packed(self) -> bytes:
        if self.method != DEFLATED:
            return self.data
        deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
        return deflate.compress(self.data) + deflate.flush()


def make(choose: random.Random) -> tuple[str, bytes]:
    members = _members(choose)
    for _ in range(choose.choice((0, 0, 1, 1, 2))):
        choose.choice(_TWISTS)(choose, members)
    data = archive(choose, members, odd=chance(choose, 0.2))
    return ".npz", damaged(data, choose) if chance(choose, 0.08) else data


def _members(choose: random.Random) -> list[Member]:
    found = []
    for number in range(choose.choice((1, 1, 2, 3))):
        content = npy.content(choose) if chance(choose, 0.15) else _array(choose)
        found.append(Member(f"arr_{number}.npy".encode(), content, choose.choice((STORED, DEFLATED))))
    return found


def _array(choose: random.Random) -> bytes:
    dtype, width = choose.choice((("<f4", 4), ("<f8", 8), ("<i4", 4), ("|u1", 1), ("<f2", 2), ("|b1", 1), ("<U1", 4)))
    count = choose.choice((0, 1, 12, 60))
    text = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': ({count},), }}".encode()
    samples = bytes(width * count) if dtype in ("|b1", "<U1") else choose.randbytes(width * count)
    return npy.MAGIC + b"\x01\x00" + struct.pack("<H", len(text)) + text + samples


def _other_content(choose: random.Random, members: list[Member]) -> None:
    """Text, nothing, objects, a zip in a zip, or only such members."""
    content = choose.choice(
        (b"hello\n", b"", _OBJECT, b"PK\x05\x06" + bytes(18), npy.MAGIC, npy.MAGIC + b"\x01", b"\0" * 99)
    )
    new = Member(choose.choice((b"readme.txt", b"x.npy", b"a", b"")), content, choose.choice((STORED, DEFLATED)))
    if chance(choose, 0.5):
        members.clear()
    members.insert(choose.randrange(len(members) + 1), new)


def _other_name(choose: random.Random, members: list[Member]) -> None:
    raw = name(choose).encode("utf-8", "surrogatepass")[:65_000]
    one = choose.choice(members)
    one.name = raw + choose.choice((b".npy", b".npy", b"", b"/", b".npy/", b"\0.npy", b"\xff.npy"))
    one.flags |= choose.choice((0, 0x800))


def _twice(choose: random.Random, members: list[Member]) -> None:
    one = choose.choice(members)
    members.append(Member(one.name, choose.choice((one.data, b"", _array(choose))), one.method))


def _lying_numbers(choose: random.Random, members: list[Member]) -> None:
    one = choose.choice(members)
    key = choose.choice(("crc", "packed", "size", "method", "flags", "name", "extra", "offset"))
    number = choose.choice((size(choose), 0xFFFFFFFF, len(one.data) + 1, max(0, len(one.data) - 1)))
    for where in choose.choice(((one.local,), (one.central,), (one.local, one.central))):
        where[key] = number


def _flags(choose: random.Random, members: list[Member]) -> None:
    """A password, sizes behind the data, patches, strong encryption, hidden directory."""
    choose.choice(members).flags |= choose.choice((0x1, 0x8, 0x20, 0x40, 0x2000, 0x9, 0xFFFF))


def _method(choose: random.Random, members: list[Member]) -> None:
    choose.choice(members).method = choose.choice(_METHODS)


def _extra(choose: random.Random, members: list[Member]) -> None:
    """zip64 fields that lie, and fields that end before their length."""
    one = choose.choice(members)
    fields = choose.choice((0, 1, 2, 3))
    one.extra = struct.pack("<HH", choose.choice((1, 0x5455, 0x7075)), choose.choice((8 * fields, 0, 7, 0xFFFF)))
    one.extra += b"".join(struct.pack("<Q", size(choose, 64)) for _ in range(fields))
    if chance(choose, 0.6):
        one.central |= {"size": 0xFFFFFFFF, "packed": choose.choice((0xFFFFFFFF, len(one.packed)))}


def _many(choose: random.Random, members: list[Member]) -> None:
    data = choose.choice((b"", _array(choose)))
    number = choose.choice((50, 400, 3_000) if chance(choose, 0.3) else (50, 120))
    members.extend(Member(f"m{at}.npy".encode(), data, STORED) for at in range(number))


def _overlap(choose: random.Random, members: list[Member]) -> None:
    """Let several entries of the directory point to one local header."""
    one = members[0]
    for at in range(choose.choice((1, 2, 40))):
        members.append(
            Member(choose.choice((one.name, f"o{at}.npy".encode())), one.data, one.method, central={"offset": 0})
        )


def _bomb(choose: random.Random, members: list[Member]) -> None:
    count = choose.choice((1 << 16, 1 << 20))
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({count},), }}".encode()
    zeros = npy.MAGIC + b"\x01\x00" + struct.pack("<H", len(text)) + text + bytes(4 * count)
    members.append(Member(b"zeros.npy", zeros, DEFLATED))


def _nothing(choose: random.Random, members: list[Member]) -> None:
    members.clear()
    members.append(Member(choose.choice((b"", b"d/", b".npy", b"only.txt")), b"", STORED))


_TWISTS = (
    *(_other_content, _other_content, _other_name, _other_name, _twice, _lying_numbers, _lying_numbers, _flags),
    *(_method, _extra, _extra, _many, _overlap, _bomb, _nothing),
)


def archive(choose: random.Random, members: list[Member], *, odd: bool) -> bytes:
    """Write the archive; an odd one has a prefix, a comment, or an end that lies."""
    prefix = choose.choice((b"", b"#!/bin/sh\n", b"PK\x05\x06" + bytes(18), choose.randbytes(70))) if odd else b""
    body, directory = bytearray(prefix), bytearray()
    for one in members:
        offset = len(body)
        packed = one.packed
        told = {"flags": one.flags, "method": one.method, "crc": zlib.crc32(one.data), "packed": len(packed)}
        told |= {"size": len(one.data), "name": len(one.name), "extra": len(one.extra), "offset": offset}
        body += b"PK\x03\x04" + _numbers("HHHHHIIIHH", told | one.local, local=True)
        body += one.name + one.extra + packed
        if one.flags & 0x8:
            body += choose.choice((b"PK\x07\x08", b"")) + struct.pack("<III", told["crc"], len(packed), len(one.data))
        directory += b"PK\x01\x02" + _numbers("HHHHHHIIIHHHHHII", told | one.central, local=False)
        directory += one.name + one.extra + one.comment
    return bytes(body) + bytes(directory) + _end(choose, len(members), len(directory), len(body), odd=odd)


def _numbers(form: str, told: dict[str, int], *, local: bool) -> bytes:
    values = [
        20,
        told["flags"],
        told["method"],
        0,
        0x21,
        told["crc"],
        told["packed"],
        told["size"],
        told["name"],
        told["extra"],
    ]
    if not local:
        values = [20, *values, 0, 0, 0, 0, told["offset"]]
    masks = [0xFFFF if letter == "H" else 0xFFFFFFFF for letter in form]
    return struct.pack("<" + form, *(number & mask for number, mask in zip(values, masks, strict=True)))


def _end(choose: random.Random, entries: int, length: int, offset: int, *, odd: bool) -> bytes:
    counts, comment, before = [entries, entries, length, offset], b"", b""
    way = choose.randrange(5) if odd else -1
    if way == 0:
        comment = choose.choice((b"c", b"c" * 65_535, b"PK\x05\x06" + bytes(18)))
    elif way == 1:
        counts[choose.randrange(4)] = size(choose)
    elif way == 2:
        record = [44, 45, 45, 0, 0, *(choose.choice((number, size(choose, 64))) for number in counts)]
        before = b"PK\x06\x06" + struct.pack("<QHHIIQQQQ", *record)
        before += b"PK\x06\x07" + struct.pack("<IQI", 0, choose.choice((offset + length, size(choose, 64))), 1)
        counts = [0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF]
    elif way == 3:
        return b""
    masks = (0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
    told = [number & mask for number, mask in zip(counts, masks, strict=True)]
    lies = len(comment) + (choose.choice((1, -1, 9)) if way == 4 else 0)
    return before + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, *told, lies & 0xFFFF) + comment
