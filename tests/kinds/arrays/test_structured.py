"""Structured arrays: their fields are named, chosen with --key, and nothing else of a record changes."""

import numpy as np
import pytest

COUNT = 3000
DTYPE = [
    ("pos", ">f4", (3,)),
    ("", "V5"),
    ("id", "<i8"),
    ("温度", [("now", "<f8"), ("text", "<U4")]),
    ("iq", "<c8"),
]


def save(how, path, array):
    if how == "npz":
        np.savez(path, y=np.arange(10), R=array)
    elif how == "packed npz":
        np.savez_compressed(path, y=np.arange(10), R=array)
    else:
        np.save(path, array)


@pytest.fixture(params=["npy", "npz", "packed npz", "Fortran"])
def records(request, tmp_path):
    """Save structured arrays; return their folder, how to load one, and what its fields' names begin with."""
    rng, source = np.random.default_rng(4), tmp_path / "records"
    source.mkdir()
    header = np.lib.format.descr_to_dtype(DTYPE)
    # padding, too, has bytes
    array = np.frombuffer(rng.bytes(COUNT * header.itemsize), header).copy()
    for name, values in (("pos", rng.normal(size=(COUNT, 3))), ("id", np.arange(COUNT)), ("iq", 1 + 1j)):
        array[name] = values
    array["温度"] = [(number, "abcd") for number in rng.normal(5, 2, COUNT)]
    array = array.reshape(60, 50)
    name, prefix = ("a.npz", "R.") if "npz" in request.param else ("a.npy", "")
    array = np.asfortranarray(array) if request.param == "Fortran" else array
    with pytest.warns(UserWarning, match=r"format 3\.0"):
        save(request.param, source / name, array)

    def load(folder):
        found = np.load(folder / name)
        return found["R"] if prefix else found

    return source, load, prefix, name


def words(*keys):
    return [word for key in keys for word in ("--key", key)]


def test_a_structured_array_asks_for_a_field(arrays, records, errors, destination):
    source, _, prefix, name = records
    done = arrays(source=source)
    problem = errors(destination)[name]
    assert problem["reason"] == ("ambiguous" if prefix else "unsupported-samples")
    if not prefix:
        assert "is structured; choose a field that gets noise: --key NAME" in problem["message"]
    for field in ("pos (>f4, 60x50x3)", "id (<i8, 60x50)", "温度.now (<f8, 60x50)", "温度.text (<U4, 60x50)"):
        assert f"{prefix}{field}" in done.err


@pytest.mark.parametrize("fields", [["pos"], ["温度.now", "iq"], ["id"]], ids="+".join)
def test_the_fields_chosen_get_noise_and_no_other_byte(arrays, records, rows, destination, noisy, fields):
    source, load, prefix, name = records
    keys = words(*(prefix + field for field in fields))
    assert arrays(*keys, "--std", "2", "--with-clean", source=source).status == 0
    clean, made = load(source), load(destination / "noisy")
    assert load(destination / "clean").tobytes() == clean.tobytes()
    assert (made.dtype, made.shape, made.flags.f_contiguous) == (clean.dtype, clean.shape, clean.flags.f_contiguous)
    parts = {part["name"]: part for part in rows(destination)[f"noisy/{name}"]["parts"]}
    assert set(parts) == {prefix + field for field in fields}
    for field in fields:
        old, new = clean, made
        for step in field.split("."):
            old, new = old[step], new[step]
        noise = new.astype(complex) - old.astype(complex)
        assert noise.real.std() == pytest.approx(2, rel=0.1)
        assert parts[prefix + field]["shape"] == list(old.shape)
        new[...] = old
    assert made.tobytes() == clean.tobytes()
    assert noisy("verify", destination, "--recompute", source).status == 0


def test_percent_is_of_each_fields_own_std(arrays, records, rows, destination):
    source, load, prefix, name = records
    assert arrays(*words(f"{prefix}*"), "--std", "10%", "--per-feature", source=source).status == 0
    clean, made = load(source), load(destination)
    assert (made["pos"] - clean["pos"]).std(axis=(0, 1)) == pytest.approx(0.1 * clean["pos"].std(axis=(0, 1)), rel=0.1)
    stds = {part["name"]: part["std"] for part in rows(destination)[name]["parts"]}
    assert stds[f"{prefix}iq"] == 0
    assert (made["温度"]["text"] == "abcd").all()


def test_fields_keep_their_type(arrays, records, errors, destination):
    source, _, prefix, name = records
    assert arrays(*words(f"{prefix}id"), "--dtype", "float32", source=source).status == 1
    assert errors(destination)[name]["reason"] == "no-encoder"
    assert "omit --dtype" in errors(destination)[name]["message"]


def test_large_arrays_are_written_record_by_record(arrays, tmp_path, destination):
    """More than one block, in which no record is cut."""
    source = tmp_path / "large"
    source.mkdir()
    array = np.zeros(40_000, [("a", "V40"), ("b", "<f4", (7,))])
    array["a"] = np.frombuffer(np.random.default_rng(0).bytes(40 * 40_000), "V40")
    np.save(source / "a.npy", array)
    assert arrays("--key", "b", "--std", "1", source=source).status == 0
    made = np.load(destination / "a.npy")
    assert (made["a"] == array["a"]).all()
    assert np.unique(made["b"]).size > 0.9 * made["b"].size
    assert made["b"].std() == pytest.approx(1, rel=0.01)


def test_names_that_would_be_there_twice_leave_the_array_whole(arrays, tmp_path, errors, destination):
    source = tmp_path / "twice"
    source.mkdir()
    array = np.zeros(5, "f4,f4")
    np.savez(source / "a.npz", **{"R": array, "R.f0": np.ones(100)})
    assert arrays("--key", "*", source=source).status == 0
    with np.load(destination / "a.npz") as made:
        assert (made["R"] == array).all()
        assert (made["R.f0"] != 1).all()
    np.save(source / "b.npy", np.zeros(5, [("a.b", "f4"), ("a", [("b", "f4")])]))
    assert arrays("--key", "*", source=source, to=tmp_path / "again").status == 0
    assert "noise is for integers" in errors(tmp_path / "again")["b.npy"]["message"]


def test_weights_leave_records_whole(noisy, tmp_path, rows, destination):
    source = tmp_path / "weights"
    source.mkdir()
    np.savez(source / "a.npz", R=np.zeros(5, "f4,f4"), w=np.ones(9), c=np.ones(9, complex))
    assert noisy("weights", source, destination, "--std", "0.1").status == 0
    assert [part["name"] for part in rows(destination)["a.npz"]["parts"]] == ["w"]
