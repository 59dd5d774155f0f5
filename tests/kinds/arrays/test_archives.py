"""Archives of several arrays: which of them get noise, and that the others stay as they were."""

import io
import zipfile

import numpy as np
import pytest


def raw(path, name):
    """A member as it is stored: its compressed bytes, its date and its checksum."""
    with zipfile.ZipFile(path) as file:
        info = file.getinfo(name)
        data = path.read_bytes()
        start = info.header_offset + 30
        start += int.from_bytes(data[start - 4 : start - 2], "little") + int.from_bytes(
            data[start - 2 : start], "little"
        )
        return data[start : start + info.compress_size], info.date_time, info.CRC, info.compress_type


def load(path):
    with np.load(path) as file:
        return dict(file)


X, Y = np.random.default_rng(0).normal(0, 1, (60, 7)), np.arange(60) % 10


@pytest.mark.parametrize("compressed", [False, True])
def test_labels_stay_byte_for_byte(arrays, archive, rows, destination, compressed):
    source = archive(compressed, x=X, y=Y, names=np.array(["a", "b"]), flag=np.array([True]), rate=np.float64(16000))
    done = arrays(source=source)
    assert done.status == 0
    assert "stay as they are" in done.err
    for member in ("y.npy", "names.npy", "flag.npy", "rate.npy"):
        assert raw(destination / "a.npz", member) == raw(source / "a.npz", member)
    with np.load(destination / "a.npz") as made, zipfile.ZipFile(destination / "a.npz") as file:
        assert list(made) == ["x", "y", "names", "flag", "rate"]
        assert 0.4 < (made["x"] - X).std() < 0.6
        assert file.testzip() is None
        assert file.getinfo("x.npy").compress_type == (zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED)
        assert file.getinfo("x.npy").date_time == (1980, 1, 1, 0, 0, 0)
    row = rows(destination)["a.npz"]
    assert [part["name"] for part in row["parts"]] == ["x"]
    assert row["parts_unchanged"] == 4
    assert row["warnings"] == ["integers-kept"]


@pytest.mark.parametrize(
    ("members", "chosen"),
    [
        ({"x": X, "y": Y}, {"x"}),
        ({"x": Y}, {"x"}),
        ({"x": X, "rate": np.float32(8000)}, {"x"}),
        ({"x": np.float32(1)}, {"x"}),
    ],
    ids=["floats and integers", "integers alone", "a single number beside", "a single number alone"],
)
def test_without_keys_only_what_is_plain(arrays, archive, rows, destination, members, chosen):
    assert arrays("--std", "5", source=archive(**members)).status == 0
    assert {part["name"] for part in rows(destination)["a.npz"]["parts"]} == chosen


@pytest.mark.parametrize(
    "members",
    [{"observations": X, "rewards": X[:, 0]}, {"images": Y, "labels": Y}],
    ids=["two of floats", "two of integers"],
)
def test_without_keys_what_may_be_labels_fails_by_name(arrays, archive, errors, destination, members):
    done = arrays(source=archive(**members))
    assert done.status == 1
    assert errors(destination)["a.npz"]["reason"] == "ambiguous"
    assert all(name in done.err for name in [*members, "--key"])


@pytest.mark.parametrize(
    ("globs", "chosen"),
    [(["x_*"], {"x_train", "x_test"}), (["x_train", "y"], {"x_train", "y"}), (["*"], {"x_train", "x_test", "y"})],
)
def test_keys_choose(arrays, archive, rows, destination, globs, chosen):
    source = archive(x_train=X, x_test=X + 1, y=Y, text=np.array(["a"]))
    words = [word for glob in globs for word in ("--key", glob)]
    assert arrays(*words, "--std", "3", source=source).status == 0
    assert {part["name"] for part in rows(destination)["a.npz"]["parts"]} == chosen
    made, clean = load(destination / "a.npz"), load(source / "a.npz")
    assert {name for name in ("x_train", "x_test", "y") if (made[name] != clean[name]).any()} == chosen


@pytest.mark.parametrize("glob", ["z", "text"])
def test_a_key_that_chooses_nothing_fails_by_name(arrays, archive, errors, destination, glob):
    done = arrays("--key", glob, source=archive(x=X, text=np.array(["a"])))
    assert (done.status, errors(destination)["a.npz"]["reason"]) == (1, "no-match")
    assert "x (<f8, 60x7)" in done.err


def test_noise_of_one_array_does_not_depend_on_others(arrays, archive, tmp_path):
    source = archive(x=X, z=X)
    made = {}
    for number, words in enumerate((["--key", "x"], ["--key", "x", "--key", "z"])):
        assert arrays(*words, source=source, to=tmp_path / str(number)).status == 0
        made[number] = load(tmp_path / str(number) / "a.npz")
    assert (made[0]["x"] == made[1]["x"]).all()
    assert (made[1]["x"] != made[1]["z"]).all()


def test_levels_of_one_output_are_drawn_once(arrays, archive, rows, destination):
    """One share for all arrays of a file; each has its own std."""
    assert arrays("--std", "5..50%", "--key", "*", source=archive(x=X, z=10 * X)).status == 0
    row = rows(destination)["a.npz"]
    small, large = (part["std"] for part in row["parts"])
    assert large == pytest.approx(10 * small, rel=1e-6)
    assert small == pytest.approx(row["std_fraction"] * X.std(), rel=1e-6)


def test_chance_is_of_the_file(arrays, archive, tree, destination):
    source = archive(x=X, z=X)
    assert arrays("--prob", "0", "--key", "*", source=source).status == 0
    with np.load(destination / "a.npz") as made:
        assert (made["x"] == X).all()
        assert (made["z"] == X).all()


def test_another_type_for_the_arrays_chosen(arrays, archive, rows, destination):
    source = archive(x=X.astype(">f8"), y=Y)
    assert arrays("--dtype", "float32", "--with-clean", source=source).status == 0
    with np.load(destination / "noisy/a.npz") as noisy, np.load(destination / "clean/a.npz") as clean:
        assert noisy["x"].dtype == clean["x"].dtype == np.dtype(">f4")
        assert (clean["x"] == X.astype(np.float32)).all()
        assert (noisy["y"] == Y).all()
        assert noisy["y"].dtype == Y.dtype
    assert rows(destination)["noisy/a.npz"]["parts"][0]["dtype"] == ">f4"


def test_other_members_are_carried(arrays, archive, destination):
    source = archive(x=X)
    with zipfile.ZipFile(source / "a.npz", "a") as file:
        file.writestr("notes.txt", "read me")
        file.comment = b"a comment"
    assert arrays(source=source).status == 0
    with zipfile.ZipFile(destination / "a.npz") as file:
        assert file.read("notes.txt") == b"read me"
        assert file.comment == b"a comment"


def test_python_objects_are_carried_never_loaded(arrays, archive, destination):
    source = archive(x=X, extra=np.array([{"a": 1}], object))
    assert arrays(source=source).status == 0
    assert raw(destination / "a.npz", "extra.npy") == raw(source / "a.npz", "extra.npy")


def test_sizes_behind_the_data_are_written_before_it(arrays, archive, destination):
    """Archives written to a pipe tell sizes only behind each member."""

    class Pipe(io.BytesIO):
        def seekable(self):
            return False

        def seek(self, *_):
            raise io.UnsupportedOperation

        def tell(self):
            raise io.UnsupportedOperation

    source, buffer, pipe = archive(x=X), io.BytesIO(), Pipe()
    np.save(buffer, Y)
    with zipfile.ZipFile(source / "a.npz") as old, zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("x.npy", old.read("x.npy"))
        file.writestr("y.npy", buffer.getvalue())
    (source / "a.npz").write_bytes(pipe.getvalue())
    assert arrays(source=source).status == 0
    with np.load(destination / "a.npz") as made:
        assert (made["y"] == Y).all()
        assert (made["x"] != X).all()
