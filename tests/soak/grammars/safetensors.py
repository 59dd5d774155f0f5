"""Headers of safetensors: a length, JSON, and bytes that its offsets divide."""

from __future__ import annotations

import json
import random
import struct
from typing import Any

from grammars.pieces import chance, damaged, deep, name, size, value

_WIDTHS = {"F32": 4, "F64": 8, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "U8": 1, "BOOL": 1, "I8": 1}
_ODD_TYPES = ("F8_E4M3", "F8_E5M2", "U4", "F4", "C64", "f32", "", "\ud800", "F128", None, 5, [], {})


def make(choose: random.Random) -> tuple[str, bytes]:
    header, end = _tensors(choose)
    if chance(choose, 0.3):
        header["__metadata__"] = choose.choice(
            ({"format": "pt"}, {}, {"a": 5}, 5, None, [], "x", {name(choose): name(choose)}, value(choose))
        )
    for _ in range(choose.choice((0, 1, 1, 2))):
        choose.choice(_TWISTS)(choose, header)
    text = _spelled(choose, header)
    length = (
        len(text)
        if chance(choose, 0.92)
        else choose.choice((0, 1, 2, 8, len(text) - 1, len(text) + 1, size(choose, 64)))
    )
    data = (
        struct.pack("<Q", length)
        + text
        + choose.randbytes(end if chance(choose, 0.92) else choose.choice((0, end + 1, max(0, end - 1))))
    )
    return ".safetensors", damaged(data, choose) if chance(choose, 0.05) else data


def _tensors(choose: random.Random) -> tuple[dict[str, Any], int]:
    header, at = {}, 0
    for number in range(choose.choice((1, 1, 2, 3, 0))):
        dtype = choose.choice(sorted(_WIDTHS))
        shape = choose.choice(([3], [2, 3], [], [0], [1, 1, 4], [4, 0, 2]))
        count = 1
        for side in shape:
            count *= side
        header[f"t{number}"] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + count * _WIDTHS[dtype]]}
        at += count * _WIDTHS[dtype]
    return header, at


def _spelled(choose: random.Random, header: dict[str, Any]) -> bytes:
    way = choose.random()
    if way < 0.9:
        text = json.dumps(header, ensure_ascii=chance(choose, 0.8)).encode("utf-8", "surrogatepass")
        return text + b" " * choose.choice((0, -len(text) % 8, -len(text) % 8, 3_000))
    text = json.dumps(header)
    other = (
        deep(choose),
        "",
        "{",
        "[]",
        "null",
        "5",
        text[:-1],
        text[:-1] + ',"t0":1}',
        "{" + " " * 9_000 + "}",
        "\ufeff" + text,
    )
    return choose.choice(other).encode() + choose.choice((b"", b"\xff", b"\0"))


def _one(choose: random.Random, header: dict[str, Any]) -> dict[str, Any]:
    fitting = [entry for entry in header.values() if isinstance(entry, dict)]
    return (
        choose.choice(fitting)
        if fitting
        else header.setdefault("t", {"dtype": "F32", "shape": [], "data_offsets": [0, 4]})
    )


def _offsets(choose: random.Random, header: dict[str, Any]) -> None:
    numbers = [
        choose.choice((0, 4, 12, -4, 24, size(choose, 64), 2**64, 0.0, 4.0, True, None, "0", "9" * 5)) for _ in range(2)
    ]
    _one(choose, header)["data_offsets"] = choose.choice((numbers, numbers[:1], [*numbers, 4], value(choose)))


def _shape(choose: random.Random, header: dict[str, Any]) -> None:
    sides = [
        choose.choice((0, 1, 2, 3, -1, True, 1.0, None, "2", 2**31, 2**63, 2**64, [1]))
        for _ in range(choose.choice((0, 1, 2, 40)))
    ]
    _one(choose, header)["shape"] = choose.choice((sides, sides, [0, 10**40], value(choose)))


def _type(choose: random.Random, header: dict[str, Any]) -> None:
    _one(choose, header)["dtype"] = choose.choice((*_ODD_TYPES, *_WIDTHS))


def _name(choose: random.Random, header: dict[str, Any]) -> None:
    header[name(choose)] = choose.choice((_one(choose, header), value(choose), {}))


def _keys(choose: random.Random, header: dict[str, Any]) -> None:
    one = _one(choose, header)
    if one and chance(choose, 0.6):
        one.pop(choose.choice(sorted(one)))
    else:
        one[name(choose)] = value(choose)


def _overlap(choose: random.Random, header: dict[str, Any]) -> None:
    for number in range(choose.choice((1, 3, 500))):
        header[f"o{number}"] = dict(_one(choose, header))


_TWISTS = (_offsets, _offsets, _shape, _shape, _type, _name, _name, _keys, _overlap)
