"""WAV, RIFX, RF64, Wave64, AIFF, AU: sizes that pipes write, extensible headers, masks, depths, chunks around."""

from __future__ import annotations

import random
import struct
from typing import Any

import numpy as np

from variations.drawn import sound

_ENDLESS = (0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFF000, 0x80000000, 2_000_000_000)
_GUID = bytes.fromhex("000000001000800000aa00389b71")
_W64 = bytes.fromhex("f3acd3118cd100c04f8edb8a")


def make(choose: random.Random) -> tuple[str, bytes, Any, str]:
    container = choose.choice(("wav", "wav", "wav", "rifx", "rf64", "w64", "aiff", "au"))
    code, bits = choose.choice(((1, 8), (1, 16), (1, 16), (1, 24), (1, 32), (3, 32), (3, 64)))
    channels = choose.choice((1, 1, 2, 2, 3, 6, 8))
    most = (1 << (min(bits, 24) - 1)) - 1
    numbers = sound(choose, channels, most)
    if code == 1 and bits == 32:
        numbers = numbers * 256
    full = float(1 << (bits - 1)) if code == 1 else float(most + 1)
    truth = numbers / full
    big = container in ("rifx", "aiff", "au")
    values = truth if code == 3 else numbers
    if container in ("aiff", "au"):
        return _bare(choose, container, code, bits, values, truth)
    body = _bytes(values, code, bits, big, unsigned=bits == 8)
    extensible = choose.random() < 0.4
    mask = choose.choice((0, 0x3, 0x60F, 0x3F, 0x4)) if extensible else 0
    head = _format(choose, code, bits, channels, extensible, mask, big)
    words = f"{code}/{bits} x {channels}, extensible {extensible}, mask {mask:#x}"
    if container == "w64":
        return ".w64", _wave64(head, body), truth, f"w64, {words}"
    return _riff(choose, container, head, body, truth, words)


def _bytes(values: Any, code: int, bits: int, big: bool, *, unsigned: bool) -> bytes:
    order = ">" if big else "<"
    if code == 3:
        return values.astype(f"{order}f{bits // 8}").tobytes()
    if bits == 8:
        return (values + 128).astype(np.uint8).tobytes() if unsigned else values.astype(np.int8).tobytes()
    if bits == 24:
        four = values.astype(f"{order}i4")
        raw = np.frombuffer(four.tobytes(), np.uint8).reshape(-1, 4)
        return raw[:, 1:].tobytes() if big else raw[:, :3].tobytes()
    return values.astype(f"{order}i{bits // 8}").tobytes()


def _format(
    choose: random.Random, code: int, bits: int, channels: int, extensible: bool, mask: int, big: bool
) -> bytes:
    order, frame = ">" if big else "<", channels * bits // 8
    rate = choose.choice((8_000, 16_000, 44_100, 192_000))
    head = struct.pack(f"{order}HHIIHH", 0xFFFE if extensible else code, channels, rate, rate * frame, frame, bits)
    if extensible:
        head += struct.pack(f"{order}HHI", 22, bits, mask) + struct.pack(f"{order}H", code) + _guid(big)
    elif choose.random() < 0.4:
        head += struct.pack(f"{order}H", 0)
    return head


def _guid(big: bool) -> bytes:
    """The rest of the sub-format: two numbers of 16 bits, in the file's own order, then eight bytes."""
    return struct.pack(">HHH" if big else "<HHH", 0, 0, 0x10) + _GUID[6:] if big else _GUID


def _riff(
    choose: random.Random, container: str, head: bytes, body: bytes, truth: Any, words: str
) -> tuple[str, bytes, Any, str]:
    order = ">" if container == "rifx" else "<"

    def chunk(name: bytes, content: bytes, size: int | None = None) -> bytes:
        told = len(content) if size is None else size
        return name + struct.pack(f"{order}I", told) + content + bytes(len(content) & 1)

    before = b"".join(choose.sample((chunk(b"JUNK", bytes(28)), chunk(b"bext", bytes(602)), chunk(b"PAD ", b"abc")), 1))
    behind = choose.choice((b"", b"", chunk(b"LIST", b"INFOINAM\x04\0\0\0abc\0" if order == "<" else b"adtl")))
    sizes = choose.choice(("told", "told", "told", "endless", "riff is off", "behind"))
    told, total_off = None, 0
    if container == "rf64":
        total = 4 + 36 + len(chunk(b"fmt ", head)) + 8 + len(body) + (len(body) & 1)
        fields = struct.pack("<QQQI", total, len(body), len(truth), 0)
        data = b"RF64" + struct.pack("<I", 0xFFFFFFFF) + b"WAVE" + chunk(b"ds64", fields) + chunk(b"fmt ", head)
        return ".rf64", data + chunk(b"data", body, 0xFFFFFFFF), truth, f"rf64, {words}"
    if sizes == "endless":
        told, before, behind = choose.choice(_ENDLESS), b"", b""
        body = body[: len(body) - len(body) % 2] if len(body) % 2 else body
        truth = truth[: len(body) // struct.unpack_from(f"{order}H", head, 12)[0]]
        body = body[: len(truth) * struct.unpack_from(f"{order}H", head, 12)[0]]
    elif sizes == "riff is off":
        total_off = choose.choice((8, 44, -8))
    inner = b"WAVE" + before + chunk(b"fmt ", head) + chunk(b"data", body, told) + behind
    size = told if told is not None else max(0, len(inner) + total_off)
    data = (b"RIFX" if container == "rifx" else b"RIFF") + struct.pack(f"{order}I", size & 0xFFFFFFFF) + inner
    if sizes == "behind":
        data += b"TAG" + bytes(125)
    return ".wav", data, truth, f"{container}, {words}, sizes {sizes}"


def _wave64(head: bytes, body: bytes) -> bytes:
    def chunk(name: bytes, content: bytes) -> bytes:
        return name + _W64 + struct.pack("<Q", len(content) + 24) + content + bytes(-len(content) % 8)

    inner = b"wave" + _W64 + chunk(b"fmt ", head) + chunk(b"data", body)
    return b"riff" + bytes.fromhex("2e91cf11a5d628db04c10000") + struct.pack("<Q", len(inner) + 24) + inner


def _bare(
    choose: random.Random, container: str, code: int, bits: int, values: Any, truth: Any
) -> tuple[str, bytes, Any, str]:
    """AU and AIFF, whose numbers are big-endian, and signed at 8 bits too."""
    channels, rate = truth.shape[1], choose.choice((8_000, 44_100))
    body = _bytes(values, code, bits, True, unsigned=False)
    words = f"{container}, {code}/{bits} x {channels}"
    if container == "au":
        kinds = {(1, 8): 2, (1, 16): 3, (1, 24): 4, (1, 32): 5, (3, 32): 6, (3, 64): 7}
        note = choose.choice((b"", b"note\0\0\0\0"))
        size = choose.choice((len(body), 0xFFFFFFFF))
        head = struct.pack(">5I", 24 + len(note), size, kinds[code, bits], rate, channels)
        return choose.choice((".au", ".snd")), b".snd" + head + note + body, truth, words
    exponent = rate.bit_length() - 1
    extended = struct.pack(">HQ", 16383 + exponent, rate << (63 - exponent))
    common = struct.pack(">HIH", channels, len(truth), bits) + extended
    kind = b"AIFF"
    little = code == 1 and bits > 8 and choose.random() < 0.3
    if code == 3 or little:
        kind = b"AIFC"
        name = b"sowt" if little else b"fl32" if bits == 32 else b"fl64"
        common += name + b"\0\0"
        if little:
            if bits != 16:
                return _bare(choose, "au", code, bits, values, truth)
            body = _bytes(values, code, bits, False, unsigned=False)
    pieces = [b"COMM" + struct.pack(">I", len(common)) + common]
    pieces.append(b"SSND" + struct.pack(">III", len(body) + 8, 0, 0) + body + bytes(len(body) & 1))
    if choose.random() < 0.3:
        pieces.insert(0, b"NAME" + struct.pack(">I", 4) + b"name")
    if choose.random() < 0.2:
        pieces.reverse()
    inner = kind + b"".join(pieces)
    return choose.choice((".aif", ".aiff")), b"FORM" + struct.pack(">I", len(inner)) + inner, truth, words
