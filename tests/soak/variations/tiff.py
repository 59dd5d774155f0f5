"""TIFF: both byte orders and sizes, photometrics, planes, tiles, extra bands, orientations, packings."""

from __future__ import annotations

import random
import struct
import zlib
from typing import Any

import numpy as np

from variations.drawn import picture

Array = Any
TURNS = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: a.swapaxes(0, 1)[:, ::-1],
    7: lambda a: a.swapaxes(0, 1)[::-1, ::-1],
    8: lambda a: a.swapaxes(0, 1)[::-1],
}
"""From the samples as stored to the picture as shown."""
_SHORT, _LONG, _ASCII = 3, 4, 2


def make(choose: random.Random) -> tuple[str, bytes, Any, str]:
    photometric = choose.choice((0, 1, 1, 2, 2, 2, 3))
    kind, bits = choose.choice(((1, 1), (1, 8), (1, 8), (1, 16), (3, 32)) if photometric < 2 else ((1, 8), (1, 16)))
    if photometric == 3:
        kind, bits = 1, choose.choice((4, 8))
    extra = choose.choice((None, None, 0, 1, 2)) if photometric == 2 else None
    bands = (3 if photometric == 2 else 1) + (extra is not None)
    most = 1 << 20 if kind == 3 else (1 << bits) - 1
    samples = picture(choose, bands, most)
    if extra == 1:
        # associated alpha: no colour is above it
        samples[..., :3] = np.minimum(samples[..., :3], samples[..., 3:])
    tags: dict[int, tuple[int, list[int] | bytes]] = {}
    orientation = choose.choice((None, None, 1, 2, 3, 4, 5, 6, 7, 8))
    share = samples / most
    truth = share[..., 0] if bands == 1 else share
    if photometric == 0:
        truth = 1 - truth
    if photometric == 3:
        colours = np.random.default_rng(choose.getrandbits(60)).integers(0, 256, (1 << bits, 3)) * 257
        tags[320] = (_SHORT, [int(value) for value in colours.T.ravel()])
        truth = colours[samples[..., 0]] / 65535
    stored = (share[..., :] if kind == 3 else samples).astype({1: "u1", 4: "u1", 8: "u1", 16: "u2", 32: "f4"}[bits])
    order = choose.choice("<>")
    planar = 2 if bands > 1 and choose.random() < 0.3 else 1
    compression = choose.choice((1, 1, 8, 32773)) if bits >= 8 else 1
    height, width = samples.shape[:2]
    tags |= {256: (_LONG, [width]), 257: (_LONG, [height]), 258: (_SHORT, [bits] * bands)}
    tags |= {259: (_SHORT, [compression]), 262: (_SHORT, [photometric]), 277: (_SHORT, [bands])}
    tags[284] = (_SHORT, [planar])
    if kind == 3 or choose.random() < 0.4:
        tags[339] = (_SHORT, [kind] * bands)
    if extra is not None:
        tags[338] = (_SHORT, [extra])
    if orientation is not None:
        tags[274] = (_SHORT, [orientation])
    if choose.random() < 0.3:
        tags[270] = (_ASCII, b"a field at noon\0")
    tiled = bits >= 8 and choose.random() < 0.3
    blocks, layout = _blocks(choose, stored, bits, order, planar, tiled)
    packed = [_pack(block, compression) for block in blocks]
    tags |= {tag: (_LONG, [value]) for tag, value in layout.items()}
    big = choose.random() < 0.2
    data = _written(order, big, tags, packed, tiled)
    told = (
        f"photometric {photometric}, {bands} x {bits} bits, extra {extra}, planar {planar}, compression {compression}"
    )
    told += f", orientation {orientation}, {'tiles' if tiled else 'strips'}, {order}{', big' if big else ''}"
    return choose.choice((".tif", ".tiff")), data, TURNS[orientation or 1](truth), told


def _blocks(
    choose: random.Random, stored: Array, bits: int, order: str, planar: int, tiled: bool
) -> tuple[list[bytes], dict[int, int]]:
    planes = [stored[..., band : band + 1] for band in range(stored.shape[2])] if planar == 2 else [stored]
    height, width = stored.shape[:2]
    if tiled:
        side = choose.choice((16, 32))
        blocks = []
        for plane in planes:
            for top in range(0, height, side):
                for left in range(0, width, side):
                    tile = np.zeros((side, side, plane.shape[2]), plane.dtype)
                    part = plane[top : top + side, left : left + side]
                    tile[: part.shape[0], : part.shape[1]] = part
                    blocks.append(_bytes(tile, bits, order))
        return blocks, {322: side, 323: side}
    rows = choose.choice((1, 3, height))
    parts = [plane[top : top + rows] for plane in planes for top in range(0, height, rows)]
    return [_bytes(part, bits, order) for part in parts], {278: rows}


def _bytes(part: Array, bits: int, order: str) -> bytes:
    if bits < 8:
        ones = np.unpackbits(part.astype(np.uint8).reshape(len(part), -1)[..., None], axis=-1)[..., 8 - bits :]
        return np.packbits(ones.reshape(len(part), -1), axis=1).tobytes()
    return part.astype(part.dtype.newbyteorder(order)).tobytes()


def _pack(block: bytes, compression: int) -> bytes:
    if compression == 8:
        return zlib.compress(block)
    if compression == 32773:
        pieces = (block[at : at + 128] for at in range(0, len(block), 128))
        return b"".join(bytes([len(piece) - 1]) + piece for piece in pieces)
    return block


def _written(order: str, big: bool, tags: dict[int, tuple[int, Any]], packed: list[bytes], tiled: bool) -> bytes:
    start = 16 if big else 8
    where, position = [], start
    for block in packed:
        where.append(position)
        position += len(block)
    position += position & 1
    tags[324 if tiled else 273] = (_LONG, where)
    tags[325 if tiled else 279] = (_LONG, [len(block) for block in packed])
    count, number, room = ("Q", "Q", 8) if big else ("H", "I", 4)
    length = struct.calcsize(f"{order}{count}") + len(tags) * (4 + 2 * room) + room
    beyond, entries, values = position + length, b"", b""
    for tag in sorted(tags):
        kind, content = tags[tag]
        raw = content if isinstance(content, bytes) else _numbers(order, kind, content)
        amount = len(content)
        if len(raw) <= room:
            held = raw.ljust(room, b"\0")
        else:
            held = struct.pack(order + number, beyond + len(values))
            values += raw + bytes(len(raw) & 1)
        entries += struct.pack(f"{order}HH{number}", tag, kind, amount) + held
    directory = struct.pack(order + count, len(tags)) + entries + struct.pack(order + number, 0)
    mark = b"II" if order == "<" else b"MM"
    head = struct.pack(f"{order}HHHQ", 43, 8, 0, position) if big else struct.pack(f"{order}HI", 42, position)
    body = b"".join(packed)
    return mark + head + body + bytes(position - start - len(body)) + directory + values


def _numbers(order: str, kind: int, numbers: list[int]) -> bytes:
    return struct.pack(f"{order}{len(numbers)}{'H' if kind == _SHORT else 'I'}", *numbers)
