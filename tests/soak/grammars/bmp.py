"""Headers of BMP: every version, depth, compression, mask, palette and direction."""

from __future__ import annotations

import random
import struct

from grammars.pieces import chance, damaged, size

_SIZES = (40, 40, 40, 12, 16, 52, 56, 64, 108, 124)
_ODD_SIZES = (0, 1, 39, 41, 125, 2**31, 2**32 - 1)


def make(choose: random.Random) -> tuple[str, bytes]:
    depth = choose.choice((1, 4, 8, 16, 24, 24, 32))
    width, height = choose.randrange(1, 12), choose.randrange(1, 9)
    told = {
        "size": choose.choice(_SIZES),
        "width": width,
        "height": height,
        "planes": 1,
        "depth": depth,
        "compression": 0,
    }
    told |= {"bytes": 0, "used": 0, "important": 0}
    palette = choose.randbytes(4 << depth) if depth <= 8 else b""
    row = (width * depth + 31) // 32 * 4
    samples = choose.randbytes(row * height)
    for _ in range(choose.choice((0, 1, 1, 2))):
        palette, samples = choose.choice(_TWISTS)(choose, told, palette, samples)
    data = _written(choose, told, palette, samples)
    return choose.choice((".bmp", ".bmp", ".dib")), damaged(data, choose) if chance(choose, 0.08) else data


def _written(choose: random.Random, told: dict[str, int], palette: bytes, samples: bytes) -> bytes:
    length = told["size"]
    if length == 12:
        head = struct.pack("<IHHHH", 12, told["width"] & 0xFFFF, told["height"] & 0xFFFF, told["planes"], told["depth"])
        palette = b"".join(palette[at : at + 3] for at in range(0, len(palette), 4))
    else:
        numbers = [told[key] & 0xFFFFFFFF for key in ("compression", "bytes")] + [2835, 2835]
        numbers += [told[key] & 0xFFFFFFFF for key in ("used", "important")]
        head = struct.pack(
            "<IIIHH", length, told["width"] & 0xFFFFFFFF, told["height"] & 0xFFFFFFFF, told["planes"], told["depth"]
        )
        head += struct.pack("<6I", *numbers) + _masks(choose)
        head = head[: min(length, 124)]
    start = 14 + len(head) + len(palette)
    offset = start if chance(choose, 0.92) else choose.choice((0, 14, start + 1, start - 1, 2**31, 2**32 - 1))
    total = start + len(samples) if chance(choose, 0.9) else size(choose)
    return b"BM" + struct.pack("<IHHI", total, 0, 0, offset & 0xFFFFFFFF) + head + palette + samples


def _masks(choose: random.Random) -> bytes:
    good = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    odd = [choose.choice((0, 1, 0x1F, 0x7E0, 0xF800, 0xFFFFFFFF, 0xAAAAAAAA, 0x80000000)) for _ in range(4)]
    return struct.pack("<4I", *(odd if chance(choose, 0.2) else good)) + b"BGRs" + bytes(80)


Twisted = tuple[bytes, bytes]


def _field(choose: random.Random, told: dict[str, int], palette: bytes, samples: bytes) -> Twisted:
    told[choose.choice(sorted(told))] = size(choose, 16)
    return palette, samples


def _header(choose: random.Random, told: dict[str, int], palette: bytes, samples: bytes) -> Twisted:
    told["size"] = choose.choice(_ODD_SIZES)
    return palette, samples


def _sides(choose: random.Random, told: dict[str, int], palette: bytes, samples: bytes) -> Twisted:
    key = choose.choice(("width", "height"))
    told[key] = choose.choice((-told[key], 0, 2**31 - 1, -(2**31), 65_535, 1 << 20))
    return palette, samples


def _packed(choose: random.Random, told: dict[str, int], palette: bytes, samples: bytes) -> Twisted:
    """Run-length coded, bit fields, JPEG and PNG inside, and numbers that stand for nothing."""
    told["compression"] = choose.choice((1, 2, 3, 4, 5, 6, 11, 13, 99, 2**32 - 1))
    runs = b"".join(bytes([choose.choice((0, 0, 1, 5, 255)), choose.choice((0, 1, 2, 3, 9, 255))]) for _ in range(30))
    return palette, choose.choice((samples, runs, runs + b"\0\1", b"\0\2\xff\xff" * 9, b""))


def _colours(choose: random.Random, told: dict[str, int], palette: bytes, samples: bytes) -> Twisted:
    told["used"] = choose.choice((0, 1, 2, 255, 256, 257, 2**31, 2**32 - 1))
    return palette[: choose.choice((0, 1, 4, 8, len(palette)))], samples


def _short(choose: random.Random, told: dict[str, int], palette: bytes, samples: bytes) -> Twisted:
    return palette, choose.choice((samples[:-1], samples[: len(samples) // 2], b"", samples + b"more"))


def _depth(choose: random.Random, told: dict[str, int], palette: bytes, samples: bytes) -> Twisted:
    told["depth"] = choose.choice((0, 1, 2, 3, 4, 5, 8, 15, 16, 24, 31, 32, 48, 64, 65_535))
    return palette, samples


_TWISTS = (_field, _header, _sides, _sides, _packed, _packed, _colours, _short, _depth)
