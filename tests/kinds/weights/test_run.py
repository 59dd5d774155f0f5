"""noisecli weights: what its words mean, in files that other programs read."""

import json
import subprocess
import sys

import numpy as np
import pytest

RNG = np.random.default_rng(11)
SIZE = 10_000
"""Numbers in a tensor: a measured std is within 4 / sqrt(2 * SIZE) of the true one but once in 16,000 times."""
NEAR = 4.5 / (2 * SIZE) ** 0.5


@pytest.fixture
def safetensors_file(tmp_path):
    """Write a .safetensors by hand, and read one: only F32 and BF16."""

    def write(name, tensors, metadata=None):
        header, data = {} if metadata is None else {"__metadata__": metadata}, b""
        for key, array in tensors.items():
            raw = array.tobytes()
            dtype = {"float32": "F32", "uint16": "BF16", "int64": "I64"}[array.dtype.name]
            header[key] = {"dtype": dtype, "shape": array.shape, "data_offsets": [len(data), len(data) + len(raw)]}
            data += raw
        text = json.dumps(header).encode()
        path = tmp_path / "models" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(len(text).to_bytes(8, "little") + text + data)
        return path

    return write


def read(path):
    data = path.read_bytes()
    end = 8 + int.from_bytes(data[:8], "little")
    arrays = {}
    for name, entry in json.loads(data[8:end]).items():
        if name != "__metadata__":
            start, stop = entry["data_offsets"]
            dtype = {"F32": "<f4", "BF16": "<u2", "I64": "<i8"}[entry["dtype"]]
            arrays[name] = np.frombuffer(data[end + start : end + stop], dtype).reshape(entry["shape"])
    return arrays


@pytest.fixture
def model(safetensors_file):
    """Return a small model: two weights of different spread, a bias of zeros, a counter."""
    tensors = {
        "wide.weight": RNG.normal(1, 3, (100, 100)).astype("f4"),
        "narrow.weight": RNG.normal(0, 0.01, (100, 100)).astype("f4"),
        "norm.bias": np.zeros(100, "f4"),
        "steps": np.array([7]),
    }
    return safetensors_file("m.safetensors", tensors, {"format": "pt"})


def noise(new, old, name):
    return read(new)[name].astype(np.float64) - read(old)[name]


def test_percent_is_of_each_tensors_own_std(model, noisy, destination, rows):
    assert noisy("weights", model.parent, destination, "--std", "5%").status == 0
    row = rows(destination)["m.safetensors"]
    assert (row["kind"], row["format"], row["std_fraction"], row["parts_unchanged"]) == (
        "weights",
        "safetensors",
        0.05,
        1,
    )
    parts = {part["name"]: part for part in row["parts"]}
    for name in ("wide.weight", "narrow.weight"):
        own = read(model)[name].std(dtype=np.float64)
        added = noise(destination / "m.safetensors", model, name)
        assert parts[name]["std"] == pytest.approx(0.05 * own, rel=1e-6)
        assert added.std() == pytest.approx(0.05 * own, rel=NEAR)
        assert abs(added.mean()) < 4.5 * 0.05 * own / SIZE**0.5
        assert parts[name]["measured_std"] == pytest.approx(added.std(), rel=1e-4)
    assert not parts["norm.bias"]["applied"]
    np.testing.assert_array_equal(read(destination / "m.safetensors")["steps"], [7])


def test_a_plain_number_is_in_the_weights_own_unit_and_a_sweep_has_subtrees(model, noisy, destination):
    assert noisy("weights", model.parent, destination, "--std", "0.1,0.2").status == 0
    for std in (0.1, 0.2):
        for name in ("wide.weight", "narrow.weight"):
            added = noise(destination / f"std-{std}" / "m.safetensors", model, name)
            assert added.std() == pytest.approx(std, rel=NEAR)


def test_signal_to_noise_ratio_is_each_tensors_own(model, noisy, destination):
    assert noisy("weights", model.parent, destination, "--snr-db", "20").status == 0
    rms = np.sqrt(np.square(read(model)["wide.weight"], dtype=np.float64).mean())
    added = noise(destination / "m.safetensors", model, "wide.weight")
    assert added.std() == pytest.approx(rms / 10, rel=NEAR)


@pytest.mark.parametrize(
    ("words", "changed"),
    [
        ([], {"wide.weight", "narrow.weight", "norm.bias"}),
        (["--tensors", "*.weight"], {"wide.weight", "narrow.weight"}),
        (["--tensors", "wide*", "--tensors", "norm.*"], {"wide.weight", "norm.bias"}),
        (["--skip-tensors", "*norm*"], {"wide.weight", "narrow.weight"}),
        (["--tensors", "*.weight", "--skip-tensors", "wide.?eight"], {"narrow.weight"}),
    ],
)
def test_globs_choose_tensors(words, changed, model, noisy, destination):
    assert noisy("weights", model.parent, destination, "--std", "0.1", *words).status == 0
    old, new = read(model), read(destination / "m.safetensors")
    assert {name for name in old if old[name].tobytes() != new[name].tobytes()} == changed


def test_a_tensors_noise_does_not_depend_on_which_others_are_chosen(model, noisy, destination, tmp_path):
    noisy("weights", model.parent, destination, "--std", "5%")
    noisy("weights", model.parent, tmp_path / "one", "--std", "5%", "--tensors", "wide.weight")
    all_of_them, one = (read(folder / "m.safetensors") for folder in (destination, tmp_path / "one"))
    np.testing.assert_array_equal(one["wide.weight"], all_of_them["wide.weight"])
    assert not np.array_equal(one["narrow.weight"], all_of_them["narrow.weight"])


def test_two_tensors_of_one_file_share_no_noise(model, noisy, destination):
    noisy("weights", model.parent, destination, "--std", "1")
    wide, narrow = (
        noise(destination / "m.safetensors", model, name).ravel() for name in ("wide.weight", "narrow.weight")
    )
    assert abs(np.corrcoef(wide, narrow)[0, 1]) < 4.5 / SIZE**0.5


def test_globs_that_name_nothing_fail_and_tell_what_is_there(model, noisy, destination, errors):
    done = noisy("weights", model.parent, destination, "--std", "5%", "--tensors", "layers.*")
    assert done.status == 1
    assert "wide.weight (F32, 100x100)" in errors(destination)["m.safetensors"]["message"]


def test_a_shard_without_a_chosen_tensor_is_carried_over(safetensors_file, noisy, destination, rows):
    for number, name in ((1, "embed.weight"), (2, "lm_head.weight")):
        array = RNG.normal(size=(4, 4)).astype("f4")
        path = safetensors_file(f"model-{number:05}-of-00002.safetensors", {name: array})
    assert noisy("weights", path.parent, destination, "--std", "5%", "--tensors", "lm_head.*").status == 0
    first = rows(destination)["model-00001-of-00002.safetensors"]
    assert (first["applied"], first["warnings"], first["parts"]) == (False, ["none-chosen"], [])
    assert first["sha256"] == first["source_sha256"]
    assert rows(destination)["model-00002-of-00002.safetensors"]["applied"]


def test_an_ensemble_is_of_independent_members_and_the_first_is_a_single_runs(model, noisy, destination, tmp_path):
    assert noisy("weights", model.parent, destination, "--std", "5%", "--copies", "3").status == 0
    noisy("weights", model.parent, tmp_path / "alone", "--std", "5%")
    members = [destination / f"m-{copy}.safetensors" for copy in (1, 2, 3)]
    assert members[0].read_bytes() == (tmp_path / "alone/m.safetensors").read_bytes()
    fields = [noise(member, model, "wide.weight").ravel() for member in members]
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert abs(np.corrcoef(fields[one], fields[other])[0, 1]) < 4.5 / SIZE**0.5


def test_copies_of_keras_weights_keep_the_suffix_that_keras_asks_for(tmp_path, noisy, destination, outputs):
    h5py = pytest.importorskip("h5py", reason="needs h5py: the extra named weights")
    (tmp_path / "models").mkdir()
    with h5py.File(tmp_path / "models/m.weights.h5", "w") as file:
        file["layers/dense/vars/0"] = RNG.normal(size=(4, 4))
    assert noisy("weights", tmp_path / "models", destination, "--std", "5%", "--copies", "2").status == 0
    assert set(outputs(destination)) == {"m-1.weights.h5", "m-2.weights.h5"}


def test_a_broken_file_never_costs_the_others(model, noisy, destination, errors, rows):
    (model.parent / "cut.safetensors").write_bytes(model.read_bytes()[:-4])
    (model.parent / "empty.npz").write_bytes(b"")
    (model.parent / "page.h5").write_text("<html>not found</html>")
    assert noisy("weights", model.parent, destination, "--std", "5%").status == 1
    reasons = {source: problem["reason"] for source, problem in errors(destination).items()}
    assert reasons == {"cut.safetensors": "truncated", "empty.npz": "empty", "page.h5": "wrong-content"}
    assert set(rows(destination)) == {"m.safetensors"}


def test_bf16_is_measured_as_it_will_be_read(safetensors_file, noisy, destination, rows):
    array = (RNG.normal(size=SIZE).astype("f4").view("u4") >> 16).astype("u2")
    path = safetensors_file("m.safetensors", {"w": array})

    def widened(file):
        return (read(file)["w"].astype("u4") << 16).view("f4").astype(np.float64)

    for std in ("20%", "0.01%"):
        assert noisy("weights", path.parent, destination, "--std", std, "--force").status == 0
        [part] = rows(destination)["m.safetensors"]["parts"]
        added = widened(destination / "m.safetensors") - widened(path)
        assert (part["dtype"], part["measured_std"]) == ("BF16", pytest.approx(added.std(), rel=1e-5))
    # most of it is less than half a step of 8 bits, and lost
    assert part["measured_std"] < part["std"]


def test_what_is_no_number_stays_and_is_counted(safetensors_file, noisy, destination, rows):
    array = RNG.normal(size=SIZE).astype("f4")
    array[[3, 5, 8]] = np.nan, np.inf, -np.inf
    path = safetensors_file("m.safetensors", {"w": array})
    assert noisy("weights", path.parent, destination, "--std", "5%").status == 0
    row, new = rows(destination)["m.safetensors"], read(destination / "m.safetensors")["w"]
    np.testing.assert_array_equal(new[[3, 5, 8]], array[[3, 5, 8]])
    assert np.isfinite(np.delete(new, [3, 5, 8])).all()
    assert (row["parts"][0]["not_finite"], row["warnings"]) == (3, ["not-finite"])
    # of its finite numbers alone
    assert row["parts"][0]["std"] == pytest.approx(0.05 * np.delete(array, [3, 5, 8]).std(dtype=float), rel=1e-6)


def test_npz_integers_are_no_weights(tmp_path, noisy, destination):
    (tmp_path / "models").mkdir()
    path = tmp_path / "models/m.npz"
    arrays = {"w": RNG.normal(size=(50, 50)), "b": RNG.normal(size=50).astype(">f4"), "ids": np.arange(9)}
    np.savez(path, **arrays)
    assert noisy("weights", path.parent, destination, "--std", "5%").status == 0
    with np.load(destination / "m.npz") as new:
        np.testing.assert_array_equal(new["ids"], arrays["ids"])
        assert new["b"].dtype == ">f4"
        assert not np.array_equal(new["w"], arrays["w"])
        assert not np.array_equal(new["b"], arrays["b"])


def test_the_same_bytes_for_any_number_of_jobs_and_verify_makes_them_again(model, noisy, destination, tmp_path, tree):
    for number in range(5):
        (model.parent / f"{number}.safetensors").write_bytes(model.read_bytes())
    noisy("weights", model.parent, destination, "--std", "1%..5%", "--copies", "2", "-j", "1")
    noisy("weights", model.parent, tmp_path / "two", "--std", "1%..5%", "--copies", "2", "-j", "2")
    assert tree(destination) == tree(tmp_path / "two")
    assert noisy("verify", destination, "--recompute", model.parent).status == 0
    again = noisy("weights", model.parent, destination, "--std", "1%..5%", "--copies", "2", "--json")
    assert (again.summary["made"], again.summary["kept"]) == (0, 12)
    broken = destination / "3-2.safetensors"
    broken.write_bytes(broken.read_bytes()[:-1] + b"\x42")
    assert noisy("verify", destination).status == 1


def test_one_file_and_pipes(model, noisy, spawn, tmp_path):
    new = tmp_path / "noisy.safetensors"
    assert noisy("weights", model, new, "--std", "5%").status == 0
    assert not np.array_equal(read(new)["wide.weight"], read(model)["wide.weight"])
    process = spawn("weights", "-", "-", "--std", "5%", stdin=-1)
    piped, _ = process.communicate(model.read_bytes())
    assert (process.returncode, len(piped)) == (0, model.stat().st_size)
    assert piped != model.read_bytes()


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".bin", ".ckpt", ".pkl", ".PT"])
def test_pickles_are_skipped_by_name_with_a_way_out(suffix, model, noisy, destination, errors):
    pickle = model.with_suffix(suffix)
    pickle.write_bytes(b"\x80\x02}q\x00.")
    assert noisy("weights", model.parent, destination, "--std", "5%").status == 0
    problem = errors(destination)[pickle.name]
    assert (problem["status"], problem["reason"]) == ("skipped", "unsupported-format")
    assert "save_file" in problem["message"]
    refused = noisy("weights", pickle, model.with_name("new.safetensors"), "--std", "5%")
    assert refused.status == 2
    assert "save_file" in refused.err


def test_pickles_beside_pictures_are_side_files(pictures, noisy, destination):
    (pictures / "labels.pkl").write_bytes(b"labels")
    done = noisy("images", pictures, destination, "--std", "25", "--sidecars", "copy", "--json")
    assert (destination / "labels.pkl").read_bytes() == b"labels"
    assert done.summary["other_kinds"] == {}


@pytest.mark.slow
def test_the_way_out_of_a_pickle_works(tmp_path):
    torch = pytest.importorskip("torch", reason="needs torch: the extra named recipes")
    pytest.importorskip("safetensors", reason="needs safetensors: the extra named test")
    from noisecli.codecs import PICKLE_WAY_OUT

    tied = torch.ones(3)
    torch.save({"a": tied, "b": tied, "c": torch.zeros(4, 4).T}, tmp_path / "model.pt")
    program = PICKLE_WAY_OUT.partition("python -c ")[2].strip('"')
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], cwd=tmp_path, check=True, timeout=600)
    assert (tmp_path / "model.safetensors").stat().st_size > 100


def test_a_missing_library_is_named_with_the_extra_that_brings_it(tmp_path, spawned, model, destination, errors):
    (model.parent / "m.weights.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    (tmp_path / "hide").mkdir()
    (tmp_path / "hide/h5py.py").write_text("raise ImportError('not here')\n")
    environment = {"PYTHONPATH": f"{tmp_path}/hide:{':'.join(filter(None, sys.path))}"}
    done = spawned("weights", model.parent, destination, "--std", "5%", environment=environment)
    assert done.status == 1
    assert "pip install h5py" in errors(destination)["m.weights.h5"]["message"]
    assert (destination / "m.safetensors").exists()
