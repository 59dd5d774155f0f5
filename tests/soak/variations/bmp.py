"""BMP: seven headers, six depths, masks of any widths, palettes, both directions, gaps."""

from __future__ import annotations

import random
import struct
from typing import Any

import numpy as np

from variations.drawn import picture

Array = Any
_MASKS = {
    16: ((0x7C00, 0x3E0, 0x1F, 0), (0xF800, 0x7E0, 0x1F, 0), (0xF00, 0xF0, 0xF, 0xF000), (0x1F, 0x3E0, 0x7C00, 0)),
    32: (
        (0xFF0000, 0xFF00, 0xFF, 0),
        (0xFF, 0xFF00, 0xFF0000, 0),
        (0xFF000000, 0xFF0000, 0xFF00, 0),
        (0xFF000000, 0xFF0000, 0xFF00, 0xFF),
        (0xFF0000, 0xFF00, 0xFF, 0xFF000000),
        (0x3FF00000, 0xFFC00, 0x3FF, 0),
        (0xFF00, 0xFF0000, 0xFF000000, 0),
    ),
}


def make(choose: random.Random) -> tuple[str, bytes, Any, str]:
    size = choose.choice((12, 40, 52, 56, 64, 108, 124))
    bits = choose.choice((1, 4, 8, 24) if size in (12, 64) else (1, 4, 8, 16, 16, 24, 32, 32))
    masks = (0, 0, 0, 0)
    if bits in _MASKS and (size in (52, 56) or choose.random() < 0.8):
        masks = choose.choice(_MASKS[bits])
    if size in {40, 52}:
        masks = (*masks[:3], 0)
    if bits <= 8:
        truth, palette, samples = _palette(choose, bits, 3 if size == 12 else 4)
    else:
        palette, (truth, samples) = b"", _direct(choose, bits, masks)
    down = size != 12 and choose.random() < 0.3
    height, width = truth.shape[:2]
    rows = [samples[at : at + len(samples) // height] for at in range(0, len(samples), len(samples) // height)]
    body = b"".join(row + bytes(-len(row) % 4) for row in (rows if down else rows[::-1]))
    head = _header(choose, size, width, -height if down else height, bits, masks, len(palette) // 4, len(body))
    gap = choose.choice((0, 0, 0, 2, 17))
    start = 14 + len(head) + len(palette) + gap
    data = b"BM" + struct.pack("<IHHI", start + len(body), 0, 0, start) + head + palette + bytes(gap) + body
    told = f"header {size}, {bits} bits, masks {masks}, {'top down' if down else 'bottom up'}, gap {gap}"
    return choose.choice((".bmp", ".bmp", ".dib")), data, truth, told


def _header(
    choose: random.Random, size: int, width: int, height: int, bits: int, masks: Any, used: int, length: int
) -> bytes:
    if size == 12:
        return struct.pack("<IHHHH", 12, width, height, 1, bits)
    packed = 3 if any(masks) else 0
    told = length if packed or choose.random() < 0.5 else 0
    head = struct.pack("<IiiHHIIiiII", size, width, height, 1, bits, packed, told, 2835, 2835, used, 0)
    if packed and size == 40:
        # the masks of the oldest header follow it
        return head + struct.pack("<3I", *masks[:3])
    fields = struct.pack("<4I", *masks) + b"BGRs" + bytes(80)
    return (head + (bytes(24) if size == 64 else fields))[:size]


def _palette(choose: random.Random, bits: int, width: int) -> tuple[Array, bytes, bytes]:
    count = 1 << bits if width == 3 else choose.randrange(2, (1 << bits) + 1)
    colours = np.random.default_rng(choose.getrandbits(60)).integers(0, 256, (count, 3), np.uint8)
    if choose.random() < 0.3:
        colours[:] = colours[:, :1]
    picked = picture(choose, 1, count - 1)[..., 0]
    entries = np.zeros((count, width), np.uint8)
    entries[:, :3] = colours[:, ::-1]
    flat = np.zeros((picked.shape[0], -(-picked.shape[1] * bits // 8) * 8 // bits), np.uint8)
    flat[:, : picked.shape[1]] = picked
    ones = np.unpackbits(flat[..., None], axis=-1)[..., 8 - bits :]
    return colours[picked] / 255.0, entries.tobytes(), np.packbits(ones.reshape(len(flat), -1), axis=1).tobytes()


def _direct(choose: random.Random, bits: int, masks: Any) -> tuple[Array, bytes]:
    if bits == 24:
        colour = picture(choose, 3, 255)
        return colour / 255.0, colour[..., ::-1].astype(np.uint8).tobytes()
    if not any(masks):
        masks = (0x7C00, 0x3E0, 0x1F, 0) if bits == 16 else (0xFF0000, 0xFF00, 0xFF, 0)
    base = picture(choose, 4 if masks[3] else 3, 1 << 20)
    words = np.zeros(base.shape[:2], np.uint64)
    planes = []
    for channel in range(base.shape[2]):
        mask = masks[channel]
        shift = (mask & -mask).bit_length() - 1
        most = mask >> shift
        value = np.round(base[..., channel] / (1 << 20) * most).astype(np.uint64)
        words |= value << np.uint64(shift)
        planes.append(value / most)
    return np.stack(planes, axis=-1), words.astype(f"<u{bits // 8}").tobytes()
