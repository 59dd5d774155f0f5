"""What a model's own description tells before anything of it is loaded: code in it, the scale of its input, its answer.

Light: the parent process loads no Keras.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Literal

from noisecli.errors import Refused

Config = dict[str, Any]
Answers = Literal["logits", "probabilities"]

_CODE = ("Lambda", "__lambda__", "TorchModuleWrapper", "TFSMLayer", "JaxLayer", "FlaxLayer")
_CONTAINERS = ("Sequential", "Functional", "Model")


def refuse_code(config: Config) -> None:
    """Raise Refused for a model that brings code of its own: Lambda layers, wrapped modules, custom classes."""
    for entry in _entries(config):
        name, module = entry.get("class_name"), entry.get("module")
        if name in _CODE:
            raise Refused(
                f"holds a layer that is code ({name}), which is not run here; "
                "put one of Keras's own layers in its place and save it again"
            )
        if isinstance(module, str) and module.partition(".")[0] != "keras":
            raise Refused(
                f"holds a {name} of {module}, which is not Keras's own; save a model of Keras's own layers alone"
            )


def input_range(config: Config) -> tuple[float, float]:
    """Return the lowest and highest value the model takes, by the first layer that rescales it; 0 to 1 without one.

    Raises Refused where that layer does not tell.
    """
    for entry in _entries(config):
        name = entry.get("class_name")
        if name == "Normalization":
            raise Refused(_unclear_range("a Normalization layer"))
        if name == "Rescaling":
            return _range_of(entry["config"].get("scale"))
    return 0.0, 1.0


def _range_of(scale: Any) -> tuple[float, float]:
    """Layers map to 0..1 or -1..1: the range they take is one or two over their scale."""
    if isinstance(scale, (int, float)):
        for high in (1.0, 255.0):
            if any(math.isclose(scale * high, width, rel_tol=1e-3) for width in (1, 2)):
                return 0.0, high
    return _refuse_range(f"a Rescaling layer of scale {scale}")


def _refuse_range(layer: str) -> tuple[float, float]:
    raise Refused(_unclear_range(layer))


def _unclear_range(layer: str) -> str:
    return f"begins with {layer}, which does not tell what it takes; say it: --input-range 0..1, 0..255 or what it is"


def answers(config: Config) -> Answers:
    """Return what the model answers with, by its last activation. Raises Refused where that does not tell."""
    last = _last_layer(config)
    name, settings = last.get("class_name"), last.get("config", {})
    activation = "softmax" if name == "Softmax" else settings.get("activation", "none")
    if activation in ("linear", "log_softmax", None):
        return "logits"
    if activation == "softmax" or (activation == "sigmoid" and settings.get("units", 1) == 1):
        return "probabilities"
    of = f"a {name} of {settings['units']} units" if "units" in settings else f"a {name} layer"
    raise Refused(f"ends with {of}, activation {activation}: say what it answers with: --logits or --probabilities")


def _last_layer(config: Config) -> Config:
    """Return the layer that answers, inside of nested models too."""
    inner = config.get("config", {})
    layers = inner.get("layers", []) if config.get("class_name") in _CONTAINERS else []
    if not layers:
        return config
    outputs = inner.get("output_layers", [])
    if outputs and isinstance(outputs[0], list):
        if len(outputs) > 1:
            raise Refused(f"has {len(outputs)} outputs; one model with one answer is what the step is taken on")
        outputs = outputs[0]
    named = [layer for layer in layers if outputs and layer.get("config", {}).get("name") == outputs[0]]
    return _last_layer(named[0] if named else layers[-1])


def _entries(value: Any) -> Iterator[Config]:
    """Yield every description of an object, outer ones and earlier ones first."""
    if isinstance(value, dict):
        if "class_name" in value:
            yield value
        for inner in value.values():
            yield from _entries(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _entries(inner)
