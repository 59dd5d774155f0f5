"""What a killed process left is removed by the next one, and never what a living one is using."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from noisecli.engines.forkserver import warm_up
from noisecli.kinds import KINDS
from noisecli.storage import OutputFile, clean_up_beside, held_prefix, write_whole
from noisecli.storage.scratch import ScratchFolder

LONG = 600
LEAVING = """
import os, sys
from noisecli.storage.scratch import ScratchFolder
from noisecli.storage import OutputFile, held_prefix
scratch = ScratchFolder()
path = scratch.__enter__()
open(os.path.join(path, "half"), "w").close()
output = OutputFile(os.path.join(sys.argv[1], "out.png"), prefix=held_prefix())
print(path, flush=True)
if sys.argv[2] == "wait":
    sys.stdin.read()
os._exit(9)
"""


@pytest.fixture
def home(monkeypatch):
    """Return the folder for temporary files, of this process and its children: a short name, as sockets have."""
    # the server of this process outlives the folder
    warm_up(KINDS["images"].modules)
    folder = Path(tempfile.mkdtemp(prefix="t-"))
    monkeypatch.setenv("TMPDIR", os.fspath(folder))
    monkeypatch.setattr("tempfile.tempdir", os.fspath(folder))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def leave(tmp_path, home):
    """Start what makes a scratch folder and a temporary file beside out.png, and never removes them."""
    started = []

    def start(how):
        command = [sys.executable, "-c", LEAVING, os.fspath(tmp_path), how]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        started.append(process)
        path = process.stdout.readline().decode().rstrip("\n")
        assert os.path.exists(os.path.join(path, "half"))
        return path, process

    yield start
    for process in started:
        process.communicate(timeout=LONG)


def _temporaries(folder):
    return [name for name in os.listdir(folder) if name.startswith(".noisecli-tmp-")]


def test_leftovers_of_the_dead_are_removed(leave, home, tmp_path):
    _, process = leave("die")
    process.wait(timeout=LONG)
    assert len(_temporaries(tmp_path)) == 1
    with ScratchFolder() as ours:
        assert os.listdir(home) == [os.path.basename(ours)]
    assert os.listdir(home) == []
    write_whole(os.fspath(tmp_path / "other.png"), [b"data"])
    assert _temporaries(tmp_path) == []


def test_what_the_living_use_stays(leave, home, tmp_path):
    path, process = leave("wait")
    with ScratchFolder():
        pass
    write_whole(os.fspath(tmp_path / "other.png"), [b"data"])
    assert os.path.exists(os.path.join(path, "half"))
    assert len(_temporaries(tmp_path)) == 1
    process.communicate(timeout=LONG)
    with ScratchFolder():
        pass
    clean_up_beside(os.fspath(tmp_path / "other.png"))
    assert os.listdir(home) == _temporaries(tmp_path) == []


def test_what_is_not_ours_stays(home, tmp_path):
    """Other machines' on a shared file system, other programs', another run's own temporary files, links."""
    ours = held_prefix()
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious/photo.png").write_text("precious")
    names = [".noisecli-tmp-abcd1234-77-0123", ".noisecli-tmp-held-00000000-0123", ".other"]
    for name in names:
        (tmp_path / name).write_text("precious")
    os.symlink(tmp_path / "precious/photo.png", tmp_path / f"{ours}link")
    os.mkdir(tmp_path / f"{ours}folder")
    os.mkfifo(tmp_path / f"{ours}pipe")
    for name in ("noisecli-scratch-x", "noisecli-x", "noisecli"):
        (home / name).mkdir()
    os.symlink(tmp_path / "precious", home / "noisecli-scratch-0123456789ab")
    before = sorted(os.listdir(tmp_path)), sorted(os.listdir(home))
    with ScratchFolder():
        pass
    write_whole(os.fspath(tmp_path / "other.png"), [b"data"])
    (tmp_path / "other.png").unlink()
    assert (sorted(os.listdir(tmp_path)), sorted(os.listdir(home))) == before
    assert (tmp_path / "precious/photo.png").read_text() == "precious"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to another user")
def test_what_is_another_users_stays(leave, home, tmp_path):
    path, process = leave("die")
    process.wait(timeout=LONG)
    [name] = _temporaries(tmp_path)
    os.chown(path, 54321, 54321)
    os.chown(tmp_path / name, 54321, 54321)
    with ScratchFolder():
        pass
    clean_up_beside(os.fspath(tmp_path / "other.png"))
    assert os.path.exists(path)
    assert _temporaries(tmp_path) == [name]


def test_no_race_removes_a_living_one(home, tmp_path):
    """Some write and make folders, others remove leftovers as fast as they can: every write arrives."""
    stop = threading.Event()

    def remove():
        while not stop.is_set():
            clean_up_beside(os.fspath(tmp_path / "any"))
            with ScratchFolder() as path:
                assert os.path.isdir(path)

    removers = [threading.Thread(target=remove) for _ in range(2)]
    for thread in removers:
        thread.start()
    try:
        for number in range(300):
            write_whole(os.fspath(tmp_path / "out.png"), [b"%d" % number])
            assert (tmp_path / "out.png").read_bytes() == b"%d" % number
            with ScratchFolder() as path, open(os.path.join(path, "a"), "w"):
                pass
    finally:
        stop.set()
        for thread in removers:
            thread.join()
    assert _temporaries(tmp_path) == os.listdir(home) == []


def test_a_system_without_locks_loses_nothing(home, tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", refuse)
    with OutputFile(os.fspath(tmp_path / "out.png"), prefix=held_prefix()) as output, ScratchFolder() as path:
        write_whole(os.fspath(tmp_path / "other.png"), [b"data"])
        with ScratchFolder():
            pass
        assert os.path.isdir(path)
        output.write(b"data")
        output.commit()


@pytest.mark.parametrize("way", ["file", "pipe"])
def test_a_killed_single_file_leaves_nothing_behind_the_next(
    faulty, fill, noisy, home, tmp_path, wait_until, session_of, way
):
    """SIGKILL takes everything at once; the next single file beside it, and the next scratch folder, clean up."""
    source = fill(tmp_path / "in", "wait-write.png", "a.png")
    words = [source / "wait-write.png", tmp_path / "out.png"] if way == "file" else [source / "wait-write.png", "-"]
    process = faulty.start("images", *words, "--std", "25")
    wait_until(lambda: faulty.reached("write"), "a worker in mid-write")
    assert bool(_temporaries(tmp_path)) == (way == "file")
    # one is of the socket that the workers' server listens on
    assert len([name for name in os.listdir(home) if name.startswith("noisecli-")]) == 1 + (way == "pipe")
    # beside the living one
    assert noisy("images", source / "a.png", tmp_path / "b.png", "--std", "5").status == 0
    assert bool(_temporaries(tmp_path)) == (way == "file")
    for pid in session_of(process.pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not session_of(process.pid), "all are gone")

    def next_one_cleans_up():
        assert noisy("images", source / "a.png", tmp_path / "c.png", "--std", "5", "--force").status == 0
        with ScratchFolder():
            pass
        return not _temporaries(tmp_path) and not [name for name in os.listdir(home) if name.startswith("noisecli-")]

    # a process is gone from the list before the last of its threads lets go of its locks
    wait_until(next_one_cleans_up, "all locks are let go")
