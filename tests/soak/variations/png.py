"""PNG: every colour type and depth, interlaced or not, transparency, filters, chunks that few writers make."""

from __future__ import annotations

import random
import struct
import zlib
from typing import Any

import numpy as np

from variations.drawn import picture

_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def make(choose: random.Random) -> tuple[str, bytes, Any, str]:
    colour = choose.choice(tuple(_DEPTHS))
    bits = choose.choice(_DEPTHS[colour])
    most = (1 << bits) - 1
    samples = picture(choose, _CHANNELS[colour], most)
    interlaced, transparent = choose.random() < 0.3, choose.random() < 0.4
    truth, extra = _meaning(choose, colour, bits, samples, transparent)
    height, width = samples.shape[:2]
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, int(interlaced))
    passes = _ADAM7 if interlaced else ((0, 0, 1, 1),)
    raw = b"".join(_packed(choose, samples[y::down, x::across], bits) for x, y, across, down in passes)
    packed = zlib.compress(raw, choose.choice((0, 1, 9)))
    pieces = choose.choice((1, 1, 3))
    step = -(-len(packed) // pieces)
    body = [b"" if pieces == 3 and choose.random() < 0.5 else None]
    body += [packed[at : at + step] for at in range(0, len(packed), step)]
    around = [(b"gAMA", struct.pack(">I", 45455)), (b"pHYs", struct.pack(">IIB", 2835, 2835, 1)), (b"tIME", bytes(7))]
    chunks = [(b"IHDR", header), *choose.sample(around[:2], choose.randrange(3)), *extra]
    chunks += [(b"IDAT", piece) for piece in body if piece is not None]
    chunks += [(b"tEXt", b"Title\0words"), (b"IEND", b"")] if choose.random() < 0.5 else [(b"IEND", b"")]
    data = b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in chunks)
    words = (
        f"colour {colour}, {bits} bits" + ", interlaced" * interlaced + ", tRNS" * any(k == b"tRNS" for k, _ in extra)
    )
    return ".png", data, truth, words


def _meaning(choose: random.Random, colour: int, bits: int, samples: Any, transparent: bool) -> tuple[Any, Any]:
    most = (1 << bits) - 1
    share = samples / most
    if colour == 3:
        count = most + 1
        palette = np.random.default_rng(choose.getrandbits(60)).integers(0, 256, (count, 3))
        extra = [(b"PLTE", palette.astype(np.uint8).tobytes())]
        opaque = np.full(count, 255)
        if transparent:
            few = choose.randrange(1, count + 1)
            opaque[:few] = np.random.default_rng(count).integers(0, 256, few)
            extra.append((b"tRNS", opaque[:few].astype(np.uint8).tobytes()))
        picked = samples[..., 0]
        truth = palette[picked] / 255
        return (np.dstack([truth, opaque[picked] / 255]) if transparent else truth), extra
    if colour in (0, 2) and transparent:
        value = samples[samples.shape[0] // 2, 0]
        there = (samples == value).all(axis=-1)
        alpha = np.where(there, 0.0, 1.0)
        shown = np.repeat(share, 3, axis=2) if colour == 0 else share
        return np.dstack([shown, alpha]), [(b"tRNS", value.astype(">u2").tobytes())]
    if colour == 4:
        return share[..., [0, 0, 0, 1]], []
    return (share[..., 0] if colour == 0 else share), []


def _packed(choose: random.Random, samples: Any, bits: int) -> bytes:
    height, width = samples.shape[:2]
    if not height or not width:
        return b""
    flat = samples.reshape(height, -1)
    if bits == 16:
        rows = flat.astype(">u2").view(np.uint8).reshape(height, -1)
    elif bits == 8:
        rows = flat.astype(np.uint8)
    else:
        ones = np.unpackbits(flat.astype(np.uint8)[..., None], axis=-1)[..., 8 - bits :]
        rows = np.packbits(ones.reshape(height, -1), axis=1)
    filtered = bytearray()
    before = np.zeros(rows.shape[1], np.uint8)
    for row in rows:
        up = choose.random() < 0.5
        filtered += bytes([2 if up else 0]) + ((row - before) if up else row).astype(np.uint8).tobytes()
        before = row
    return bytes(filtered)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
