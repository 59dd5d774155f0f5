"""Runs over unusual TIFFs, from the command line to the row."""

import numpy as np
import pytest

FLOAT = 3


@pytest.fixture
def sources(tmp_path):
    folder = tmp_path / "tiffs"
    folder.mkdir()
    return folder


@pytest.fixture
def run(noisy, sources, destination):
    def through(*arguments, status=0):
        done = noisy("images", sources, destination, *arguments)
        assert done.status == status, done.err
        return destination

    return through


def test_near_infrared_gets_noise(run, sources, rows, tiff_file, open_picture, frames_of):
    grey = np.full((60, 50, 4), 128, np.uint8)
    for name, kind in (("bands", 0), ("opaque", 2)):
        (sources / f"{name}.tif").write_bytes(tiff_file(grey, 2, more={338: (3, [kind])}))
    destination = run("--std", "10")
    for name, std in (("bands", 10), ("opaque", 0)):
        [found] = frames_of(open_picture((destination / f"{name}.tif").read_bytes(), ".tif"))
        assert found[..., 3].std() == pytest.approx(std, rel=0.1)
    assert rows(destination)["bands.tif"]["measured_std"] == pytest.approx(10, rel=0.05)


@pytest.mark.parametrize("floats", [(), ("--dtype", "float32")])
@pytest.mark.parametrize("level", [("--std", "10"), ("--snr-db", "20")])
def test_no_data(level, floats, run, sources, rows, tiff_file, open_picture, frames_of):
    samples = np.full((60, 50), 100, np.int16)
    samples[:20] = -9999
    (sources / "a.tif").write_bytes(tiff_file(samples, 1, 2, more={42113: (2, list(b"-9999\0"))}))
    destination = run(*level, *floats, "--range", "0..1000")
    [found] = frames_of(open_picture((destination / "a.tif").read_bytes(), ".tif"))
    assert (found[:20] == -9999).all()
    assert found[20:].std() > 0
    row = rows(destination)["a.tif"]
    assert row["warnings"] == ["not-finite"]
    expected = 10 / 255 * 1000 if level[0] == "--std" else 10
    assert row["measured_std"] == pytest.approx(expected, rel=0.06)


def test_heights_with_gaps(run, sources, tiff_file, open_picture, frames_of):
    """The mark lies outside 0..1, and is no sample."""
    samples = np.full((60, 50), 0.5, np.float32)
    samples[0] = -9999
    (sources / "a.tif").write_bytes(tiff_file(samples, 1, FLOAT, more={42113: (2, list(b"-9999\0"))}))
    [found] = frames_of(open_picture((run("--std", "10") / "a.tif").read_bytes(), ".tif"))
    assert (found[0] == -9999).all()
    assert found[1:].std() == pytest.approx(10 / 255, rel=0.1)


def test_bands_of_planes_are_verified(run, noisy, sources, tiff_file):
    samples = np.random.default_rng(1).integers(0, 256, (5 * 40, 50), np.uint8)
    more = {257: (4, [40]), 258: (3, [8] * 5), 277: (3, [5]), 278: (4, [40]), 284: (3, [2]), 339: (3, [1] * 5)}
    more |= {273: (4, [8 + 2000 * plane for plane in range(5)]), 279: (4, [2000] * 5), 338: (3, [0] * 4)}
    (sources / "a.tif").write_bytes(tiff_file(samples, 1, more=more))
    destination = run("--std", "10")
    assert noisy("verify", destination, "--recompute", sources).status == 0
    assert noisy("preview", sources, destination.parent / "look.png", "--std", "25").status == 0
