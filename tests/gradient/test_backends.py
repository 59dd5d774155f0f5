"""Everything that a backend computes, on each of them, in a process of its own."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parent / "on_one_backend.py"


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_the_gradient_step(backend, tmp_path):
    for package in ("keras", backend):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed: pip install '.[recipes]'")
    # Keras's torch backend calls numpy in a way that numpy 2 warns of
    options = ["-W", "default::DeprecationWarning", "-p", "no:cacheprovider", "-p", "no:xdist", "-rA"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", PAGE, *options],
        check=False,
        cwd=PAGE.parent.parent.parent,
        env={**os.environ, "KERAS_BACKEND": backend, "KERAS_HOME": os.fspath(tmp_path)},
        capture_output=True,
        text=True,
        timeout=3600,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert "skipped" not in done.stdout.rpartition("\n=")[2]
