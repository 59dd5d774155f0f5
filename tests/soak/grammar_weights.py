"""Files of weights and descriptions of models that a grammar makes: JSON of which any part may be anything."""

from __future__ import annotations

import json
import random
import struct
from typing import Any

from grammar_arrays import NUMBERS, TEXT, archive, member_name

Choose = random.Random

_JSON_TOKENS = (
    "NaN",
    "Infinity",
    "-Infinity",
    "1e999",
    "-0",
    "1e3",
    "1.5",
    "9" * 5000,
    "-1",
    "tru",
    "",
    "\x00",
    "'a'",
    "[",
)


def safetensors(choose: Choose) -> bytes:
    """Return a .safetensors whose header may be any JSON, or none."""
    place, entries = 0, []
    for _ in range(choose.choice((0, 1, 1, 2, 3, 5))):
        name = choose.choice(TEXT) if choose.random() < 0.5 else f"t{choose.randrange(9)}"
        dtype, width = choose.choice(
            (("F32", 4), ("BF16", 2), ("F16", 2), ("F64", 8), ("I64", 8), ("F8_E4M3", 1), ("BOOL", 1))
        )
        shape = [choose.choice((0, 1, 2, 3)) for _ in range(choose.choice((0, 1, 2, 3)))]
        size = width
        for axis in shape:
            size *= axis
        entry: Any = {"dtype": dtype, "shape": shape, "data_offsets": [place, place + size]}
        place += size
        entries.append((name, _spoilt(choose, entry) if choose.random() < 0.3 else entry))
    if choose.random() < 0.3:
        entries.insert(0, ("__metadata__", anything(choose) if choose.random() < 0.6 else {"format": "pt"}))
    text = "{" + ",".join(f"{json.dumps(name)}:{json.dumps(value)}" for name, value in entries) + "}"
    if choose.random() < 0.15:
        text = _broken_json(choose, text)
    raw = text.encode("utf-8", "surrogatepass") + b" " * choose.choice((0, 0, 3, 8))
    length = (
        len(raw)
        if choose.random() < 0.9
        else choose.choice((0, 1, len(raw) - 1, len(raw) + 1, 2**31, 2**63, 2**64 - 1))
    )
    data = bytes(max(0, place + choose.choice((0, 0, 0, 0, 0, -1, 1, 100))))
    return struct.pack("<Q", length % 2**64) + raw + data


def _spoilt(choose: Choose, value: Any) -> Any:
    """Return a JSON value of which some part is something else."""
    if choose.random() < 0.3 or not isinstance(value, (dict, list)) or not value:
        return anything(choose)
    if isinstance(value, list):
        changed = list(value)
        place = choose.randrange(len(changed))
        if choose.random() < 0.2:
            del changed[place]
        else:
            changed[place] = _spoilt(choose, changed[place])
        return changed
    key = choose.choice(list(value))
    if choose.random() < 0.2:
        return {name: inner for name, inner in value.items() if name != key}
    return {**value, key: _spoilt(choose, value[key])}


def _broken_json(choose: Choose, text: str) -> str:
    draw = choose.random()
    if draw < 0.3:
        return choose.choice(("[", '{"a":')) * choose.choice((50, 1000, 30_000)) + text
    place = choose.randrange(len(text) + 1)
    if draw < 0.7:
        return text[:place] + choose.choice(_JSON_TOKENS) + text[place + choose.randrange(3) :]
    return text[:place]


def anything(choose: Choose, depth: int = 0) -> Any:
    """Return any JSON value."""
    draw = choose.random()
    if draw < 0.25 and depth < 4:
        return [anything(choose, depth + 1) for _ in range(choose.randrange(4))]
    if draw < 0.45 and depth < 4:
        return {choose.choice((*TEXT, *_CONFIG_KEYS)): anything(choose, depth + 1) for _ in range(choose.randrange(4))}
    if draw < 0.6:
        return choose.choice(TEXT)
    if draw < 0.7:
        return choose.choice((1.5, -0.0, 1e308, float("inf"), float("nan"), 1 / 255, 1 / 127.5))
    return choose.choice((None, True, False, 10**400, *NUMBERS))


_CONFIG_KEYS = ("class_name", "config", "module", "layers", "output_layers", "name", "units", "activation", "scale")
_CLASSES = (
    "Sequential",
    "Functional",
    "Model",
    "Dense",
    "Rescaling",
    "Normalization",
    "Softmax",
    "Activation",
    "Lambda",
)


def keras_config(choose: Choose) -> Any:
    """Return what a config.json may say: a model of Keras's, some part of which may be anything."""
    config: Any = _model(choose)
    for _ in range(choose.choice((0, 1, 1, 1, 2, 4))):
        config = _spoilt(choose, config)
    return config


def _model(choose: Choose, depth: int = 0) -> Any:
    layers = [
        _model(choose, depth + 1) if depth < 2 and choose.random() < 0.15 else _layer(choose)
        for _ in range(choose.choice((0, 1, 2, 3)))
    ]
    name = choose.choice(_CLASSES[:3])
    config: dict[str, Any] = {"name": choose.choice(TEXT), "layers": layers}
    if name != "Sequential":
        names = [layer["config"]["name"] for layer in layers] or ["none"]
        outputs: list[Any] = [choose.choice(names), 0, 0]
        config |= {
            "output_layers": choose.choice((outputs, [outputs], [outputs, outputs], [], [[]])),
            "input_layers": [],
        }
    return {"module": "keras", "class_name": name, "config": config, "registered_name": None}


def _layer(choose: Choose) -> dict[str, Any]:
    config: dict[str, Any] = {"name": f"layer{choose.randrange(4)}"}
    for key, values in _SETTINGS:
        if choose.random() < 0.4:
            config[key] = choose.choice(values)
    return {
        "module": choose.choice(("keras.layers", "keras.layers", "keras.src.layers.core", "os", "keras.utils")),
        "class_name": choose.choice(_CLASSES[3:-1]),
        "config": config,
        "inbound_nodes": [{"args": [[["layer0", 0, 0, {}]]], "kwargs": {}}],
    }


_SETTINGS: tuple[tuple[str, tuple[Any, ...]], ...] = (
    ("activation", ("softmax", "linear", "sigmoid", "relu", None, {"class_name": "function"}, ["softmax"], 5)),
    ("units", (1, 10, "1", None, [1], 1e300)),
    ("scale", (1 / 255, 1 / 127.5, 0, -1, [0.1], "1", None, True, 10**400, float("nan"), float("inf"), 5e-324)),
)


def keras(choose: Choose, weights: bytes) -> bytes:
    """Return a .keras around these weights; its members, their names and their JSON may be anything."""
    text = json.dumps(keras_config(choose))
    if choose.random() < 0.15:
        text = _broken_json(choose, text)
    members = [(b"metadata.json", b"{}"), (b"config.json", text.encode()), (b"model.weights.h5", weights)]
    if choose.random() < 0.2:
        members[choose.randrange(3)] = (member_name(choose), weights)
    if choose.random() < 0.2:
        members.append((member_name(choose), b"more"))
    return archive(choose, members, lies=choose.choice((0.0, 0.3)))
