"""The README's lines about noisecli adversarial run as they stand, for somebody who has such pictures and models."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.slow

README = (Path(__file__).parents[3] / "README.md").read_text()


def test_every_line_runs(one_backend, models, noisy, monkeypatch, tmp_path):
    lines = re.findall(r"`noisecli (adversarial photos [^`]+)`", README)
    assert len(lines) == 1
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for name in ("cats", "dogs", "owls"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        Image.fromarray(rng.integers(0, 256, (6, 5, 3), np.uint8)).save(tmp_path / "photos" / name / "1.png")
    Path("m.keras").write_bytes(Path(models["colour"].path).read_bytes())
    for line in lines:
        done = noisy(*shlex.split(line, comments=True))
        assert done.status == 0, done.err
        assert "the model is right on" in done.err
    assert (tmp_path / "hard/cats/1.png").is_file()
