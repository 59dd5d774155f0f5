"""Small models saved by Keras, and what they are of: weights that a test can put into a formula of its own."""

import importlib.util
import json
import os
import subprocess
import sys
import zipfile
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

NEEDS = "is not installed: pip install '.[recipes]'"

SAVE = """
import os, sys
import numpy as np
import keras
from keras import layers

folder = sys.argv[1]
given = np.load(os.path.join(folder, "weights.npz"))


def linear(name, shape, activation, *first):
    kernel, bias = given[f"{name}_kernel"], given[f"{name}_bias"]
    dense = layers.Dense(len(bias), activation=activation)
    model = keras.Sequential([layers.Input(shape), *first, layers.Flatten(), dense])
    dense.set_weights([kernel, bias])
    model.save(os.path.join(folder, f"{name}.keras"))


linear("grey", (8, 8, 1), "softmax")
linear("colour", (6, 5, 3), "softmax", layers.Rescaling(1 / 255))
linear("binary", (8, 8), "sigmoid", layers.Dropout(0.5))

# the same as colour, with its scale in an operation, and with one that moves the input alone
rescaled = keras.saving.load_model(os.path.join(folder, "colour.keras"))
for name, prepare in (("divided", lambda x: x / 255.0), ("moved", lambda x: (x - 3) / 255.0 + 3 / 255.0)):
    inputs = keras.Input((6, 5, 3))
    model = keras.Model(inputs, rescaled.layers[-1](layers.Flatten()(prepare(inputs))))
    model.save(os.path.join(folder, f"{name}.keras"))
inputs = keras.Input((6, 5, 3))
prepared = layers.Flatten()(keras.applications.vgg16.preprocess_input(inputs))
keras.Model(inputs, rescaled.layers[-1](prepared)).save(os.path.join(folder, "vgg.keras"))
"""


class Linear(NamedTuple):
    """A model without a hidden layer, and the formula of its gradient.

    With p = softmax(W x + b), grad_x of -log p_y is W (p - onehot(y)).
    """

    path: str
    kernel: np.ndarray
    bias: np.ndarray
    shape: tuple[int, ...]

    @property
    def binary(self):
        return len(self.bias) == 1

    def logits(self, x):
        """Return the logits of samples in 0..1, (n, classes)."""
        z = x.reshape(len(x), -1).astype(np.float64) @ self.kernel.astype(np.float64) + self.bias
        return np.hstack([np.zeros_like(z), z]) if self.binary else z

    def losses(self, x, labels):
        z = self.logits(x)
        z = z - z.max(axis=1, keepdims=True)
        return np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(x)), labels]

    def answers(self, x):
        return self.logits(x).argmax(axis=1)

    def signs(self, x, labels):
        z = self.logits(x)
        p = np.exp(z - z.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        p[np.arange(len(x)), labels] -= 1
        kernel = np.hstack([np.zeros_like(self.kernel), self.kernel]) if self.binary else self.kernel
        return np.sign(p @ kernel.astype(np.float64).T).reshape(x.shape)


CLASSES = ("ant", "bee", "cow")
SHAPES = {"grey": ((8, 8, 1), 3), "colour": ((6, 5, 3), 3), "binary": ((8, 8), 1)}


def require(*packages):
    for package in packages:
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} {NEEDS}")


@pytest.fixture(params=["torch", "jax"])
def backend(request, monkeypatch):
    """Run with each backend, as its user would choose it."""
    require("keras", request.param)
    monkeypatch.setenv("KERAS_BACKEND", request.param)
    return request.param


@pytest.fixture
def one_backend(monkeypatch):
    """Run with the backend that noisecli chooses by itself, where the promise is none of the backend's."""
    require("keras", "torch")
    monkeypatch.delenv("KERAS_BACKEND", raising=False)


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """Return the models by name, saved by Keras in a process of its own."""
    require("keras", "torch")
    folder = tmp_path_factory.mktemp("models")
    rng = np.random.default_rng(6572)
    weights = {}
    for name, (shape, outputs) in SHAPES.items():
        weights[f"{name}_kernel"] = rng.normal(0, 0.3, (int(np.prod(shape)), outputs)).astype(np.float32)
        weights[f"{name}_bias"] = rng.normal(0, 0.1, outputs).astype(np.float32)
        # pixels that the model does not look at
        weights[f"{name}_kernel"][::7] = 0
    np.savez(folder / "weights.npz", **weights)
    environment = {**os.environ, "KERAS_BACKEND": "torch", "KERAS_HOME": os.fspath(folder)}
    subprocess.run([sys.executable, "-c", SAVE, folder], check=True, env=environment, timeout=600)
    return {
        name: Linear(f"{folder}/{name}.keras", weights[f"{name}_kernel"], weights[f"{name}_bias"], shape)
        for name, (shape, _) in SHAPES.items()
    }


@pytest.fixture
def described(tmp_path):
    """Write a .keras file that holds a description alone; there is nothing in it to load."""

    def write(*layers, name="described.keras"):
        config = {"module": "keras", "class_name": "Sequential", "config": {"layers": [*layers]}}
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr("config.json", json.dumps(config))
        return tmp_path / name

    return write


@pytest.fixture
def adversarial(noisy, tmp_path, destination):
    """Run `noisecli adversarial src dst --model M` with an eps and a std, unless they are among the arguments."""

    def run(model, *arguments, source=tmp_path / "src", to=destination):
        words = list(map(str, arguments))
        eps = () if "--eps" in words else ("--eps", "10%")
        std = () if {"--std", "--snr-db"} & set(words) else ("--std", "5%")
        path = model.path if isinstance(model, Linear) else model
        return noisy("adversarial", source, to, "--model", path, *eps, *std, *words)

    return run


@pytest.fixture
def fill_classes(tmp_path):
    """Fill src with pictures of noise in class folders; return the arrays by name, RGB."""

    def fill(model, each=4, classes=CLASSES, suffix=".png", dtype=np.uint8, alpha=False):
        rng = np.random.default_rng(77)
        pictures = {}
        for name in classes:
            (tmp_path / "src" / name).mkdir(parents=True)
            for number in range(each):
                shape = model.shape[:2] + ((model.shape[2] + alpha,) if model.shape[2:] == (3,) else ())
                pictures[f"{name}/{number}{suffix}"] = rng.integers(0, np.iinfo(dtype).max + 1, shape, dtype)
        for name, picture in pictures.items():
            Image.fromarray(picture).save(tmp_path / "src" / name)
        return pictures

    return fill
