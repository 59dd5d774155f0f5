"""Chunks of WAV, AIFF and W64, blocks of FLAC, pages of OGG, frames of MP3, headers of AU and CAF."""

from __future__ import annotations

import io
import random
import struct
from collections.abc import Callable
from functools import cache

import numpy as np
import soundfile

from grammars.pieces import chance, damaged, name, size

_FORMATS = {
    ".wav": ("WAV", "PCM_16"),
    ".aiff": ("AIFF", "PCM_16"),
    ".aifc": ("AIFF", "FLOAT"),
    ".flac": ("FLAC", "PCM_16"),
    ".ogg": ("OGG", "VORBIS"),
    ".opus": ("OGG", "OPUS"),
    ".mp3": ("MP3", "MPEG_LAYER_III"),
    ".au": ("AU", "PCM_16"),
    ".caf": ("CAF", "PCM_16"),
    ".w64": ("W64", "PCM_16"),
    ".rf64": ("RF64", "PCM_16"),
}
Chunk = tuple[bytes, bytes]


def make(choose: random.Random) -> tuple[str, bytes]:
    way = choose.random()
    if way < 0.4:
        suffix, data = ".wav", _wav(choose)
    elif way < 0.55:
        suffix, data = ".aiff", _aiff(choose)
    elif way < 0.7:
        suffix, data = ".flac", _flac(choose)
    elif way < 0.82:
        suffix, data = _ogg(choose)
    else:
        suffix = choose.choice(sorted(_FORMATS))
        data = _header(choose, _base(suffix))
    return suffix, damaged(data, choose) if chance(choose, 0.08) else data


@cache
def _base(suffix: str) -> bytes:
    container, subtype = _FORMATS[suffix]
    rng = np.random.default_rng(5)
    rate = 48_000 if subtype == "OPUS" else 44_100 if container == "MP3" else 8_000
    buffer = io.BytesIO()
    soundfile.write(buffer, rng.normal(0, 0.1, (400, 1)), rate, subtype=subtype, format=container)
    data = bytearray(buffer.getvalue())
    if container == "OGG":
        _number_pages(data)
    elif subtype == "FLOAT":
        data = bytearray(_without_clock(bytes(data)))
    return bytes(data)


def _without_clock(data: bytes) -> bytes:
    at = data.find(b"PEAK")
    return data if at < 0 else data[: at + 12] + bytes(4) + data[at + 16 :]


def _header(choose: random.Random, data: bytes) -> bytes:
    """Write numbers that mean trouble over the first fields."""
    changed = bytearray(data)
    for _ in range(choose.choice((0, 1, 1, 2, 4))):
        form = choose.choice(("B", "<H", ">H", "<I", ">I", ">Q"))
        width = struct.calcsize(form)
        at = choose.randrange(0, min(120, len(changed)) - width, choose.choice((1, 2, 4)))
        struct.pack_into(form, changed, at, size(choose, 8 * width))
    return bytes(changed)


def _chunks(choose: random.Random, chunks: list[Chunk], order: str) -> bytes:
    """Write chunks, now and then with another length, without padding, doubled, shuffled or by the hundred."""
    way = choose.random()
    if way < 0.08:
        choose.shuffle(chunks)
    elif way < 0.16:
        chunks.insert(choose.randrange(len(chunks) + 1), choose.choice(chunks))
    elif way < 0.24:
        chunks.pop(choose.randrange(len(chunks)))
    elif way < 0.4:
        chunks.insert(choose.randrange(len(chunks) + 1), _stranger(choose))
    elif way < 0.43:
        chunks[0:0] = [(choose.choice((b"junk", b"LIST", b"\0\0\0\0")), b"")] * choose.choice((300, 5_000))
    data = b""
    for kind, content in chunks:
        length = (
            len(content) if chance(choose, 0.93) else choose.choice((0, 1, len(content) + 1, 0xFFFFFFF8, size(choose)))
        )
        data += (
            kind
            + struct.pack(order + "I", length & 0xFFFFFFFF)
            + content
            + bytes(len(content) % 2 if chance(choose, 0.9) else 0)
        )
    return data


def _stranger(choose: random.Random) -> Chunk:
    kind = choose.choice(
        (
            b"LIST",
            b"fact",
            b"cue ",
            b"smpl",
            b"bext",
            b"iXML",
            b"id3 ",
            b"PEAK",
            b"JUNK",
            b"ds64",
            b"\xff\xfe\0\0",
            b"data",
            b"fmt ",
        )
    )
    inner = choose.choice(
        (b"", b"INFO", b"INFOINAM\4\0\0\0abc\0", b"INFOIART\xff\xff\xff\xff", b"adtl", choose.randbytes(25), bytes(600))
    )
    return kind, inner + name(choose).encode("utf-8", "surrogatepass")[:300] if chance(choose, 0.3) else inner


def _wav(choose: random.Random) -> bytes:
    channels, rate, bits, tag = (
        choose.choice((1, 1, 2)),
        choose.choice((8_000, 44_100)),
        choose.choice((8, 16, 24, 32)),
        1,
    )
    if bits == 32 and chance(choose, 0.5):
        tag = 3
    fields = [tag, channels, rate, rate * channels * bits // 8, channels * bits // 8, bits]
    if chance(choose, 0.3):
        at = choose.randrange(6)
        fields[at] = choose.choice((0, 1, 2, 3, 6, 7, 17, 49, 80, 85, 255, 0xFFFE, size(choose, 16)))
    form = struct.pack(
        "<HHIIHH", *(field & (0xFFFFFFFF if at in (2, 3) else 0xFFFF) for at, field in enumerate(fields))
    )
    if chance(choose, 0.25):
        extension = struct.pack("<HHI", choose.choice((22, 0, 2, 0xFFFF)), bits, choose.choice((0, 3, 4, 2**32 - 1)))
        form = (
            b"\xfe\xff"
            + form[2:]
            + extension
            + choose.choice((struct.pack("<H", tag), choose.randbytes(2)))
            + b"\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71"
        )
    if chance(choose, 0.06):
        form = form[: choose.randrange(len(form))]
    samples = struct.pack("<50f", *(choose.uniform(-1, 1) for _ in range(50))) if tag == 3 else choose.randbytes(240)
    body = b"WAVE" + _chunks(choose, [(b"fmt ", form), (b"data", samples)], "<")
    length = len(body) if chance(choose, 0.93) else choose.choice((0, 4, len(body) + 1, 2**32 - 1))
    return choose.choice((b"RIFF",) * 12 + (b"RIFX", b"RF64")) + struct.pack("<I", length) + body


def _aiff(choose: random.Random) -> bytes:
    rate = (
        b"\x40\x0b\xfa\0\0\0\0\0\0\0"
        if chance(choose, 0.9)
        else choose.choice((bytes(10), b"\xff" * 10, choose.randbytes(10)))
    )
    bits = choose.choice((8, 16, 24, 32)) if chance(choose, 0.9) else choose.choice((0, 1, 12, 33, 255))
    channels = choose.choice((1, 2)) if chance(choose, 0.9) else choose.choice((0, 3, 1_024, 65_535))
    samples = choose.randbytes(240)
    frames = 240 * 8 // (channels * bits) if channels and bits and chance(choose, 0.9) else size(choose)
    common = struct.pack(">hIh", channels - 65_536 if channels > 32_767 else channels, frames & 0xFFFFFFFF, bits) + rate
    kind = choose.choice((b"AIFF", b"AIFF", b"AIFC"))
    if kind == b"AIFC":
        common += choose.choice((b"NONE", b"sowt", b"fl32", b"ulaw", b"ima4", b"zzzz")) + choose.choice(
            (b"\0\0", b"\x05hello", b"\xff", b"")
        )
    body = kind + _chunks(choose, [(b"COMM", common), (b"SSND", bytes(8) + samples)], ">")
    return b"FORM" + struct.pack(">I", len(body) if chance(choose, 0.93) else size(choose)) + body


def _flac(choose: random.Random) -> bytes:
    """Metadata blocks of a good file with others beside, numbers changed, the last flag wrong."""
    data, blocks, at, last = _base(".flac"), [], 4, False
    while not last:
        last, kind = bool(data[at] & 0x80), data[at] & 0x7F
        length = int.from_bytes(data[at + 1 : at + 4], "big")
        blocks.append((kind, data[at + 4 : at + 4 + length]))
        at += 4 + length
    for _ in range(choose.choice((0, 1, 1, 2))):
        where = choose.randrange(len(blocks))
        kind, content = blocks[where]
        changed = bytearray(content)
        if changed:
            changed[choose.randrange(len(changed))] = choose.choice((0, 1, 0x7F, 0x80, 0xFF))
        new = (choose.randrange(128), choose.randbytes(choose.choice((0, 4, 34, 300))))
        blocks[where : where + 1] = choose.choice(
            ([(kind, bytes(changed))], [(kind, content)] * 2, [new, (kind, content)], [(kind, content), new], [])
        )
        if not blocks:
            blocks = [new]
    written = b""
    for number, (kind, content) in enumerate(blocks):
        flag = 0x80 if (number == len(blocks) - 1) != chance(choose, 0.03) else 0
        length = len(content) if chance(choose, 0.96) else choose.choice((0, 0xFFFFFF, len(content) + 1))
        written += bytes([flag | kind & 0x7F]) + length.to_bytes(3, "big") + content
    return choose.choice((b"fLaC",) * 12 + (b"ID3\4\0\0\0\0\0\0fLaC", b"fLaX")) + written + data[at:]


def _pages(data: bytes) -> list[bytes]:
    found = data.split(b"OggS")[1:]
    return [b"OggS" + page for page in found]


def _ogg(choose: random.Random) -> tuple[str, bytes]:
    """Pages cut, doubled, out of order, with other flags, serials and positions, their checksums right."""
    suffix = choose.choice((".ogg", ".opus"))
    pages = [bytearray(page) for page in _pages(_base(suffix))]
    for _ in range(choose.choice((0, 1, 1, 2))):
        at = choose.randrange(len(pages))
        place, form = choose.choice(
            ((4, "B"), (5, "B"), (6, "<Q"), (14, "<I"), (18, "<I"), (26, "B"), (27, "B"), (28, "B"), (34, "<I"))
        )
        ways: tuple[Callable[[], None], ...] = (
            lambda at=at: pages.insert(at, bytearray(pages[at])),  # type: ignore[misc]
            lambda: choose.shuffle(pages),
            lambda at=at, place=place, form=form: _lie(choose, pages[at], place, form),  # type: ignore[misc]
            lambda at=at, place=place, form=form: _lie(choose, pages[at], place, form),  # type: ignore[misc]
        )
        choose.choice(ways)()
        if len(pages) > 1 and chance(choose, 0.15):
            pages.pop(choose.randrange(len(pages)))
    for page in pages:
        _seal(page)
    return suffix, b"".join(pages)


def _lie(choose: random.Random, page: bytearray, place: int, form: str) -> None:
    width = struct.calcsize(form)
    if len(page) >= place + width:
        struct.pack_into(form, page, place, size(choose, 8 * width))


def _number_pages(data: bytearray) -> None:
    """Give a stream a serial number that is not drawn at random."""
    at = 0
    for page in _pages(bytes(data)):
        changed = bytearray(page)
        struct.pack_into("<I", changed, 14, 7)
        _seal(changed)
        data[at : at + len(changed)] = changed
        at += len(changed)


def _seal(page: bytearray) -> None:
    if len(page) >= 27:
        struct.pack_into("<I", page, 22, 0)
        struct.pack_into("<I", page, 22, _ogg_crc(bytes(page)))


def _ogg_crc(data: bytes) -> int:
    table, crc = _crc_table(), 0
    for byte in data:
        crc = (crc << 8 & 0xFFFFFFFF) ^ table[crc >> 24 ^ byte]
    return crc


@cache
def _crc_table() -> tuple[int, ...]:
    table = []
    for number in range(256):
        crc = number << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc & 0x80000000 else 0)) & 0xFFFFFFFF
        table.append(crc)
    return tuple(table)
