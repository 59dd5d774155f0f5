"""A destination on NFS, shared by machines: locks, shards and merges there, with a real server and real mounts.

The kernel that serves and mounts is a user-mode Linux, a process like any other, whose NFS is that of any Linux of its
version. It needs none in the kernel of this machine, of which nothing is changed.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.running import LIMIT_SECONDS, PROGRAMS

ROOT = Path(__file__).parents[3]
MODULES = sorted(Path("/usr/lib/uml/modules").glob("*/modules.dep"))
NAMES = ["a.png", "b.png", "cats/c.png", "cats/d.png", "a.txt", "notes.md"]
NAMES += [*(f"more/{number}.png" for number in range(20)), "more/wait-write.png"]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def outside(tmp_path_factory):
    return tmp_path_factory.mktemp("outside")


@pytest.fixture(scope="module")
def found(outside, fill):
    """Return what the machines on NFS saw."""
    linux = shutil.which("linux.uml")
    if linux is None or not MODULES:
        pytest.skip("needs a Linux in a process, to mount NFS there: apt-get install user-mode-linux")
    fill(outside / "src", *NAMES)
    first = outside / "init"
    words = [sys.executable, PROGRAMS / "nfs_machine.py", MODULES[-1].parent, outside, ROOT]
    first.write_text("#!/bin/sh\nexport HOME=/run LANG=C.UTF-8\nexec " + " ".join(f"'{word}'" for word in words) + "\n")
    first.chmod(0o755)
    kernel = ["rootfstype=hostfs", "rootflags=/", "ro", "mem=1G", "quiet", "con=null", "con0=null,fd:1", "ssl=null"]
    done = subprocess.run(
        [linux, *kernel, f"init={first}"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=LIMIT_SECONDS,
        check=False,
        text=True,
        errors="replace",
        env={**os.environ, "HOME": str(outside)},
    )
    assert "Traceback" not in done.stdout, done.stdout
    if not (outside / "found.json").exists():
        pytest.skip(f"user-mode Linux does not start here: {done.stdout[-300:]}")
    seen = json.loads((outside / "found.json").read_text())
    assert "trace" not in seen, seen["trace"]
    return seen


@pytest.fixture
def expected(images, outside, tmp_path):
    """Return the digests of a run into a folder of this machine."""
    folder = tmp_path / "local"
    assert images("--sidecars", "copy", source=outside / "src", to=folder).status == 0
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_it_is_nfs(found):
    assert found["mounts"].count(" nfs4 rw,") == 3
    assert "vers=4.2" in found["mounts"]


def test_a_run_and_another_beside_it(found, expected):
    """The other is refused, on the same machine and on another; the bytes are those of a local run."""
    seen = found["two at once"]
    for refused in seen["beside"]:
        assert refused["status"] == 3
        assert "another run is writing there" in refused["err"]
    assert seen["first"]["status"] == 0, seen["first"]
    assert seen["tree"] == expected
    assert seen["verify"]["status"] == 0, seen["verify"]
    again = json.loads(seen["again"]["out"])
    assert (again["made"], again["kept"]) == (0, 25)


@pytest.mark.parametrize("where", ["one folder", "apart"])
def test_three_shards_one_killed_and_run_again_on_another_machine(found, expected, where):
    seen = found[where]
    assert sorted(seen["statuses"]) == [-9, 0, 0]
    assert seen["running"]["status"] == 2
    assert f"shard {seen['held']}/3 is still running" in seen["running"]["err"]
    assert seen["dead"]["status"] == 2
    assert f"shard {seen['held']}/3 was interrupted: run the same command again" in seen["dead"]["err"]
    assert seen["again"]["status"] == 0, seen["again"]
    assert seen["merged"]["status"] == 0, seen["merged"]
    assert seen["tree"] == expected
    assert not [name for name in seen["left"] if name.startswith(("part", ".nfs"))]
    kept = json.loads(seen["kept"]["out"])
    assert (kept["made"], kept["kept"]) == (0, 25)
