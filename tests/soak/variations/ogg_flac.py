"""FLAC and Ogg: counts that headers leave out or tell too small, tags around, streams without an end flag."""

from __future__ import annotations

import io
import random
from typing import Any

import soundfile

from variations.drawn import sound

_NO_END = 0x04


def make(choose: random.Random) -> tuple[str, bytes, Any, str]:
    return choose.choice((_flac, _flac, _ogg))(choose)


def _flac(choose: random.Random) -> tuple[str, bytes, Any, str]:
    depth, channels = choose.choice((8, 16, 24)), choose.choice((1, 2, 3, 6))
    numbers = sound(choose, channels, (1 << (depth - 1)) - 1)
    while len(numbers) < 64:
        numbers = sound(choose, channels, (1 << (depth - 1)) - 1)
    truth = numbers / float(1 << (depth - 1))
    buffer = io.BytesIO()
    subtype = {8: "PCM_S8", 16: "PCM_16", 24: "PCM_24"}[depth]
    soundfile.write(buffer, (numbers << (32 - depth)).astype("i4"), 16_000, format="FLAC", subtype=subtype)
    data = bytearray(buffer.getvalue())
    change = choose.choice(("none", "no count", "no md5", "id3 in front", "id3 behind", "padding", "small count"))
    if change == "no count":
        data[21] &= 0xF0
        data[22:26] = bytes(4)
    elif change == "small count":
        data[21] &= 0xF0
        data[22:26] = (len(truth) // 2).to_bytes(4, "big")
    elif change == "no md5":
        data[26:42] = bytes(16)
    elif change == "id3 in front":
        data[:0] = b"ID3\x04\0\0\0\0\0\x0a" + bytes(10)
    elif change == "id3 behind":
        data += b"TAG" + bytes(125)
    elif change == "padding":
        data[42:42] = b"\x01\0\0\x10" + bytes(16)
    return ".flac", bytes(data), truth, f"{depth} bits x {channels}, {change}"


def _ogg(choose: random.Random) -> tuple[str, bytes, Any, str]:
    channels = choose.choice((1, 2))
    numbers = sound(choose, channels, 20_000)
    while len(numbers) < 700:
        numbers = sound(choose, channels, 20_000)
    buffer = io.BytesIO()
    subtype = choose.choice(("VORBIS", "OPUS"))
    soundfile.write(buffer, numbers / 32768, 48_000, format="OGG", subtype=subtype)
    data = bytearray(buffer.getvalue())
    truth = soundfile.read(io.BytesIO(bytes(data)), always_2d=True)[0]
    change = choose.choice(("none", "no end flag", "another serial"))
    pages, at = [], 0
    while at < len(data):
        count = data[at + 26]
        end = at + 27 + count + sum(data[at + 27 : at + 27 + count])
        pages.append((at, end))
        at = end
    for start, end in pages:
        if change == "no end flag":
            data[start + 5] &= ~_NO_END
        serial = b"\xff\xff\xff\xff" if change == "another serial" else b"\1\2\3\4"
        data[start + 14 : start + 18] = serial
        data[start + 22 : start + 26] = bytes(4)
        data[start + 22 : start + 26] = _sum(bytes(data[start:end])).to_bytes(4, "little")
    return choose.choice((".ogg", ".oga")), bytes(data), truth, f"{subtype} x {channels}, {change}"


def _sum(page: bytes) -> int:
    """The sum of an Ogg page: a CRC of 32 bits, not reflected, that begins with 0."""
    total = 0
    for byte in page:
        total ^= byte << 24
        for _ in range(8):
            total = (total << 1 ^ 0x04C11DB7 if total & 0x80000000 else total << 1) & 0xFFFFFFFF
    return total
