"""The range of a model's input, by the layers and operations in front of the first that was trained."""

import pytest

from noisecli.errors import Refused
from noisecli.gradient.input_range import read_input_range

VECTOR = {"class_name": "__numpy__", "config": {"value": [0.2, 0.3, 0.4], "dtype": "float32"}}


def tensor(name):
    return {"class_name": "__keras_tensor__", "config": {"shape": [None, 8, 8, 3], "keras_history": [name, 0, 0]}}


def node(name, class_name, *arguments, module="keras.layers", **config):
    inbound = [{"args": list(arguments), "kwargs": {}}] if arguments else []
    described = {"module": module, "class_name": class_name, "config": {"name": name, **config}}
    return {**described, "name": name, "inbound_nodes": inbound}


def operation(class_name, *arguments, name):
    return node(name, class_name, *arguments, module="keras.src.ops.numpy")


def functional(*nodes):
    layers = [node("in", "InputLayer"), *nodes]
    return {"module": "keras.src.models.functional", "class_name": "Functional", "config": {"layers": layers}}


def chain(*steps):
    """Return a model of operations, one after the other, and a Dense layer behind them; x is the last one's output."""
    nodes, last = [], "in"
    for number, (class_name, *arguments) in enumerate(steps):
        inputs = {"x": tensor(last), "['x']": [tensor(last)]}
        given = [inputs.get(str(argument), argument) for argument in arguments]
        nodes.append(operation(class_name, *given, name=f"op_{number}"))
        last = f"op_{number}"
    return functional(*nodes, node("dense", "Dense", tensor(last)))


def sequential(*layers):
    return {"module": "keras", "class_name": "Sequential", "config": {"layers": [node(n, n) for n in layers]}}


RESCALING = node("rescaling", "Rescaling", tensor("in"), scale=1 / 255)

TOLD = {
    "x / 255": (chain(("TrueDivide", "x", 255.0)), (0, 255)),
    "ops.divide(x, 255)": (chain(("Divide", "x", 255)), (0, 255)),
    "x * (1 / 255)": (chain(("Multiply", "x", 1 / 255)), (0, 255)),
    "(1 / 255) * x": (chain(("Multiply", 1 / 255, "x")), (0, 255)),
    "x / 127.5 - 1": (chain(("TrueDivide", "x", 127.5), ("Subtract", "x", 1.0)), (0, 255)),
    "(x - 127.5) / 127.5": (chain(("Subtract", "x", 127.5), ("TrueDivide", "x", 127.5)), (0, 255)),
    "x * 2 - 1": (chain(("Multiply", "x", 2), ("Subtract", "x", 1)), (0, 1)),
    "(x / 255 - mean) / std": (
        chain(("TrueDivide", "x", 255.0), ("Add", "x", VECTOR), ("TrueDivide", "x", VECTOR)),
        (0, 255),
    ),
    "cast(x) / 255": (chain(("Cast", "x"), ("TrueDivide", "x", 255)), (0, 255)),
    "BGR, then / 255": (chain(("GetItem", "x", 2), ("Stack", ["x"]), ("TrueDivide", "x", 255)), (0, 255)),
    "none": (functional(node("dense", "Dense", tensor("in"))), (0, 1)),
    "an operation behind a trained layer": (
        functional(node("dense", "Dense", tensor("in")), operation("TrueDivide", tensor("dense"), 255.0, name="late")),
        (0, 1),
    ),
    "a rescaling behind a trained layer": (
        functional(node("dense", "Dense", tensor("in")), node("late", "Rescaling", tensor("dense"), scale=0.17)),
        (0, 1),
    ),
    "a residual": (
        functional(node("conv", "Conv2D", tensor("in")), operation("Add", tensor("in"), tensor("conv"), name="add")),
        (0, 1),
    ),
    "a nested model that rescales": (
        functional(
            {**functional(RESCALING), "name": "inner", "inbound_nodes": [{"args": [tensor("in")]}]},
            node("dense", "Dense", tensor("inner")),
        ),
        (0, 255),
    ),
    "behind a nested model of augmentations": (
        functional(
            {
                **sequential("RandomFlip", "RandomZoom"),
                "config": {"name": "inner", **sequential("RandomFlip", "RandomZoom")["config"]},
                "inbound_nodes": [{"args": [tensor("in")]}],
            },
            operation("TrueDivide", tensor("inner"), 255.0, name="divide"),
        ),
        (0, 255),
    ),
}


@pytest.mark.parametrize(("model", "expected"), TOLD.values(), ids=TOLD)
def test_what_rescales_the_input_tells_its_range(model, expected):
    assert read_input_range(model) == expected


REFUSED = {
    "x - mean, as preprocess_input of VGG and ResNet": (chain(("Add", "x", VECTOR)), "Add"),
    "1 - x": (chain(("Subtract", 1, "x")), "Subtract"),
    "(x - mean) / std": (chain(("Subtract", "x", VECTOR), ("TrueDivide", "x", VECTOR)), "TrueDivide"),
    "x / 16": (chain(("TrueDivide", "x", 16)), "TrueDivide"),
    "x / 0": (chain(("TrueDivide", "x", 0)), "TrueDivide"),
    "255 / x": (chain(("TrueDivide", 255, "x")), "TrueDivide"),
    "x / max(x)": (chain(("Max", "x")), "Max"),
    "log(x)": (chain(("Log", "x")), "Log"),
    "a Normalization layer": (functional(node("n", "Normalization", tensor("in"))), "Normalization"),
    "two branches": (
        functional(RESCALING, operation("Multiply", tensor("in"), 2, name="twice")),
        "several branches",
    ),
}


@pytest.mark.parametrize(("model", "words"), REFUSED.values(), ids=REFUSED)
def test_a_range_that_cannot_be_told_is_refused_with_the_way_out(model, words):
    with pytest.raises(Refused, match=rf"{words}.*--input-range"):
        read_input_range(model)
