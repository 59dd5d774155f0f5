"""What the gradient needs of a trained classifier: one input, one row of outputs, no training."""

import warnings
from dataclasses import dataclass
from typing import Any

from noisecli.errors import Refused, shown
from noisecli.gradient.model_config import Answers

_SQUASHING = ("softmax", "sigmoid")


@dataclass(frozen=True)
class Victim:
    """A model to take the step on.

    Attributes
    ----------
    model
        The Keras model, without its last softmax or sigmoid where that could be taken off.
    input_shape
        Of one sample; None where any size is accepted.
    classes
        How many it has.
    binary
        Whether it outputs a single number.
    answers
        What `model` outputs.
    """

    model: Any
    input_shape: tuple[int | None, ...]
    classes: int
    binary: bool
    answers: Answers


def load_victim(path: str, answers: Answers) -> Victim:
    """Load a .keras file, in safe mode and not compiled.

    Raises Refused, without the file's name, for what Keras cannot load and what is not a classifier of one input.
    """
    import keras

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model: Any = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:
        words = shown(str(error).strip().partition("\n")[0], 300) or type(error).__name__
        raise Refused(f"Keras {keras.__version__} cannot load it: {words}") from error
    return as_victim(model, answers)


def as_victim(model: Any, answers: Answers) -> Victim:
    """Return what the gradient needs of a Keras model. Raises Refused for what is not a classifier of one input."""
    # a layer may be saved like a model, and a model before its input is known
    inputs, outputs = (getattr(model, side, None) or [] for side in ("inputs", "outputs"))
    if len(inputs) != 1 or len(outputs) != 1:
        raise Refused(f"has {len(inputs)} inputs and {len(outputs)} outputs; one of each is needed")
    input_shape, output_shape = tuple(model.inputs[0].shape[1:]), tuple(model.outputs[0].shape[1:])
    if len(output_shape) > 1 or None in output_shape:
        raise Refused(f"outputs an array of shape {output_shape}, not one number for each class")
    numbers = output_shape[0] if output_shape else 1
    squashed = answers == "probabilities"
    unsquashed = _without_last_activation(model) if squashed else model
    return Victim(
        model=model if unsquashed is None else unsquashed,
        input_shape=input_shape,
        classes=max(numbers, 2),
        binary=numbers == 1,
        answers="probabilities" if unsquashed is None else "logits",
    )


def _without_last_activation(model: Any) -> Any | None:
    """Return a model that outputs logits; None where the last layer's activation cannot be removed.

    A confident model's probability rounds to 1, and the gradient behind it to 0, long before its logits do.
    """
    import keras

    last, outer = model.layers[-1], True
    while isinstance(last, keras.Model):
        last, outer = last.layers[-1], False
    if outer and isinstance(last, keras.layers.Softmax):
        return keras.Model(model.inputs[0], last.input)
    if getattr(getattr(last, "activation", None), "__name__", None) in _SQUASHING:
        last.activation = keras.activations.linear
        return model
    return None
