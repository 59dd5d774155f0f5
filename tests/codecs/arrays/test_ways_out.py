"""Data in other formats: never copied clean, named with a line that makes an .npz of them, and that line works."""

import re
import subprocess
import sys

import numpy as np
import pytest

from noisecli.codecs.ways_out import DATA_WAYS_OUT

X = np.random.default_rng(0).normal(0, 1, (50, 3))


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "src"
    folder.mkdir()
    np.save(folder / "good.npy", X)
    return folder


@pytest.mark.parametrize("suffix", [*DATA_WAYS_OUT, ".H5"])
def test_data_in_another_format_is_named_and_not_copied(noisy, source, errors, destination, suffix):
    (source / f"data{suffix}").write_bytes(b"whatever")
    done = noisy("arrays", source, destination, "--std", "0.5", "--sidecars", "copy")
    assert done.status == 0
    problem = errors(destination)[f"data{suffix}"]
    assert (problem["status"], problem["reason"]) == ("skipped", "unsupported-format")
    assert "np.savez('data.npz'" in problem["message"]
    assert not (destination / f"data{suffix}").exists()


def test_what_is_excluded_is_a_side_file(noisy, source, destination):
    (source / "labels.pkl").write_bytes(b"labels")
    words = ("--std", "0.5", "--exclude", "*.pkl", "--sidecars", "copy")
    assert noisy("arrays", source, destination, *words).status == 0
    assert (destination / "labels.pkl").read_bytes() == b"labels"


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (b"\x89HDF\r\n\x1a\n", "is HDF5"),
        (b"MATLAB 5.0 MAT-file", "MATLAB"),
        (b"PAR1", "table of columns"),
        (b"\x80\x04\x95", "may run code"),
    ],
)
def test_the_content_tells_too(noisy, source, errors, destination, start, words):
    (source / "bad.npy").write_bytes(start + bytes(100))
    assert noisy("arrays", source, destination, "--std", "0.5").status == 0
    assert words in errors(destination)["bad.npy"]["message"]


def recipe(suffix):
    [code] = re.findall(r'python -c "(.*)"', DATA_WAYS_OUT[suffix])
    return code


def converted(folder, suffix):
    subprocess.run([sys.executable, "-c", recipe(suffix)], cwd=folder, check=True)
    with np.load(folder / "data.npz") as made:
        return dict(made)


def test_the_line_for_matlab_works(tmp_path):
    from scipy import io

    io.savemat(tmp_path / "data.mat", {"x": X, "y": np.arange(5)})
    made = converted(tmp_path, ".mat")
    assert set(made) == {"x", "y"}
    assert (made["x"] == X).all()


def test_the_line_for_hdf5_works(tmp_path):
    """As in D4RL: data sets, some in groups, and single words."""
    h5py = pytest.importorskip("h5py", reason="the extra 'weights' is not installed")
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["observations"], file["infos/qpos"], file["metadata/algorithm"] = X, X[:, 0], "SAC"
    made = converted(tmp_path, ".h5")
    assert set(made) == {"observations", "infos/qpos", "metadata/algorithm"}
    assert (made["observations"] == X).all()


def test_the_line_for_parquet_works(tmp_path):
    pandas = pytest.importorskip("pandas", reason="the extra 'readers' is not installed")
    pytest.importorskip("pyarrow", reason="the extra 'readers' is not installed")
    pandas.DataFrame({"x": X[:, 0], "y": np.arange(50)}).to_parquet(tmp_path / "data.parquet")
    made = converted(tmp_path, ".parquet")
    assert (made["x"] == X[:, 0]).all()


def test_the_line_for_tensors_works(tmp_path):
    torch = pytest.importorskip("torch", reason="the extra 'recipes' is not installed")
    torch.save({"x": torch.tensor(X)}, tmp_path / "data.pt")
    assert (converted(tmp_path, ".pt")["x"] == X).all()
