"""noisecli export of adversarial runs."""

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


def test_archives_are_not(one_backend, models, adversarial, noisy, destination, tmp_path):
    (tmp_path / "src").mkdir()
    np.savez(tmp_path / "src/a.npz", x=np.full((3, 8, 8, 1), 99, np.uint8), y=np.arange(3))
    assert adversarial(models["grey"]).status == 0
    done = noisy("export", destination, "--to", "hf")
    assert done.status == 2
    assert "a.npz: is an archive" in done.err
    assert not (destination / "metadata.jsonl").exists()
