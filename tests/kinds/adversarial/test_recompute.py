"""verify --recompute --model takes the gradient step of a finished run once more, and finds what is another."""

import hashlib
import json

import cv2
import numpy as np
import pytest

pytestmark = pytest.mark.slow


@pytest.fixture
def recompute(noisy, destination, tmp_path):
    """Run `noisecli verify dst --recompute src --model M`."""

    def run(model, *arguments, source=tmp_path / "src"):
        return noisy("verify", destination, "--recompute", source, "--model", model.path, "--json", *arguments)

    return run


def edit_rows(destination, change):
    path = destination / "manifest.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(change(row) or row) + "\n" for row in rows))


def reasons(done):
    return {entry["file_name"]: entry["reason"] for entry in done.summary["differences"]}


def test_images_come_out_byte_for_byte_in_their_own_batches(
    backend, models, fill_classes, adversarial, recompute, destination, tmp_path
):
    """Levels, copies, chance and clean twins; a batch that is no divisor of the number of images; a broken one."""
    fill_classes(models["grey"])
    (tmp_path / "src/ant/0broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno more")
    words = ("--batch-size", "5", "--copies", "2", "--std", "1%,2..8%", "--prob", "70%", "--mean", "2", "--with-clean")
    assert adversarial(models["grey"], *words).status == 1
    done = recompute(models["grey"])
    assert (done.status, done.summary["remade"], done.summary["not_comparable"]) == (0, 48, 0), done.err
    # without the others of its batch, and in colours, an image is the same
    image = tmp_path / "src/ant/1.png"
    image.write_bytes(cv2.imencode(".png", 255 - cv2.imread(str(image), 0))[1].tobytes())
    done = recompute(models["grey"])
    assert (done.status, done.summary["remade"]) == (1, 44)
    assert set(reasons(done).values()) == {"source-changed"}


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_colours_and_what_is_lossy(one_backend, models, fill_classes, adversarial, recompute, suffix):
    fill_classes(models["colour"], suffix=suffix)
    assert adversarial(models["colour"], "--snr-db", "10..20").status == 0
    done = recompute(models["colour"])
    assert (done.status, done.summary["remade"]) == (0, 12), done.err


def test_archives_too(backend, models, adversarial, recompute, tmp_path, destination, noisy):
    model, rng = models["grey"], np.random.default_rng(5)
    (tmp_path / "src").mkdir()
    for name, dtype in (("a", np.uint8), ("b", np.float32)):
        x = (rng.random((70, *model.shape)) * (255 if dtype is np.uint8 else 1)).astype(dtype)
        np.savez(tmp_path / "src" / f"{name}.npz", x=x, y=rng.integers(0, 3, 70))
    assert adversarial(model, "--copies", "2", "--with-clean").status == 0
    done = recompute(model)
    assert (done.status, done.summary["remade"]) == (0, 4), done.err
    versions = json.loads((destination / "run.json").read_text())
    versions["versions"]["keras"] = "0.1"
    (destination / "run.json").write_text(json.dumps(versions))
    done = recompute(model)
    assert (done.status, done.summary["remade"]) == (0, 4), done.err


def test_another_step_or_place_is_found(one_backend, models, fill_classes, adversarial, recompute, destination, noisy):
    """What a digest in the row agrees with, but no step gave."""
    fill_classes(models["grey"])
    assert adversarial(models["grey"]).status == 0

    def change(row):
        if row["file_name"] == "ant/1.png":
            path = destination / row["file_name"]
            image = cv2.imread(str(path), 0)
            path.write_bytes(cv2.imencode(".png", 255 - image)[1].tobytes())
            data = path.read_bytes()
            return row | {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        if row["file_name"] == "ant/2.png":
            return row | {"place": 99}
        if row["file_name"] == "ant/3.png":
            return row | {"answer_after": 7}
        return row

    edit_rows(destination, change)
    done = recompute(models["grey"])
    assert done.status == 1
    assert reasons(done) == {"ant/1.png": "noise-differs", "ant/2.png": "bad-row", "ant/3.png": "row-differs"}
    assert "the last bits of a gradient" in done.err
    # by samples, where another version made them
    run = json.loads((destination / "run.json").read_text())
    run["versions"]["torch"] = "0.1"
    (destination / "run.json").write_text(json.dumps(run))
    assert reasons(recompute(models["grey"])) == {"ant/1.png": "noise-differs", "ant/2.png": "bad-row"}


def test_another_model_is_refused_by_its_digest(
    one_backend, models, fill_classes, adversarial, recompute, noisy, destination
):
    fill_classes(models["grey"])
    assert adversarial(models["grey"]).status == 0
    refused = recompute(models["binary"])
    assert refused.status == 2
    assert "is another model (sha256 " in refused.err
    own = json.loads((destination / "run.json").read_text())["settings"]
    assert next(iter(own.values()))["adversary"]["model_sha256"][:12] in refused.err
