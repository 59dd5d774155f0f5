"""Models that Keras itself saved, and Keras itself loads: each in a process of its own, for a backend is for good."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest

pytest.importorskip("h5py", reason="needs h5py: the extra named weights")
# not imported here: that would choose a backend for the whole process
if find_spec("keras") is None:
    pytest.skip("needs keras: the extra named keras", allow_module_level=True)

pytestmark = pytest.mark.slow

SAVE = """
import sys
import keras
import numpy as np

keras.utils.set_random_seed(3)
model = keras.Sequential([
    keras.Input((8,)),
    keras.layers.Dense(64, activation="relu"),
    keras.layers.BatchNormalization(),
    keras.layers.Dropout(0.5, seed=1),
    keras.Sequential([keras.layers.Dense(32)], name="inner"),
    keras.layers.Dense(2, dtype="bfloat16"),
])
model.compile("adam", "mse")
model.optimizer.build(model.trainable_variables)
model.save(sys.argv[1] + "/model.keras")
model.save_weights(sys.argv[1] + "/model.weights.h5")
"""

LOAD = """
import json, sys
import keras
import numpy as np

def told(model):
    names = [w.path for w in model.weights]
    return {n: np.asarray(keras.ops.convert_to_numpy(keras.ops.cast(w, "float32"))).tolist()
            for n, w in zip(names, model.weights)}

clean = keras.saving.load_model(sys.argv[1] + "/model.keras")
noisy = keras.saving.load_model(sys.argv[2] + "/model.keras")
by_weights = keras.saving.load_model(sys.argv[1] + "/model.keras")
by_weights.load_weights(sys.argv[2] + "/model.weights.h5")
optimizers = [[np.asarray(v).tolist() for v in m.optimizer.variables] for m in (clean, noisy)]
json.dump([told(clean), told(noisy), told(by_weights), optimizers], open(sys.argv[3], "w"))
"""


def keras(program, *arguments):
    environment = {**os.environ, "KERAS_BACKEND": "numpy", "KERAS_HOME": arguments[0], "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, "-W", "ignore", "-c", program, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_keras_loads_the_noisy_model_and_finds_noise_on_the_weights_alone(tmp_path, noisy):
    source, destination, found = tmp_path / "src", tmp_path / "dst", tmp_path / "found.json"
    source.mkdir()
    keras(SAVE, str(source))
    assert noisy("weights", source, destination, "--std", "5%", "--skip-tensors", "*batch_norm*").status == 0
    keras(LOAD, str(source), str(destination), str(found))
    clean, changed, by_weights, optimizers = json.loads(found.read_text())
    assert optimizers[0] == optimizers[1]
    assert clean.keys() == changed.keys() == by_weights.keys()
    for name in clean:
        old, *others = (np.array(values[name]) for values in (clean, changed, by_weights))
        for new in others:
            if "batch_norm" in name or "seed" in name or not old.any():
                np.testing.assert_array_equal(new, old)
            elif old.size >= 256:
                # six standard errors of a std
                assert (new - old).std() == pytest.approx(0.05 * old.std(), rel=6 / (2 * old.size) ** 0.5)
            else:
                assert not np.array_equal(new, old)
    # the two files are two sources: other noise
    kernel = next(name for name in clean if np.size(clean[name]) == 512)
    assert changed[kernel] != by_weights[kernel]


SAVE_UNUSUAL = """
import sys
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(4)


def save(name, *inner, mode=None):
    model = keras.Sequential([keras.Input((64,)), *inner])
    model(np.ones((2, 64), "float32"))
    for layer in model.layers:
        if hasattr(layer, "bias") and layer.bias is not None:
            layer.bias.assign(np.random.normal(size=layer.bias.shape))
    if mode is not None:
        for layer in model.layers:
            if isinstance(layer, (layers.Dense, layers.EinsumDense)):
                layer.quantize(mode)
    model.save(f"{sys.argv[1]}/{name}.keras")
    model.save_weights(f"{sys.argv[1]}/{name}.weights.h5")
    model.save(f"{sys.argv[1]}/{name}_old.h5")


for mode in ("int8", "int4"):
    save(mode, layers.Dense(64), layers.EinsumDense("ab,bc->ac", output_shape=(64,), bias_axes="c"),
         layers.BatchNormalization(),
         layers.Dense(8), mode=mode)
save("spectral", layers.SpectralNormalization(layers.Dense(16), name="spectral"), layers.Dense(4))
"""

LOAD_UNUSUAL = """
import sys
import keras
import numpy as np

for name in ("int8", "int4", "spectral"):
    clean, noisy = (keras.saving.load_model(f"{folder}/{name}.keras") for folder in sys.argv[1:3])
    by_weights = keras.saving.load_model(f"{sys.argv[1]}/{name}.keras")
    by_weights.load_weights(f"{sys.argv[2]}/{name}.weights.h5")
    for model in (noisy, by_weights):
        changed, kept = set(), set()
        for old, new in zip(clean.weights, model.weights):
            same = np.array_equal(*(keras.ops.convert_to_numpy(value) for value in (old, new)))
            (kept if same else changed).add(new.path.rpartition("/")[2])
        print(name, *sorted(changed), "|", *sorted(kept))
"""


def test_keras_finds_quantised_and_tied_models_whole(tmp_path, noisy, rows):
    source, destination = tmp_path / "src", tmp_path / "dst"
    source.mkdir()
    keras(SAVE_UNUSUAL, str(source))
    assert noisy("weights", source, destination, "--std", "0.01").status == 0
    told = keras(LOAD_UNUSUAL, str(source), str(destination)).splitlines()
    # of the normalisation, the running variance stays
    assert told[:2] == ["int8 beta bias gamma moving_mean | kernel kernel_scale moving_variance"] * 2
    assert told[2:4] == ["int4 beta bias gamma moving_mean | g_idx kernel kernel_scale kernel_zero moving_variance"] * 2
    assert told[4:] == ["spectral bias kernel vector_u |"] * 2
    recorded = rows(destination)
    for name in ("int8", "int4"):
        for suffix in (".keras", ".weights.h5", "_old.h5"):
            row = recorded[name + suffix]
            assert row["warnings"] == ["buffers-kept", "scales-kept"]
            # three biases, and gamma, beta and mean of the normalisation
            assert (len(row["parts"]), row["parts_unchanged"]) == (6, {"int8": 7, "int4": 13}[name])
    for suffix in (".keras", ".weights.h5"):
        assert recorded["spectral" + suffix]["warnings"] == ["tied"]
