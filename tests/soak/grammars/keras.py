"""Models in .keras: a zip of JSON and HDF5. Any value anywhere in the JSON, members missing, doubled or cut."""

from __future__ import annotations

import io
import json
import random
from functools import cache
from typing import Any

from grammars import npz
from grammars.npz import STORED, Member
from grammars.pieces import chance, damaged, deep, name, value

_LAYERS = (
    b"\xff\xfe\x80ab",
    b"\xed\xa0\x80ab",
    b"../..",
    b"\x1b[31m",
    b"a\nbcd",
    b"dense",
    b"a\0bcd",
    b"vars0",
    b"     ",
    b"=1+1 ",
)
"""As long as the name they stand for, so that no other place moves."""
_ACTIVATIONS = ("relu", "softmax", "sigmoid", "linear", None, "log_softmax", "softplus")


def make(choose: random.Random) -> tuple[str, bytes]:
    if chance(choose, 0.1):
        return ".weights.h5", _weights_changed(choose, weights(choose.randrange(4)))
    members = _members(choose)
    for _ in range(choose.choice((0, 0, 1, 1, 2))):
        choose.choice(_TWISTS)(choose, members)
    data = npz.archive(choose, members, odd=chance(choose, 0.05))
    return ".keras", damaged(data, choose) if chance(choose, 0.05) else data


def _members(choose: random.Random) -> list[Member]:
    good = weights(choose.randrange(4))
    return [
        Member(
            b"metadata.json",
            json.dumps({"keras_version": "3.11.0", "date_saved": "2026-01-01@00:00:00"}).encode(),
            STORED,
        ),
        Member(b"config.json", config(choose), choose.choice((STORED, npz.DEFLATED))),
        Member(b"model.weights.h5", _weights_changed(choose, good), choose.choice((STORED, STORED, npz.DEFLATED))),
    ]


def config(choose: random.Random) -> bytes:
    """Return a config.json: a description of which any part may be anything."""
    tree = _tree(choose)
    way = choose.random()
    if way < 0.3:
        return json.dumps(tree).encode()
    if way < 0.9:
        for _ in range(choose.choice((1, 1, 2, 4))):
            tree = _spoiled(choose, tree)
        return json.dumps(tree, ensure_ascii=chance(choose, 0.7)).encode("utf-8", "surrogatepass")
    text = json.dumps(tree)
    other = (
        deep(choose),
        text[: len(text) // 2],
        "",
        "null",
        "5",
        "[]",
        '"x"',
        "{}",
        "\0",
        "1e999999",
        "9" * 5_000,
        text + text,
    )
    spelled = choose.choice(other)
    return choose.choice(
        (spelled.encode(), spelled.encode("utf-16"), b"\xef\xbb\xbf" + spelled.encode(), spelled.encode() + b"\xff")
    )


def _tree(choose: random.Random) -> Any:
    """Return a description as Keras writes it: of a row of layers, or of a graph."""
    layers = [_layer("InputLayer", "input", {"batch_shape": [None, 4]})]
    if chance(choose, 0.5):
        scale = choose.choice((1 / 255, 1 / 127.5, 1, 0.3, "x", None, [0.1], {"class_name": "__tensor__"}))
        layers.append(
            _layer(choose.choice(("Rescaling", "Rescaling", "Normalization")), "scale", {"scale": scale, "offset": 0})
        )
    units, activation = choose.choice((1, 3, 10, "3", None, [3])), choose.choice(_ACTIVATIONS)
    layers.append(
        _layer(choose.choice(("Dense", "Dense", "Softmax")), "dense", {"units": units, "activation": activation})
    )
    outputs = choose.choice((["dense", 0, 0], [["dense", 0, 0]], [["dense", 0, 0], ["scale", 0, 0]], "dense", []))
    if chance(choose, 0.3):
        inner = {"module": "keras", "class_name": "Sequential", "config": {"name": "inner", "layers": layers}}
        layers = [inner] * choose.choice((1, 2))
    config = {
        "name": "m",
        "trainable": True,
        "layers": layers,
        "input_layers": [["input", 0, 0]],
        "output_layers": outputs,
    }
    kind = choose.choice(("Sequential", "Functional", "Model", "Lambda", "Custom"))
    return {"module": "keras", "class_name": kind, "config": config, "registered_name": None, "compile_config": None}


def _layer(kind: str, named: str, config: dict[str, Any]) -> dict[str, Any]:
    return {"module": "keras.layers", "class_name": kind, "config": {"name": named, **config}, "registered_name": None}


def _spoiled(choose: random.Random, tree: Any) -> Any:
    """Put any value in any one place, add a key, drop one."""
    if not isinstance(tree, (dict, list)) or not tree or chance(choose, 0.12):
        return value(choose)
    if isinstance(tree, list):
        changed = list(tree)
        at = choose.randrange(len(changed))
        changed[at] = _spoiled(choose, changed[at])
        return changed
    changed = dict(tree)
    key = choose.choice(sorted(changed))
    if chance(choose, 0.1):
        del changed[key]
    elif chance(choose, 0.1):
        changed[name(choose)] = value(choose)
    elif isinstance(changed[key], str) and chance(choose, 0.5):
        changed[key] = name(choose)
    else:
        changed[key] = _spoiled(choose, changed[key])
    return changed


@cache
def weights(number: int) -> bytes:
    """Return weights as Keras keeps them; the last of a kind that no layer has, or with nothing in it."""
    import h5py
    import numpy as np

    buffer = io.BytesIO()
    rng = np.random.default_rng(number)
    with h5py.File(buffer, "w") as file:
        if number == 3:
            file.create_group("layers")
            return _closed(file, buffer)
        for layer in ("dense", "dense_1")[: number + 1]:
            group = file.create_group(f"layers/{layer}/vars")
            options = {"chunks": (2, 3), "compression": "gzip"} if number == 2 else {}
            group.create_dataset("0", data=rng.normal(size=(4, 3)).astype(np.float32), **options)
            group.create_dataset("1", data=np.zeros(3, np.float32))
        file.create_dataset("optimizer/vars/0", data=np.int64(3))
        return _closed(file, buffer)


def _closed(file: Any, buffer: io.BytesIO) -> bytes:
    file.close()
    return buffer.getvalue()


def _weights_changed(choose: random.Random, weights: bytes) -> bytes:
    way = choose.random()
    if way < 0.75:
        return weights
    if way < 0.8:
        return weights.replace(b"dense\0", choose.choice(_LAYERS) + b"\0")
    changed = bytearray(weights)
    if way < 0.9:
        # its tables lie near the beginning, and no checksum guards them
        for _ in range(choose.choice((1, 2, 6))):
            changed[choose.randrange(len(changed))] = choose.choice((0, 1, 0x7F, 0x80, 0xFF, choose.randrange(256)))
        return bytes(changed)
    return choose.choice(
        (b"", weights[:8], weights[: len(weights) // 2], weights[:-1], b"\x89HDF\r\n\x1a\n", bytes(100), b"PK\x03\x04")
    )


def _drop(choose: random.Random, members: list[Member]) -> None:
    members.pop(choose.randrange(len(members)))
    if not members:
        members.append(Member(b"x", b""))


def _again(choose: random.Random, members: list[Member]) -> None:
    one = choose.choice(members)
    members.append(Member(one.name, choose.choice((one.data, b"", b"{}")), STORED))


def _stranger(choose: random.Random, members: list[Member]) -> None:
    raw = name(choose).encode("utf-8", "surrogatepass")[:60_000]
    members.insert(
        choose.randrange(len(members) + 1),
        Member(choose.choice((raw, b"assets/" + raw, b"model.weights.npz")), b"data", STORED, flags=0x800),
    )


def _renamed(choose: random.Random, members: list[Member]) -> None:
    choose.choice(members).name = choose.choice(
        (b"", b"config.json", b"model.weights.h5", b"Config.json", b"./config.json", b"\xff", b"data.pkl")
    )


def _lies(choose: random.Random, members: list[Member]) -> None:
    one = choose.choice(members)
    where = choose.choice((one.local, one.central))
    where[choose.choice(("crc", "packed", "size", "method", "offset", "flags", "name", "extra"))] = choose.choice(
        (0, 1, 8, 99, 2**32 - 1, len(one.data) + 1)
    )


_TWISTS = (_drop, _again, _stranger, _stranger, _renamed, _lies, _lies)
