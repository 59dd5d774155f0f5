"""What a model's description tells without Keras, and which backend is chosen."""

import importlib.util

import pytest

from noisecli.errors import Refused
from noisecli.gradient import backend, model_config
from noisecli.gradient.input_range import read_input_range


def layer(name, module="keras.layers", **config):
    return {"module": module, "class_name": name, "config": {"name": name.lower(), **config}, "registered_name": None}


def sequential(*layers):
    return {"module": "keras", "class_name": "Sequential", "config": {"name": "model", "layers": list(layers)}}


def functional(*layers, outputs):
    return {
        "module": "keras.src.models.functional",
        "class_name": "Functional",
        "config": {"name": "model", "layers": list(layers), "output_layers": outputs},
    }


ACTIVATION = {"module": "builtins", "class_name": "function", "config": "swish_of_mine", "registered_name": "function"}


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (sequential(layer("Dense"), layer("Lambda", function={"class_name": "__lambda__"})), "Lambda"),
        (sequential(sequential(layer("Lambda"))), "Lambda"),
        (sequential(layer("TorchModuleWrapper")), "TorchModuleWrapper"),
        (sequential(layer("TFSMLayer")), "TFSMLayer"),
        (sequential(layer("Attention", module="my_package.layers")), "Attention of my_package.layers"),
        (sequential(layer("system", module="os")), "system of os"),
        (sequential(layer("Dense", activation=ACTIVATION)), "function of builtins"),
        (sequential(layer("Dense", module="kerasish")), "Dense of kerasish"),
        (sequential(layer("get_file", module="keras.utils")), "get_file of keras.utils"),
        (sequential(layer("get_file", module="keras.src.utils.file_utils")), "get_file of keras.src.utils"),
    ],
)
def test_models_that_bring_code_are_refused(model, words):
    with pytest.raises(Refused, match=words):
        model_config.refuse_code(model)


def test_how_it_was_compiled_does_not_matter():
    loss = layer("focal", module="my_losses")
    assert model_config.refuse_code({**sequential(layer("Dense")), "compile_config": {"loss": loss}}) is None
    with pytest.raises(Refused, match="focal of my_losses"):
        model_config.refuse_code(sequential(loss))


def test_layers_of_keras_are_no_code():
    policy = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}}
    operation = layer("Add", module="keras.src.ops.numpy")
    optimizer = layer("Adam", module="keras.src.backend.torch.optimizers.torch_adam")
    compiled = {**sequential(layer("Dense")), "compile_config": {"optimizer": optimizer}}
    for inner in ([compiled], [layer("Rescaling", dtype=policy), layer("Dense"), functional(operation, outputs=[])]):
        assert model_config.refuse_code(sequential(*inner)) is None


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (sequential(layer("Dense")), (0, 1)),
        (sequential(layer("InputLayer"), layer("Rescaling", scale=1 / 255)), (0, 255)),
        (sequential(layer("Rescaling", scale=0.00784313725490196, offset=-1)), (0, 255)),
        (sequential(layer("Rescaling", scale=1 / 255.0), layer("Normalization")), (0, 255)),
        (sequential(layer("Rescaling", scale=2.0, offset=-1)), (0, 1)),
        (sequential(functional(layer("Rescaling", scale=1 / 127.5), outputs=["rescaling", 0, 0])), (0, 255)),
    ],
)
def test_the_scale_of_the_input_is_what_its_rescaling_takes(model, expected):
    assert read_input_range(model) == expected


@pytest.mark.parametrize(
    "first",
    [layer("Normalization"), layer("Rescaling", scale=1 / 16), layer("Rescaling", scale=[0.1, 0.2, 0.3])],
    ids=["normalization", "sixteenths", "a scale for each channel"],
)
def test_a_scale_that_cannot_be_told_is_refused(first):
    with pytest.raises(Refused, match=r"--input-range"):
        read_input_range(sequential(layer("InputLayer"), first, layer("Dense")))


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (sequential(layer("Dense", units=10, activation="softmax")), "probabilities"),
        (sequential(layer("Dense", units=1, activation="sigmoid")), "probabilities"),
        (sequential(layer("Dense", units=10, activation="linear")), "logits"),
        (sequential(layer("Dense", units=10, activation="log_softmax")), "logits"),
        (sequential(layer("Dense", units=10, activation="linear"), layer("Softmax")), "probabilities"),
        (sequential(layer("Flatten"), sequential(layer("Activation", activation="softmax"))), "probabilities"),
        (
            functional(layer("Dense", activation="softmax"), layer("Late", activation="relu"), outputs=["dense", 0, 0]),
            "probabilities",
        ),
        (functional(layer("Dense", activation="linear"), outputs=[["dense", 0, 0]]), "logits"),
    ],
)
def test_the_last_activation_tells_the_answer(model, expected):
    assert model_config.answers(model) == expected


@pytest.mark.parametrize(
    ("last", "words"),
    [
        (layer("Dense", units=10, activation="relu"), "relu"),
        (layer("Dense", units=10, activation="sigmoid"), "10 units, activation sigmoid"),
        (layer("Flatten"), "Flatten"),
    ],
)
def test_an_answer_that_cannot_be_told_is_refused_with_both_ways_out(last, words):
    with pytest.raises(Refused, match=rf"{words}.*--logits or --probabilities"):
        model_config.answers(sequential(layer("Dense", activation="softmax"), last))


def test_two_outputs_are_refused():
    with pytest.raises(Refused, match="2 outputs"):
        model_config.answers(functional(layer("Dense"), layer("Other"), outputs=[["dense", 0, 0], ["other", 0, 0]]))


@pytest.fixture
def installed(monkeypatch):
    """Say which packages there are."""

    def say(*packages):
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: name if name in packages else None)

    return say


@pytest.mark.parametrize(
    ("packages", "environment", "expected"),
    [
        (("keras", "torch"), {}, "torch"),
        (("keras", "jax"), {}, "jax"),
        (("keras", "torch", "jax"), {}, "torch"),
        (("keras", "torch", "jax"), {"KERAS_BACKEND": "jax"}, "jax"),
    ],
)
def test_the_backend_that_is_there_is_taken(installed, packages, environment, expected):
    installed(*packages)
    assert backend.choose_backend(environment) == expected


@pytest.mark.parametrize(
    ("packages", "environment", "words"),
    [
        ((), {}, r"pip install keras"),
        (("keras",), {}, "torch, or jax"),
        (("keras", "tensorflow"), {}, "torch, or jax"),
        (("keras", "torch", "tensorflow"), {"KERAS_BACKEND": "tensorflow"}, "KERAS_BACKEND=torch or jax"),
        (("keras", "torch"), {"KERAS_BACKEND": "jax"}, "pip install jax"),
    ],
)
def test_a_backend_that_is_not_there_is_refused_with_what_to_install(installed, packages, environment, words):
    installed(*packages)
    with pytest.raises(Refused, match=words):
        backend.choose_backend(environment)


@pytest.mark.parametrize(("chosen", "expected"), [("jax", "jax"), ("tensorflow", "torch"), ("nonsense", "torch")])
def test_the_choice_in_the_settings_of_keras_holds_but_not_its_default(installed, tmp_path, chosen, expected):
    installed("keras", "torch", "jax")
    (tmp_path / "keras.json").write_text(f'{{"backend": "{chosen}"}}')
    assert backend.choose_backend({"KERAS_HOME": str(tmp_path)}) == expected
