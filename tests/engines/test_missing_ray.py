"""Without Ray."""

import os
import subprocess
import sys


def test_a_missing_ray_is_one_line_that_names_it(pictures, destination, tmp_path):
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "ray.py").write_text("raise ImportError('no ray')\n")
    paths = os.pathsep.join([os.fspath(tmp_path / "none"), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-m", "noisecli", "images", pictures, destination, "--std", "25", "--engine", "ray"]
    done = subprocess.run(
        command, check=False, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True, timeout=600
    )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "pip install ray" in done.stderr
    assert not destination.exists()
