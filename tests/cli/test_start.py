"""The first moments: workers' server starts before the command line is read; ^C is quiet from the first line on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from noisecli.__main__ import start_early
from noisecli.engines import forkserver
from noisecli.kinds import KINDS


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(3):
        cv2.imwrite(str(folder / f"{number}.png"), np.full((8, 8), 99, np.uint8))
    return folder


@pytest.fixture
def warmed(monkeypatch):
    modules = []
    monkeypatch.setattr(forkserver, "warm_up", modules.append)
    return modules


@pytest.mark.parametrize("kind", ["images", "audio", "arrays", "weights", "adversarial"])
def test_a_batch_run_starts_its_server_early(kind, warmed, pictures, tmp_path):
    start_early([kind, str(pictures), str(tmp_path / "noisy"), "--std", "25"])
    assert warmed == [KINDS[kind].modules]


@pytest.mark.parametrize(
    "words",
    [
        ["images"],
        ["images", "PICTURES", "DST"],
        ["images", "PICTURES", "DST", "--help"],
        ["images", "PICTURES", "DST", "--std", "25", "--dry-run"],
        ["images", "PICTURES/0.png", "DST", "--std", "25"],
        ["images", "-", "-", "--std", "25"],
        ["verify", "PICTURES", "DST", "--json"],
        ["export", "PICTURES", "--to", "csv"],
        ["no-command", "PICTURES", "DST", "--std", "25"],
    ],
)
def test_what_needs_no_workers_starts_none(words, warmed, pictures, tmp_path):
    places = {"PICTURES": str(pictures), "PICTURES/0.png": str(pictures / "0.png"), "DST": str(tmp_path / "noisy")}
    start_early([places.get(word, word) for word in words])
    assert warmed == []


def test_a_second_run_may_find_nothing_to_do(warmed, pictures, tmp_path):
    (tmp_path / "manifest.jsonl").touch()
    start_early(["images", str(pictures), str(tmp_path), "--std", "25"])
    assert warmed == []


def loaded_by_children(pid: int) -> str:
    """Return what the children of a process have mapped, by its files' names."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        return "".join(Path(f"/proc/{child}/maps").read_text(encoding="utf-8") for child in children)
    except OSError:
        return ""


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="/proc: needs Linux")
@pytest.mark.parametrize("library", ["python", "_multiarray_umath", "cv2"])
def test_interrupted_while_it_loads(library, pictures, tmp_path):
    """To the whole group, as a terminal does it: the server, still loading, says nothing either, and goes."""
    command = [sys.executable, "-m", "noisecli", "images", str(pictures), str(tmp_path / "noisy"), "--std", "25"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True, text=True)
    while process.poll() is None and library not in loaded_by_children(process.pid):
        pass
    os.killpg(process.pid, signal.SIGINT)
    said = process.communicate()[1]
    assert process.returncode in (-signal.SIGINT, 130)
    assert "Traceback" not in said


def test_a_worker_whose_parent_went_on_without_it_says_nothing(tmp_path):
    """After ^C the journal is gone that a worker, only now at its first line, would hold."""
    program = (
        "import sys\n"
        "from multiprocessing import Pipe\n"
        "from noisecli.engines import Job, process\n"
        "ours, theirs = Pipe()\n"
        "ours.close()\n"
        "process.serve(theirs, Job('noisecli.workers.worker:Making', (None, (sys.argv[1], (0, 0)), ''), ()))\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "gone")]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=600)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(("stop", "status"), [("KeyboardInterrupt()", 130), ("cli.Interrupted(15)", 143)])
def test_interrupted_while_a_class_is_made(stop, status):
    """Python 3.11 wraps what comes out of __set_name__: dataclasses are full of it while modules load."""
    program = f"""
import noisecli.cli as cli
class Field:
    def __set_name__(self, owner, name):
        raise {stop}
def load(*_, **__):
    type("Settings", (), {{"output": Field()}})
cli.cli.main = load
cli.main()
"""
    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True, timeout=600)
    assert done.returncode == status
    assert done.stderr.startswith("noisecli: stopped by SIG")


def test_no_arguments_print_the_help(noisy):
    done = noisy()
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("Usage: noisecli")
    assert "\n  images " in done.out
