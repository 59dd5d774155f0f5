"""JPEG: fill bytes, segments of every kind, restart markers, stray bytes, colours that headers tell otherwise."""

from __future__ import annotations

import io
import random
import struct
from typing import Any

import numpy as np
from PIL import Image

from variations.drawn import picture

_SAMPLINGS = (0, 1, 2)


def make(choose: random.Random) -> tuple[str, bytes, Any, str]:
    mode = choose.choice(("L", "RGB", "RGB", "RGB", "CMYK"))
    samples = picture(choose, {"L": 1, "RGB": 3, "CMYK": 4}[mode], 255, widest=80).astype(np.uint8)
    image = Image.fromarray(samples[..., 0] if mode == "L" else samples, mode)
    options: dict[str, Any] = {"quality": choose.choice((70, 95, 100)), "progressive": choose.random() < 0.3}
    if mode == "RGB":
        options |= {"keep_rgb": True} if choose.random() < 0.2 else {"subsampling": choose.choice(_SAMPLINGS)}
    if choose.random() < 0.3:
        options |= {"restart_marker_blocks": 3}
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", **options)
    data = buffer.getvalue()
    with Image.open(io.BytesIO(data)) as opened:
        truth = np.asarray(opened.convert("L" if mode == "L" else "RGB")) / 255
    told = [f"{mode} {options}"]
    for change in choose.sample(_CHANGES, choose.randrange(3)):
        data = change(choose, data)
        told.append(change.__name__)
    return choose.choice((".jpg", ".jpeg", ".jpe", ".jfif")), data, truth, ", ".join(told)


def _fill(choose: random.Random, data: bytes) -> bytes:
    """Any marker may have bytes of 0xFF in front."""
    return data[:2] + b"\xff" * choose.randrange(1, 9) + data[2:]


def _comments(choose: random.Random, data: bytes) -> bytes:
    added = b""
    for _ in range(choose.randrange(1, 5)):
        marker, body = choose.choice((0xFE, 0xE3, 0xEC, 0xED, 0xEF)), choose.randbytes(choose.randrange(60))
        added += struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body
    return data[:2] + added + data[2:]


def _stray(choose: random.Random, data: bytes) -> bytes:
    """Bytes between the last scan and the end, as some cameras write them."""
    end = data.rfind(b"\xff\xd9")
    return data[:end] + bytes(choose.choice((1, 2, 64))) + data[end:]


def _behind(choose: random.Random, data: bytes) -> bytes:
    return data + choose.choice((b"\0", b"\0" * 500, b"more words", data[:200]))


def _bare(choose: random.Random, data: bytes) -> bytes:
    """JFIF's header is not needed."""
    del choose
    if data[2:4] != b"\xff\xe0":
        return data
    return data[:2] + data[4 + struct.unpack_from(">H", data, 4)[0] :]


_CHANGES = (_fill, _comments, _stray, _behind, _bare)
