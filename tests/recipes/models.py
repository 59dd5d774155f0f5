"""Small models in Keras 3, on the backend that is there. Recipes take `keras` from here: the backend comes first."""

from __future__ import annotations

import importlib.util
import os
from typing import Any

import numpy as np
from common import Floats, Labels
from numpy.typing import NDArray

if "KERAS_BACKEND" not in os.environ:
    os.environ["KERAS_BACKEND"] = "torch" if importlib.util.find_spec("torch") else "jax"

import keras

if keras.backend.backend() == "torch":
    import torch

    torch.set_num_threads(1)  # models this small are slower on two


def classifier(classes: int = 10, units: int = 128) -> keras.Model:
    """Return an untrained two-layer network for pictures or features of any one shape."""
    model = keras.Sequential(
        [
            keras.layers.Flatten(),
            keras.layers.Dense(units, activation="relu"),
            keras.layers.Dense(units, activation="relu"),
            keras.layers.Dense(classes, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def fit(
    model: keras.Model, x: NDArray[Any], y: NDArray[Any], steps: int, batch: int = 64, **options: Any
) -> keras.Model:
    """Train for a number of steps, however many samples there are: more data is not more training."""
    order = np.concatenate([np.random.permutation(len(x)) for _ in range(-(-steps * batch // len(x)))])
    order = order[: steps * batch]
    model.fit(x[order], y[order], batch_size=batch, epochs=1, shuffle=False, verbose=0, **options)
    return model


def accuracy(model: keras.Model, x: NDArray[Any], y: Labels) -> float:
    """Return the share of right answers."""
    return float(np.mean(predict(model, x).argmax(axis=-1) == y))


def predict(model: keras.Model, x: NDArray[Any]) -> Floats:
    """Return the model's answers as numpy."""
    return np.asarray(model.predict(x, batch_size=512, verbose=0), np.float32)
