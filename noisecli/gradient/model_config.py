"""What a model's own description says before any of it is loaded: code in it, and its output.

Light: the parent process loads no Keras.
"""

from collections.abc import Iterator
from typing import Any, Literal

from noisecli.errors import Refused, shown

Config = dict[str, Any]
Answers = Literal["logits", "probabilities"]

_CODE = ("Lambda", "__lambda__", "TorchModuleWrapper", "TFSMLayer", "JaxLayer", "FlaxLayer")
_PARTS = {
    "activations", "constraints", "dtype_policies", "initializers", "layers", "losses", "metrics", "models", "ops",
    "optimizers", "quantizers", "random", "regularizers",
}  # fmt: skip
"""The parts of Keras that models are built from; others (utils) fetch files, and older versions would call them."""
CONTAINERS = ("Sequential", "Functional", "Model")


def refuse_code(config: Config) -> None:
    """Raise Refused for a model that contains code: Lambda layers, wrapped modules, custom classes.

    How it was compiled does not matter: that is not loaded.
    """
    for entry in _entries({**config, "compile_config": None}):
        name, module = entry.get("class_name"), entry.get("module")
        if name in _CODE:
            raise Refused(
                f"holds a layer that is code ({shown(name)}), which is not run here; "
                "put one of Keras's own layers in its place and save it again"
            )
        if module is not None and not (isinstance(module, str) and _is_built_of(module)):
            words = f"holds a {shown(name)} of {shown(module)}, which is not Keras's own"
            raise Refused(f"{words}; save a model of Keras's own layers")


def _is_built_of(module: str) -> bool:
    first, *rest = module.split(".")
    rest = rest[1:] if rest[:1] == ["src"] else rest
    # keras.src.backend.torch.optimizers
    rest = rest[2:] if rest[:1] == ["backend"] else rest
    return first == "keras" and (not rest or rest[0] in _PARTS)


def settings_of(entry: Config) -> Config:
    """Return an object's settings. Raises Refused where they have another form."""
    settings = entry.get("config", {})
    if not isinstance(settings, dict):
        words = f"describes a {shown(entry.get('class_name'))} by {shown(settings)}, as no model saved by Keras is"
        raise Refused(f"{words}; load it where it was made and save it again: model.save('m.keras')")
    return settings


def answers(config: Config) -> Answers:
    """Return what the model outputs, by its last activation. Raises Refused where that does not say."""
    last = _last_layer(config)
    name, settings = last.get("class_name"), settings_of(last)
    activation = "softmax" if name == "Softmax" else settings.get("activation", "none")
    if activation in ("linear", "log_softmax", None):
        return "logits"
    if activation == "softmax" or (activation == "sigmoid" and settings.get("units", 1) == 1):
        return "probabilities"
    units = f" of {shown(settings['units'])} units" if "units" in settings else " layer"
    words = f"ends with a {shown(name)}{units}, activation {shown(activation)}"
    raise Refused(f"{words}: give its output: --logits or --probabilities")


def _last_layer(config: Config) -> Config:
    """Return the output layer, inside nested models too."""
    while config.get("class_name") in CONTAINERS and (layers := layers_of(config)):
        outputs = list_of(settings_of(config).get("output_layers"))
        if outputs and isinstance(outputs[0], list):
            if len(outputs) > 1:
                raise Refused(f"has {len(outputs)} outputs; the step needs a model with one")
            [outputs] = outputs
        named = [layer for layer in layers if outputs and settings_of(layer).get("name") == outputs[0]]
        config = named[0] if named else layers[-1]
    return config


def layers_of(config: Config) -> list[Config]:
    """Return the layers of a model. Raises Refused where one has another form."""
    layers = list_of(settings_of(config).get("layers"))
    for layer in layers:
        if not isinstance(layer, dict):
            words = f"has a layer that is {shown(layer)}, which no model saved by Keras has"
            raise Refused(f"{words}; load it where it was made and save it again: model.save('m.keras')")
    return layers


def list_of(value: Any) -> list[Any]:
    """Return a list as it is, and nothing of anything else."""
    return value if isinstance(value, list) else []


def _entries(config: Config) -> Iterator[Config]:
    """Yield every description of an object, outer ones and earlier ones first."""
    values: list[Any] = [config]
    while values:
        value = values.pop()
        if isinstance(value, dict):
            if "class_name" in value:
                yield value
            values.extend(reversed(value.values()))
        elif isinstance(value, list):
            values.extend(reversed(value))
