"""Chunks of PNG: right checksums over fields that are not allowed, or not together."""

from __future__ import annotations

import random
import struct
import zlib

from grammars.pieces import chance, damaged, name, size

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_LEGAL = (
    [(0, bits) for bits in (1, 2, 4, 8, 16)] + [(3, bits) for bits in (1, 2, 4, 8)] + [(2, 8), (2, 16), (4, 8), (6, 8)]
)
_SIDES = (0, 1, 2, 5, 9, 2**16, 2**31 - 1, 2**31, 2**32 - 1)
Chunk = tuple[bytes, bytes]


def make(choose: random.Random) -> tuple[str, bytes]:
    chunks = _picture(choose)
    for _ in range(choose.choice((0, 1, 1, 2, 3))):
        choose.choice(_TWISTS)(choose, chunks)
    data = SIGNATURE + b"".join(_written(choose, *chunk) for chunk in chunks)
    return choose.choice((".png", ".png", ".png", ".apng")), damaged(data, choose) if chance(choose, 0.08) else data


def _written(choose: random.Random, kind: bytes, content: bytes) -> bytes:
    crc = zlib.crc32(kind + content) ^ (1 if chance(choose, 0.01) else 0)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", crc)


def _picture(choose: random.Random) -> list[Chunk]:
    colour, bits = choose.choice(_LEGAL)
    width, height = choose.randrange(1, 12), choose.randrange(1, 9)
    interlace = choose.choice((0, 0, 0, 1))
    # an interlaced picture of one pixel has one pass, of which the rows are those of the picture
    width, height = (1, 1) if interlace else (width, height)
    row = (width * bits * _CHANNELS[colour] + 7) // 8
    raw = b"".join(bytes([choose.randrange(5)]) + choose.randbytes(row) for _ in range(height))
    if colour == 3:
        raw = bytes(1 + row) * height
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlace))]
    if colour == 3:
        chunks.append((b"PLTE", choose.randbytes(3 * choose.choice((1, 2, 1 << bits)))))
    return [*chunks, (b"IDAT", zlib.compress(raw)), (b"IEND", b"")]


def _place(choose: random.Random, chunks: list[Chunk], new: Chunk) -> None:
    """Put a chunk anywhere, most often where it may be."""
    chunks.insert(1 if chance(choose, 0.6) else choose.randrange(len(chunks) + 1), new)


def _header(choose: random.Random, chunks: list[Chunk]) -> None:
    """Any depth, colour, side, method and interlace, over the same data."""
    fields = list(struct.unpack(">IIBBBBB", chunks[0][1])) if len(chunks[0][1]) == 13 else [1, 1, 8, 0, 0, 0, 0]
    for _ in range(choose.choice((1, 1, 2))):
        at = choose.randrange(7)
        fields[at] = (
            choose.choice(_SIDES) if at < 2 else choose.choice((0, 1, 2, 3, 4, 5, 6, 7, 8, 15, 16, 32, 64, 255))
        )
    chunks[0] = (b"IHDR", struct.pack(">IIBBBBB", *fields))


def _header_of_no_picture(choose: random.Random, chunks: list[Chunk]) -> None:
    way = choose.randrange(4)
    if way == 0:
        chunks[0] = (b"IHDR", chunks[0][1][: choose.randrange(14)])
    elif way == 1:
        chunks[0] = (b"IHDR", chunks[0][1] + choose.randbytes(3))
    elif way == 2:
        chunks.insert(choose.randrange(1, len(chunks)), chunks[0])
    else:
        chunks[0] = choose.choice(((b"IEND", b""), (b"CgBI", b"\x50\0\x20\2"), (b"JHDR", bytes(16))))


def _transparency(choose: random.Random, chunks: list[Chunk]) -> None:
    """tRNS of any length, anywhere, for any colour, also above the depth."""
    lengths = (0, 1, 2, 3, 5, 6, 7, 255, 256, 257, 4_000)
    content = choose.choice((choose.randbytes, bytes))(choose.choice(lengths))
    for _ in range(choose.choice((1, 1, 2))):
        _place(choose, chunks, (b"tRNS", choose.choice((content, b"\xff" * len(content)))))


def _grey_of_no_depth(choose: random.Random, chunks: list[Chunk]) -> None:
    bits = choose.choice((0, 3, 5, 7, 9, 15, 17, 255, 1, 2, 4, 8, 16))
    chunks[0] = (b"IHDR", struct.pack(">IIBBBBB", 1, 1, bits, choose.choice((0, 0, 0, 2)), 0, 0, 0))
    chunks.insert(1, (b"tRNS", struct.pack(">H", choose.choice((0, 1, 255, 256, 0xFFFF)))))


def _palette(choose: random.Random, chunks: list[Chunk]) -> None:
    kept = [chunk for chunk in chunks if chunk[0] != b"PLTE"] if chance(choose, 0.6) else list(chunks)
    chunks[:] = kept or chunks
    if chance(choose, 0.7):
        _place(choose, chunks, (b"PLTE", choose.randbytes(choose.choice((0, 1, 2, 3, 4, 9, 768, 771, 3_000)))))


def _text(choose: random.Random, chunks: list[Chunk]) -> None:
    """Text that holds chunk names, wrong separators, and bombs."""
    words = (b"tRNS\0\0\0\1", b"IDAT", b"IEND\xae\x42\x60\x82", b"PLTE", b"acTL\0\0\0\2", b"IHDR" + bytes(13), b"")
    inner = choose.choice((*words, name(choose).encode("utf-8", "surrogatepass")))
    keyword = choose.choice((b"Title\0", b"", b"\0", b"XML:com.adobe.xmp\0", b"k" * 80 + b"\0", b"no separator"))
    kind = choose.choice((b"tEXt", b"zTXt", b"iTXt"))
    middle = {b"tEXt": b"", b"zTXt": b"\0", b"iTXt": choose.choice((b"\0\0\0\0", b"\1\0\0\0", b"\1\1en\0", b""))}[kind]
    body = zlib.compress(inner + bytes(choose.choice((0, 10, 1 << 20)))) if chance(choose, 0.4) else inner
    _place(choose, chunks, (kind, keyword + middle + body))


def _profile(choose: random.Random, chunks: list[Chunk]) -> None:
    inner = choose.choice(
        (b"", bytes(127), bytes(128), b"\0\0\0\x84" + bytes(128), bytes(1 << 21), choose.randbytes(300))
    )
    packed = choose.choice((zlib.compress(inner), inner[:500], zlib.compress(inner)[:-3], b""))
    _place(
        choose,
        chunks,
        (b"iCCP", choose.choice((b"icc\0\0", b"icc\0\1", b"\0\0", b"icc", b"i" * 90 + b"\0\0")) + packed),
    )


def _ancillary(choose: random.Random, chunks: list[Chunk]) -> None:
    """Known chunks of wrong sizes, and names of every sort."""
    kinds = (b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"pHYs", b"tIME", b"bKGD", b"hIST", b"sPLT", b"eXIf", b"cICP", b"mDCV")
    kind = choose.choice((*kinds, b"zzZz", b"ABCD", b"abcd", b"\0\0\0\0", b"\xff\xfe\xfd\xfc", b"IDAt", b"vpAg"))
    content = choose.choice((choose.randbytes, bytes))(choose.choice((0, 1, 2, 3, 4, 6, 7, 9, 13, 32, 33, 512)))
    if kind == b"eXIf":
        content = choose.choice((b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08", b"Exif\0\0II*\0", b"")) + content
    for _ in range(choose.choice((1, 1, 2, 300))):
        _place(choose, chunks, (kind, content))


def _animation(choose: random.Random, chunks: list[Chunk]) -> None:
    frames = choose.choice((0, 1, 2, 2**31, 2**32 - 1))
    content = struct.pack(">II", frames, choose.choice((0, 1)))
    _place(choose, chunks, (b"acTL", choose.choice((content, content[:4], content[:3], b"", content + b"\0"))))
    if chance(choose, 0.6):
        control = struct.pack(">IIIIIHHBB", 0, size(choose), size(choose), size(choose), 0, 1, 0, 7, 9)
        _place(choose, chunks, (b"fcTL", choose.choice((control, control[:9], b""))))
        _place(choose, chunks, (b"fdAT", choose.choice((b"", b"\0\0\0\1", b"\0\0\0\1" + choose.randbytes(20)))))


def _data(choose: random.Random, chunks: list[Chunk]) -> None:
    """Image data cut into pieces, empty pieces, too much, too little, of another kind."""
    at = next((at for at, chunk in enumerate(chunks) if chunk[0] == b"IDAT"), None)
    if at is None:
        return
    data, way = chunks[at][1], choose.randrange(8)
    middle = len(data) // 2
    chunks[at : at + 1] = {
        0: [(b"IDAT", data[:middle]), (b"IDAT", data[middle:])],
        1: [(b"IDAT", b"")] * choose.choice((1, 2, 200)) + [(b"IDAT", data)],
        2: [(b"IDAT", data[:middle]), (b"tEXt", b"a\0b"), (b"IDAT", data[middle:])],
        3: [(b"IDAT", data[:-4])],
        4: [(b"IDAT", data + data)],
        5: [(b"IDAT", choose.choice((zlib.compress(b""), zlib.compress(bytes(1 << 20)), b"", choose.randbytes(40))))],
        6: [],
        7: [(b"IDAT", bytes([byte]) + b"") for byte in data],
    }[way]


def _order(choose: random.Random, chunks: list[Chunk]) -> None:
    way = choose.randrange(4)
    if way == 0:
        choose.shuffle(chunks)
    elif way == 1:
        chunks[:] = [chunk for chunk in chunks if chunk[0] != b"IEND"] or chunks
    elif way == 2:
        chunks.append(choose.choice(((b"IEND", b""), (b"tEXt", b"x\0y"), (b"IEND", b"content"))))
    else:
        chunks.insert(choose.randrange(1, len(chunks) + 1), (b"IEND", b""))


_TWISTS = (
    *(_header, _header, _header_of_no_picture, _transparency, _transparency, _grey_of_no_depth, _palette, _text, _text),
    *(_profile, _ancillary, _ancillary, _animation, _data, _data, _order),
)
