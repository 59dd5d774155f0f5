"""Folders of arrays, and noisecli on them."""

import numpy as np
import pytest


@pytest.fixture
def features(tmp_path):
    """Return a source folder of arrays of several types."""
    source, rng = tmp_path / "src", np.random.default_rng(5)
    (source / "deep").mkdir(parents=True)
    np.save(source / "a.npy", rng.normal(3, 2, (400, 5)).astype(np.float32))
    np.save(source / "deep/b.npy", rng.integers(0, 200, (300, 4), dtype=np.uint8))
    np.save(source / "c.npy", np.asfortranarray(rng.normal(0, 1, (50, 40))))
    labels = rng.integers(0, 10, 100)
    np.savez(source / "d.npz", x=rng.normal(0, 1, (100, 8)), y=labels, names=np.array(["one", "two"]))
    np.savez_compressed(source / "e.npz", x=rng.normal(0, 1, (100, 8)).astype(np.float16), y=labels)
    return source


@pytest.fixture
def arrays(noisy, features, destination):
    """Run `noisecli arrays src dst` with more arguments; --std 0.5 unless a level is among them."""

    def run(*arguments, source=features, to=destination):
        level = () if {"--std", "--var", "--snr-db"} & set(map(str, arguments)) else ("--std", "0.5")
        return noisy("arrays", source, to, *level, *arguments)

    return run


@pytest.fixture
def one_array(arrays, tmp_path):
    """Save an array as .npy, have noise put on it, load what came out."""

    def run(array, *arguments, name="a.npy"):
        source = tmp_path / "one"
        source.mkdir(exist_ok=True)
        np.save(source / name, array)
        # integers in one row are labels, unless they are asked for
        done = arrays("--include", name, *arguments, source=source)
        assert done.status == 0, done
        return np.load(tmp_path / "dst" / name)

    return run


@pytest.fixture
def archive(tmp_path):
    """Write an archive into a source folder of its own."""

    def write(compressed=False, **members):
        source = tmp_path / "archive"
        source.mkdir(exist_ok=True)
        (np.savez_compressed if compressed else np.savez)(source / "a.npz", **members)
        return source

    return write
