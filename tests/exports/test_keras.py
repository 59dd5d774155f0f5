"""A Keras dataset over labels.csv, no TensorFlow: a detector learns to tell noisy from clean."""

import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

DETECTOR = """
import csv
import os
import sys

import cv2
import keras
import numpy as np


class Labelled(keras.utils.PyDataset):
    def __init__(self, folder, table, size):
        super().__init__()
        self.folder, self.size = folder, size
        with open(table, newline="", encoding="utf-8") as file:
            self.rows = list(csv.DictReader(file))

    def __len__(self):
        return -(-len(self.rows) // self.size)

    def __getitem__(self, batch):
        rows = self.rows[batch * self.size : (batch + 1) * self.size]
        pictures = [cv2.imread(os.path.join(self.folder, row["file"]), cv2.IMREAD_GRAYSCALE) for row in rows]
        return np.stack(pictures)[..., None] / 255.0, np.array([[float(row["label"])] for row in rows])


keras.utils.set_random_seed(0)
data = Labelled(sys.argv[1], sys.argv[2], 16)
layers = [keras.layers.Conv2D(8, 3, activation="relu"), keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(1)]
model = keras.Sequential([keras.Input((12, 16, 1)), *layers, keras.layers.Activation("sigmoid")])
model.compile(keras.optimizers.Adam(0.03), "binary_crossentropy", metrics=["accuracy"])
model.fit(data, epochs=40, verbose=0)
print(model.evaluate(data, verbose=0, return_dict=True)["accuracy"])
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_a_detector_learns_from_labels(images, fill, export, destination, tmp_path, backend):
    # looked for, not imported: Keras takes its backend from the environment, once
    if not (find_spec("keras") and find_spec(backend)):
        pytest.skip(f"needs keras and {backend}: the extra named recipes")
    pictures = fill(tmp_path / "pictures", *(f"{number:02}.png" for number in range(32)))
    assert images("--with-clean", "--std", "40", source=pictures).status == 0
    table = tmp_path / "labels.csv"
    assert export("--to", "labels", "-o", table).status == 0
    command = [sys.executable, "-c", DETECTOR, str(destination), str(table)]
    environment = {**os.environ, "KERAS_BACKEND": backend}
    done = subprocess.run(command, check=True, env=environment, capture_output=True, text=True, timeout=3600)
    assert float(done.stdout) > 0.9
