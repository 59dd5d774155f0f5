"""What values a model takes, by what its own description does to them before the first layer that was trained."""

import math
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from noisecli.errors import Refused, shown
from noisecli.gradient.model_config import CONTAINERS, Config, layers_of, list_of, settings_of

_LARGEST_SCALE = 2.0
_PASSING = {
    "InputLayer", "Identity", "Flatten", "Reshape", "Permute", "RepeatVector", "Concatenate", "Resizing", "CenterCrop",
    "Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "AlphaDropout", "GaussianDropout",
    "GaussianNoise", "ActivityRegularization", "Masking", "AugMix", "AutoContrast", "CutMix", "Equalization", "MixUp",
    "RandAugment", "Solarization",
}  # fmt: skip
_PASSING_BEGINNINGS = ("Random", "ZeroPadding", "Cropping", "UpSampling", "MaxPooling", "AveragePooling")
"""Layers that leave the scale of what they are given."""
_PASSING_OPERATIONS = {
    "BroadcastTo", "Cast", "Concatenate", "ConvertToTensor", "Copy", "ExpandDims", "Flip", "GetItem", "Identity",
    "Moveaxis", "Pad", "Ravel", "Repeat", "Reshape", "Resize", "Squeeze", "Stack", "StopGradient", "Swapaxes", "Take",
    "Tile", "Transpose",
}  # fmt: skip


def read_input_range(config: Config) -> tuple[float, float]:
    """Return the lowest and highest value the model takes, by what first rescales its input; 0 to 1 without that.

    Raises Refused where that does not say.
    """
    search = _Search()
    try:
        search.passes(config)
    except RecursionError:
        raise Refused(_unclear_range("models nested deeper than can be followed")) from None
    if len(search.ranges) > 1:
        raise Refused(_unclear_range("several branches that rescale their input differently"))
    if not search.ranges and search.shift:
        raise Refused(_unclear_range(_operation(search.shift)))
    return next(iter(search.ranges), (0.0, 1.0))


class _Search:
    """Follows the input from layer to layer.

    Attributes
    ----------
    ranges
        What layers and operations that rescale it take.
    shift
        An operation that moved it without rescaling.
    """

    def __init__(self) -> None:
        self.ranges: set[tuple[float, float]] = set()
        self.shift: Config | None = None

    def passes(self, layer: Config) -> bool:
        """Whether what this layer outputs has the scale of what it is given, moved or not."""
        name, settings = layer.get("class_name"), settings_of(layer)
        if name in (*CONTAINERS, "Pipeline"):
            return self._passes_model(layer)
        if name == "Normalization":
            raise Refused(_unclear_range("a Normalization layer"))
        if name == "Rescaling":
            scale = settings.get("scale")
            self.ranges.add(_range_of(scale, f"a Rescaling layer of scale {shown(scale)}"))
            return False
        if "ops" in str(layer.get("module")).split("."):
            return self._passes_operation(layer)
        if isinstance(wrapped := settings.get("layer"), dict):
            return self.passes(wrapped)
        return isinstance(name, str) and (name in _PASSING or name.startswith(_PASSING_BEGINNINGS))

    def _passes_model(self, model: Config) -> bool:
        layers = layers_of(model)
        users: dict[str, list[Config]] = defaultdict(list)
        for layer in layers:
            for name in _tensors(layer.get("inbound_nodes")):
                users[name].append(layer)
        if not users:
            return all(map(self.passes, layers))
        reached = [layer for layer in layers if layer.get("class_name") == "InputLayer"]
        seen, passed = {id(layer) for layer in reached}, True
        while reached:
            for layer in users[str(settings_of(reached.pop()).get("name"))]:
                if id(layer) not in seen:
                    seen.add(id(layer))
                    if self.passes(layer):
                        reached.append(layer)
                    else:
                        passed = False
        return passed

    def _passes_operation(self, layer: Config) -> bool:
        name, node = layer.get("class_name"), (list_of(layer.get("inbound_nodes")) or [None])[0]
        arguments = list_of(node.get("args")) if isinstance(node, dict) else []
        tensors = [next(_tensors(argument), None) is not None for argument in arguments]
        if name in _PASSING_OPERATIONS:
            return True
        if name in ("Add", "Subtract", "Multiply", "Divide", "TrueDivide") and len(arguments) == 2:
            if all(tensors):
                # two branches meet, of which one may have been trained
                return False
            other = arguments[tensors[0]]
            if name in ("Add", "Subtract"):
                self.shift = layer
                return True
            if _is_number(other) and (name == "Multiply" or (tensors[0] and other)):
                self.ranges.add(_range_of(other if name == "Multiply" else 1 / other, _operation(layer)))
                return False
        raise Refused(_unclear_range(_operation(layer)))


def _operation(layer: Config) -> str:
    return f"an operation on its input ({shown(layer.get('class_name'))})"


def _tensors(value: Any) -> Iterator[str]:
    """Yield the names of the layers whose outputs are among some arguments."""
    values = [value]
    while values:
        value = values.pop()
        if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
            values.append(settings_of(value).get("keras_history"))
        elif isinstance(value, dict):
            values.extend(value.values())
        elif isinstance(value, list) and len(value) > 2 and isinstance(value[0], str) and isinstance(value[1], int):
            yield value[0]
        elif isinstance(value, list):
            values.extend(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _range_of(scale: Any, words: str) -> tuple[float, float]:
    """Models map to 0..1 or -1..1: the range they take is one or two over their scale."""
    if _is_number(scale) and abs(scale) <= _LARGEST_SCALE:
        for high in (1.0, 255.0):
            if any(math.isclose(scale * high, width, rel_tol=1e-3) for width in (1, 2)):
                return 0.0, high
    raise Refused(_unclear_range(words))


def _unclear_range(what: str) -> str:
    return f"begins with {what}, which does not give its input's range; add --input-range 0..1, 0..255 or what it is"
