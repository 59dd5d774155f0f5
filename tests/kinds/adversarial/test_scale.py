"""noisecli adversarial on samples whose black and white are said: signed images, archives of 12 bits in 16."""

import cv2
import numpy as np
import pytest

pytestmark = pytest.mark.slow

LOW, HIGH = -1024, 3071


@pytest.fixture
def hounsfield(models, tmp_path):
    """Write a signed image into each of three class folders; return them, and the classes' numbers."""
    pictures = np.random.default_rng(16).integers(LOW, HIGH + 1, (3, 8, 8)).astype(np.int16)
    for folder, picture in zip(("ant", "bee", "cow"), pictures, strict=True):
        (tmp_path / "src" / folder).mkdir(parents=True)
        (tmp_path / "src" / folder / "a.tiff").write_bytes(cv2.imencode(".tiff", picture)[1].tobytes())
    return pictures, np.arange(3)


def test_signed_images_in_their_range(one_backend, models, hounsfield, adversarial, samples, errors, rows, destination):
    model, (pictures, labels) = models["grey"], hounsfield
    assert adversarial(model, "--eps", "10%", "--std", "0").status == 0
    assert {entry["reason"] for entry in errors(destination).values()} == {"unsupported-samples"}
    assert all("--range LO..HI" in entry["message"] for entry in errors(destination).values())
    assert adversarial(model, "--eps", "10%", "--std", "0", "--range", f"{LOW}..{HIGH}").status == 0
    signs = model.signs((pictures - float(LOW)) / (HIGH - LOW), labels)
    expected = np.rint(pictures + 0.1 * (HIGH - LOW) * signs).clip(LOW, HIGH)
    made = np.stack([samples(destination / folder / "a.tiff") for folder in ("ant", "bee", "cow")])
    assert np.array_equal(made, expected)
    assert all((row["eps"], row["applied"]) == (409.5, False) for row in rows(destination).values())


def test_an_archive_of_12_bits_in_16(one_backend, models, adversarial, errors, rows, tmp_path, destination):
    model = models["grey"]
    x = np.random.default_rng(17).integers(0, 4096, (20, *model.shape)).astype(np.uint16)
    y = np.arange(20) % 3
    (tmp_path / "src").mkdir()
    np.savez(tmp_path / "src/a.npz", x=x, y=y)
    assert adversarial(model, "--eps", "10%", "--std", "0", "--full-scale", "4095").status == 0
    expected = np.rint(x + 409.5 * model.signs(x / 4095, y)).clip(0, 4095)
    with np.load(destination / "a.npz") as made:
        assert np.array_equal(made["x"], expected)
    assert rows(destination)["a.npz"]["eps"] == 409.5
    np.savez(tmp_path / "src/a.npz", x=(x / 4095).astype("f4"), y=y)
    assert adversarial(model, "--full-scale", "4095").status == 1
    assert "which --input-range says" in errors(destination)["a.npz"]["message"]


def test_noise_that_rounding_takes_away_is_not_applied(one_backend, models, adversarial, rows, tmp_path, destination):
    model = models["grey"]
    x = np.random.default_rng(18).integers(0, 256, (20, *model.shape)).astype(np.uint8)
    (tmp_path / "src").mkdir()
    np.savez(tmp_path / "src/a.npz", x=x, y=np.arange(20) % 3)
    done = adversarial(model, "--eps", "8", "--std", "0.02/255")
    row = rows(destination)["a.npz"]
    assert (row["applied"], row["measured_std"] > 0) == (False, True)
    assert "rounding takes all of it away: a higher level changes them" in done.err
