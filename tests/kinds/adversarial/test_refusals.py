"""What is refused before any model is loaded: no Keras is needed for that."""

import importlib.util
import zipfile

import pytest

DENSE = {"module": "keras.layers", "class_name": "Dense", "config": {"units": 3, "activation": "softmax"}}
RELU = {"module": "keras.layers", "class_name": "Dense", "config": {"units": 3, "activation": "relu"}}
LAMBDA = {"module": "keras.layers", "class_name": "Lambda", "config": {"function": {"class_name": "__lambda__"}}}
INPUT = {"class_name": "InputLayer", "config": {"name": "in"}}
MEAN = {
    "module": "keras.src.ops.numpy",
    "class_name": "Subtract",
    "config": {"name": "subtract"},
    "inbound_nodes": [
        {"args": [{"class_name": "__keras_tensor__", "config": {"keras_history": ["in", 0, 0]}}, 120.0], "kwargs": {}}
    ],
}
NORMALIZATION = {"module": "keras.layers", "class_name": "Normalization", "config": {"mean": [0.4], "variance": [0.2]}}


@pytest.fixture
def source(fill, tmp_path):
    return fill(tmp_path / "src", "ant/a.png", "bee/b.png")


@pytest.fixture
def installed(monkeypatch):
    """Have Keras and torch appear to be there; nothing here loads them."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name if name in ("keras", "torch") else None)
    monkeypatch.delenv("KERAS_BACKEND", raising=False)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("m.h5", "model.save('m.keras')"),
        ("m.weights.h5", "weights without their model"),
        ("m.pt", "pickle, which is code"),
        ("m.pth", "pickle, which is code"),
        ("m.onnx", "save a .keras"),
        ("m.bin", "is not a .keras file"),
        ("m.keras", "cannot be read"),
    ],
)
def test_other_models_are_refused_with_the_way_out(source, adversarial, tmp_path, name, words):
    if name != "m.keras":
        (tmp_path / name).write_bytes(b"\x89HDF\r\n\x1a\n")
    done = adversarial(tmp_path / name)
    assert done.status == 2
    assert words in done.err
    assert done.err.count("\n") == 1
    assert not (tmp_path / "dst").exists()


def test_a_saved_model_is_refused_with_the_way_out(source, adversarial, tmp_path):
    (tmp_path / "model").mkdir()
    assert "SavedModel" in adversarial(tmp_path / "model").err


@pytest.mark.parametrize("content", [b"", b"PK\x05\x06" + bytes(18), b"\x89HDF\r\n\x1a\n"])
def test_what_only_has_the_name_is_refused(source, adversarial, tmp_path, content):
    (tmp_path / "m.keras").write_bytes(content)
    done = adversarial(tmp_path / "m.keras")
    assert done.status == 2
    assert "is not a .keras file that Keras 3 saved" in done.err


def test_a_description_that_inflates_without_end_is_refused(source, adversarial, tmp_path):
    with zipfile.ZipFile(tmp_path / "m.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", b" " * ((1 << 26) + 1))
    assert "at more length than any model needs" in adversarial(tmp_path / "m.keras").err


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        ((LAMBDA, DENSE), "a layer that is code (Lambda)"),
        ((NORMALIZATION, DENSE), "--input-range"),
        ((INPUT, MEAN, DENSE), "begins with an operation on its input (Subtract)"),
        ((RELU,), "--logits or --probabilities"),
    ],
)
def test_what_a_model_does_not_tell_is_not_guessed(source, adversarial, described, layers, words):
    done = adversarial(described(*layers))
    assert done.status == 2
    assert words in done.err


@pytest.mark.parametrize(("name", "about_images"), [("digits.npz", False), ("ant/a.png", True)])
def test_an_archive_is_not_told_of_class_folders(source, adversarial, described, tmp_path, name, about_images):
    (source / "digits.npz").write_bytes(b"PK")
    done = adversarial(described(DENSE), source=source / name, to=tmp_path / f"out{(source / name).suffix}")
    assert done.status == 2
    assert "name a folder for DST" in done.err
    assert ("its folder's name" in done.err) == about_images


def test_what_is_said_need_not_be_told(installed, source, adversarial, described):
    model = described(NORMALIZATION, RELU)
    done = adversarial(model, "--input-range", "-1..1", "--logits", "--dry-run")
    assert done.status == 0
    assert "takes -1..1, answers with logits" in done.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--eps", "0.1"], "write 10%"),
        (["--eps", "-3"], "less than none"),
        (["--eps", "1..5"], "one fixed step"),
        (["--eps", "1,2"], "one fixed step"),
        (["--eps", "much"], "is not a level"),
        (["--std", "0.05"], "write 5%"),
        (["--input-range", "1..0"], "lower end"),
        (["--input-range", "255"], "--input-range 0..1"),
        (["--logits", "--probabilities"], "exclude each other"),
        (["--classes", "ant"], "two names or more"),
        (["--classes", "ant,,bee"], "two names or more"),
        (["--classes", "ant,bee,ant"], "names ant twice"),
        (["--quiet", "--verbose"], "exclude each other"),
        (["--batch-size", "0"], "batch-size"),
    ],
)
def test_slips_are_refused_with_what_to_write(installed, source, adversarial, described, arguments, words):
    done = adversarial(described(DENSE), *arguments)
    assert done.status == 2
    assert words in done.err


def test_pictures_without_class_folders_are_refused(installed, fill, adversarial, described, tmp_path):
    fill(tmp_path / "src", "a.png", "b.png")
    done = adversarial(described(DENSE))
    assert done.status == 2
    assert "no image there lies in a folder of its class" in done.err
    assert not (tmp_path / "dst").exists()


def test_without_keras_it_says_what_to_install(monkeypatch, source, adversarial, described):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    done = adversarial(described(DENSE))
    assert done.status == 2
    assert "pip install keras" in done.err
    assert "torch or jax" in done.err
