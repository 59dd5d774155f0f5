"""A Ray that noisecli starts itself, on this machine alone: it goes with the run."""

import os
import signal
import tempfile

import pytest


@pytest.fixture
def started(spawn, tmp_path):
    """Start noisecli where there is no cluster."""
    with tempfile.TemporaryDirectory(prefix="nr-", dir="/tmp", ignore_cleanup_errors=True) as folder:

        def start(*arguments, **more):
            environment = {"RAY_TMPDIR": folder, "RAY_ADDRESS": "", **more}
            return spawn(*arguments, "--engine", "ray", environment=environment)

        yield start


def test_a_ray_is_started_and_ends_with_the_run(started, session_of, noisy, tree, pictures, destination, tmp_path):
    process = started("images", pictures, destination, "--std", "25", "-q", "-j", "1")
    assert process.communicate() == (b"", b"")
    assert (process.returncode, session_of(process.pid)) == (0, [])
    assert noisy("images", pictures, tmp_path / "local", "--std", "25").status == 0
    assert tree(destination) == tree(tmp_path / "local")


def test_a_started_ray_goes_with_a_killed_run(started, session_of, wait_until, fill, made_in, destination, tmp_path):
    source = fill(tmp_path / "in", *(f"{n:03}.png" for n in range(300)))
    process = started("images", source, destination, "--std", "25")
    wait_until(lambda: made_in(destination) > 20 or process.poll() is not None, "so many outputs")
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    wait_until(lambda: not session_of(process.pid), "all processes of the run are gone")


def test_memory_that_always_runs_out_fails_the_files(started, errors, destination, fill, tmp_path):
    """Ray's monitor ends every worker at once, and would retry without end."""
    source = fill(tmp_path / "in", "a.png", "b.png")
    limits = {"RAY_memory_usage_threshold": "0.001", "RAY_memory_monitor_refresh_ms": "20"}
    process = started("images", source, destination, "--std", "25", **limits)
    _, err = process.communicate()
    assert process.returncode == 1, err
    assert {entry["reason"] for entry in errors(destination).values()} == {"out-of-memory"}
    assert len(errors(destination)) == 2
