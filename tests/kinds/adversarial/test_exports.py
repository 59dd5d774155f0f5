"""noisecli export of adversarial runs."""

import csv
import io
import json

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.slow


def test_images_are_exported_to_hugging_face(one_backend, models, adversarial, noisy, destination, tmp_path):
    for name in ("ant/a", "bee/b", "cow/c"):
        (tmp_path / "src" / name).parent.mkdir(parents=True)
        Image.fromarray(np.full((8, 8), 99, np.uint8)).save(tmp_path / f"src/{name}.png")
    assert adversarial(models["grey"], "--std", "0", "--with-clean").status == 0
    assert noisy("export", destination, "--to", "hf").status == 0
    for folder in ("noisy", "clean"):
        entries = [json.loads(line) for line in (destination / folder / "metadata.jsonl").read_text().splitlines()]
        assert [entry["label"] for entry in entries] == ["ant", "bee", "cow"]
        assert [entry["noisy"] for entry in entries] == [folder == "noisy"] * 3


def test_labels_and_levels_tell_of_the_step(one_backend, models, adversarial, noisy, rows, destination, tmp_path):
    for name in ("ant/a", "bee/b", "cow/c"):
        (tmp_path / "src" / name).parent.mkdir(parents=True)
        Image.fromarray(np.full((8, 8), 99, np.uint8)).save(tmp_path / f"src/{name}.png")
    assert adversarial(models["grey"], "--std", "0", "--with-clean").status == 0
    found = list(csv.DictReader(io.StringIO(noisy("export", destination, "--to", "labels").out)))
    assert [row["label"] for row in found] == ["0", "1"] * 3
    assert adversarial(models["grey"], "--std", "5..20", "--with-clean").status == 0
    assert all(row["drawn"] == row["std"] for row in rows(destination).values())


def test_archives_are_not(one_backend, models, adversarial, noisy, destination, tmp_path):
    (tmp_path / "src").mkdir()
    np.savez(tmp_path / "src/a.npz", x=np.full((3, 8, 8, 1), 99, np.uint8), y=np.arange(3))
    assert adversarial(models["grey"]).status == 0
    done = noisy("export", destination, "--to", "hf")
    assert done.status == 2
    assert "a.npz: is an archive" in done.err
    assert not (destination / "metadata.jsonl").exists()
