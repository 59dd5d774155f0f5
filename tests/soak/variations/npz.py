""".npy and .npz: every type beside others, headers in other words, members that are no numbers."""

from __future__ import annotations

import io
import random
import struct
import zipfile
from typing import Any

import numpy as np

_NUMBERS = ("<f4", ">f4", "<f8", ">f8", "<f2", "|u1", "|i1", "<i2", ">i2", "<i4", "<u4", "<i8", ">u8")
_OTHERS = ("|b1", "<c8", "<c16", "<U5", "|S4", "<M8[s]", "|V2", "<f16")


def make(choose: random.Random) -> tuple[str, bytes, Any, str]:
    if choose.random() < 0.4:
        array = _array(choose, choose.choice(_NUMBERS))
        data, told = _npy(choose, array)
        return ".npy", data, {"": array}, told
    arrays: dict[str, Any] = {}
    buffer = io.BytesIO()
    packed = choose.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    words = []
    with zipfile.ZipFile(buffer, "w", packed, allowZip64=True) as archive:
        for number in range(choose.randrange(1, 4)):
            kind = choose.choice(_NUMBERS + _OTHERS) if number else choose.choice(_NUMBERS)
            name = choose.choice(("arr_", "features ", "groupe/é", "y", "a.b")) + str(number)
            arrays[name] = _array(choose, kind)
            content, told = _npy(choose, arrays[name])
            entry = zipfile.ZipInfo(f"{name}.npy")
            entry.compress_type = packed
            with archive.open(entry, "w", force_zip64=choose.random() < 0.2) as member:
                member.write(content)
            words.append(f"{name} {kind} {told}")
        if choose.random() < 0.2:
            archive.comment = b"made by hand"
    return ".npz", buffer.getvalue(), arrays, "; ".join(words)


def _array(choose: random.Random, kind: str) -> Any:
    shape = choose.choice(((), (0,), (1,), (7,), (3, 5), (2, 3, 4)))
    generator = np.random.default_rng(choose.getrandbits(60))
    dtype = np.dtype(kind)
    if dtype.kind in "US":
        return np.full(shape, "word").astype(dtype)
    if dtype.kind == "V":
        return np.frombuffer(generator.bytes(2 * int(np.prod(shape))), dtype).reshape(shape)
    values = generator.normal(0, 40, shape)
    if dtype.kind in "uM":
        values = np.abs(values)
    # in zeros: the long double has bytes that no assignment fills
    array = np.zeros(shape, dtype)
    array[...] = np.array(values).astype("i8").astype(dtype) if dtype.kind == "M" else values
    return np.asfortranarray(array) if choose.random() < 0.3 else array


def _npy(choose: random.Random, array: Any) -> tuple[bytes, str]:
    version = choose.choice((1, 1, 2, 3))
    order = array.flags.f_contiguous and not array.flags.c_contiguous
    items = [f"'descr': {array.dtype.str!r}", f"'fortran_order': {order}", f"'shape': {array.shape!r}"]
    if choose.random() < 0.3:
        choose.shuffle(items)
    comma = choose.choice((", ", ","))
    text = "{" + comma.join(items) + choose.choice((", }", "}", ",}"))
    text += " " * choose.randrange(0, 70) + "\n"
    head = text.encode("utf-8" if version == 3 else "latin-1")
    length = struct.pack("<H" if version == 1 else "<I", len(head))
    body = array.tobytes(order="F" if order else "C")
    return b"\x93NUMPY" + bytes([version, 0]) + length + head + body, f"version {version}"
