"""noisecli weights leaves alone what is no parameter, says so, and gives one noise to what is stored twice."""

import json

import numpy as np
import pytest

RNG = np.random.default_rng(1212)
DTYPES = {"float32": "F32", "float16": "F16", "int8": "I8", "int32": "I32", "int64": "I64", "uint8": "U8"}


def normal(*shape):
    return RNG.normal(size=shape).astype("f4")


@pytest.fixture
def save(tmp_path):
    """Write tensors as .safetensors, .npz or .weights.h5, by the suffix."""

    def write(name, tensors):
        path = tmp_path / "models" / name
        path.parent.mkdir(exist_ok=True)
        if name.endswith(".npz"):
            np.savez(path, **tensors)
        elif name.endswith(".h5"):
            h5py = pytest.importorskip("h5py", reason="needs h5py: the extra named weights")
            with h5py.File(path, "w") as file:
                for key, array in tensors.items():
                    file[key] = array
        else:
            header, data = {}, b""
            for key, array in tensors.items():
                end = len(data) + array.nbytes
                header[key] = {
                    "dtype": DTYPES[array.dtype.name],
                    "shape": array.shape,
                    "data_offsets": [len(data), end],
                }
                data += array.tobytes()
            text = json.dumps(header).encode()
            path.write_bytes(len(text).to_bytes(8, "little") + text + data)
        return path

    return write


def read(path, like):
    """Return the arrays of a file."""
    if path.suffix == ".npz":
        with np.load(path) as archive:
            return {name: archive[name] for name in archive.files}
    if path.suffix == ".h5":
        import h5py

        with h5py.File(path) as file:
            return {name: file[name][()] for name in like}
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    places = {name: entry["data_offsets"] for name, entry in json.loads(data[8:start]).items()}
    return {
        name: np.frombuffer(data[start + places[name][0] : start + places[name][1]], array.dtype).reshape(array.shape)
        for name, array in like.items()
    }


def changed(path, tensors):
    after = read(path, tensors)
    return {name for name in tensors if after[name].tobytes() != tensors[name].tobytes()}


LAYER = {"0": RNG.integers(-8, 8, (64, 32), np.int8), "1": normal(64), "2": normal(1, 64), "3": np.ones((1, 64), "i1")}
LAYER["4"] = (np.arange(64) // 16).astype("f4")
GPTQ = {"q.qweight": np.ones((8, 64), "i4"), "q.qzeros": np.ones((4, 8), "i4"), "q.scales": normal(4, 64)}
GPTQ |= {"q.g_idx": LAYER["4"], "q.bias": normal(64)}


@pytest.mark.parametrize(
    ("name", "tensors", "noisy_ones"),
    [
        ("m.safetensors", {**GPTQ, "norm.weight": normal(64)}, {"q.bias", "norm.weight"}),
        ("m.npz", {**GPTQ, "norm.weight": normal(64)}, {"q.bias", "norm.weight"}),
        ("m.weights.h5", {f"layers/dense/vars/{n}": array for n, array in LAYER.items()}, {"layers/dense/vars/1"}),
    ],
)
def test_scales_and_group_indices_of_quantised_layers_stay(
    name, tensors, noisy_ones, save, noisy, destination, rows, errors
):
    path = save(name, tensors)
    done = noisy("weights", path.parent, destination, "--std", "1%")
    assert done.status == 0
    assert changed(destination / name, tensors) == noisy_ones
    row = rows(destination)[name]
    assert ({part["name"] for part in row["parts"]}, row["warnings"]) == (noisy_ones, ["scales-kept"])
    assert row["parts_unchanged"] == len(tensors) - len(noisy_ones)
    assert "1 weight file: scales of quantised tensors stay as they are" in done.err
    assert noisy("verify", destination, "--recompute", path.parent).status == 0
    # not even by name
    scale = next(key for key in tensors if key.endswith(("scales", "/2")))
    assert noisy("weights", path.parent, destination, "--std", "1%", "--tensors", scale, "--force").status == 1
    assert "scales of quantised tensors never get noise" in errors(destination)[name]["message"]


@pytest.mark.parametrize("choice", [[], ["--tensors", "*"], ["--tensors", "bn.*"]])
def test_running_variances_and_constants_stay_unless_they_are_named(choice, save, noisy, destination, rows):
    tensors = {"bn.weight": normal(64), "bn.running_var": np.full(64, 0.01, "f4"), "bn.inv_freq": normal(64)}
    path = save("m.safetensors", tensors)
    done = noisy("weights", path.parent, destination, "--std", "0.1", *choice)
    assert changed(destination / path.name, tensors) == {"bn.weight"}
    row = rows(destination)[path.name]
    assert (row["warnings"], row["parts_unchanged"]) == (["buffers-kept"], 2)
    assert "running variances and constants stay as they are" in done.err


def test_a_variance_that_was_named_and_became_negative_is_told(save, noisy, destination, rows):
    tensors = {
        "bn.weight": normal(64),
        "bn.running_var": np.full(64, 0.01, "f4"),
        "a.running_var": np.full(64, 9, "f4"),
    }
    path = save("m.safetensors", tensors)
    done = noisy("weights", path.parent, destination, "--std", "0.1", "--tensors", "bn.running_*")
    assert changed(destination / path.name, tensors) == {"bn.running_var"}
    assert rows(destination)[path.name]["warnings"] == ["buffers-kept", "negative-variance"]
    assert "negative running variances" in done.err
    noisy("weights", path.parent, destination, "--std", "0.1", "--tensors", "a.running_*", "--redo")
    assert rows(destination)[path.name]["warnings"] == ["buffers-kept"]


@pytest.mark.parametrize("name", ["m.safetensors", "m.npz", "m.weights.h5"])
@pytest.mark.parametrize("std", ["5%", "0.1", "1%..5%"])
def test_what_is_stored_twice_gets_one_noise(name, std, save, noisy, destination, rows):
    inner, outer, other = (f"layers/{layer}/vars/0" for layer in ("wrapped/layer", "wrapped", "z"))
    kernel = normal(40, 30)
    tensors = {inner: kernel, outer: kernel, other: normal(40, 30)}
    path = save(name, tensors)
    assert noisy("weights", path.parent, destination, "--std", std, "--copies", "2").status == 0
    for copy in (1, 2):
        output = name.replace("m.", f"m-{copy}.", 1)
        after, row = read(destination / output, tensors), rows(destination)[output]
        assert changed(destination / output, tensors) == set(tensors)
        np.testing.assert_array_equal(after[inner], after[outer])
        assert not np.array_equal(after[other] - tensors[other], after[inner] - kernel)
        assert row["warnings"] == ["tied"]
        twins = [{**part, "name": ""} for part in row["parts"] if part["name"] in (inner, outer)]
        assert twins[0] == twins[1]
    assert noisy("verify", destination, "--recompute", path.parent).status == 0


def test_a_tied_tensors_noise_does_not_depend_on_which_others_are_chosen(save, noisy, destination, tmp_path):
    tensors = dict.fromkeys(["embed.weight", "head.weight"], normal(20, 20))
    path = save("m.safetensors", tensors)
    noisy("weights", path.parent, destination, "--std", "5%")
    noisy("weights", path.parent, tmp_path / "one", "--std", "5%", "--tensors", "head.*")
    both, one = (read(folder / path.name, tensors) for folder in (destination, tmp_path / "one"))
    np.testing.assert_array_equal(one["head.weight"], both["head.weight"])
    np.testing.assert_array_equal(one["embed.weight"], tensors["embed.weight"])


@pytest.mark.parametrize(
    ("tensors", "words"),
    [
        ({"ids": np.arange(3), "mask": np.ones(3, "u1")}, "16, 32 or 64 bits, only ids (I64, 3), mask (U8, 3)"),
        ({"q.weight": np.ones((2, 2), "i1"), "q.weight_scale": normal(2)}, "besides scales of quantised tensors"),
        ({}, "16, 32 or 64 bits, and nothing else"),
    ],
)
def test_a_file_without_parameters_is_skipped_in_words_that_are_true(tensors, words, save, noisy, destination, errors):
    path = save("m.safetensors", tensors)
    assert noisy("weights", path.parent, destination, "--std", "5%").status == 0
    problem = errors(destination)[path.name]
    assert (problem["status"], problem["reason"]) == ("skipped", "unsupported-samples")
    assert words in problem["message"]
    assert "integers or floats" not in problem["message"]


def test_a_shard_of_integers_alone_goes_with_its_model(save, noisy, destination, rows):
    first, second = (f"m-{number:05}-of-00002.safetensors" for number in (1, 2))
    save(first, {"q.qweight": np.ones((8, 8), "i4")})
    path = save(second, {"norm.weight": normal(8)})
    assert noisy("weights", path.parent, destination, "--std", "5%").status == 0
    assert rows(destination)[first]["warnings"] == ["none-chosen"]
    assert rows(destination)[second]["applied"]
