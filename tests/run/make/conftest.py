"""A folder with a Makefile, and make itself."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.running import LIMIT_SECONDS, PROGRAMS, Finished, Program

ROOT = Path(__file__).parents[3]


class Ground:
    """A folder of photos with a Makefile, whose recipes end with a line in the file `runs`.

    `recipe` is the whole Makefile; $(NOISECLI) runs noisecli, with the codec of faulty_noisecli where `state` is given.
    """

    def __init__(self, folder, makefile, state=None):
        self.folder, self.photos, self.state = folder, folder / "photos", state
        program = "noisecli" if state is None else "faulty_noisecli"
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{PROGRAMS}:{ROOT}",
            "NOISECLI": f"{sys.executable} -m {program}",
            "FAULT_STATE": str(state),
        }
        (folder / "Makefile").write_text(makefile)

    def start(self, *arguments):
        return Program(
            ["make", "--no-print-directory", *arguments],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def make(self, *arguments):
        process = self.start(*arguments)
        out, _ = process.communicate(timeout=LIMIT_SECONDS)
        return Finished(process.returncode, out, "")

    def build(self, *arguments, status=0):
        """Run make to its end; return how many recipes it ran."""
        before = self._runs()
        done = self.make(*arguments)
        assert done.status == status, done.out
        return self._runs() - before

    def settle(self, *arguments):
        """Run make, and once more: the second time there is nothing to do. Return how many recipes ran at first."""
        ran = self.build(*arguments)
        assert self.build(*arguments) == 0
        return ran

    def _runs(self):
        path = self.folder / "runs"
        return len(path.read_text().splitlines()) if path.exists() else 0

    def interrupt(self, wait_until, number=signal.SIGINT):
        """Start make, end its process group while an output is being written, and return what make says."""
        process = self.start()
        wait_until((self.state / "reached-write").exists, "the output that waits")
        os.killpg(process.pid, number)
        out, _ = process.communicate()
        (self.state / "gate").touch()
        assert process.returncode != 0
        return out


@pytest.fixture
def ground(tmp_path, fill):
    """Make a Ground of a Makefile, with four photos."""
    if shutil.which("make") is None:
        pytest.skip("make is missing: apt-get install make")

    def made(makefile, *names, state=None):
        fill(tmp_path / "photos", *(names or ("a.png", "b.png", "cats/c.png", "cats/d.png")))
        if state is not None:
            state.mkdir()
        return Ground(tmp_path, makefile, state)

    return made


@pytest.fixture
def fresh(noisy, tree, tmp_path):
    """Return what a run into a new folder makes of the photos as they are now."""
    used = []

    def run(*words, status=0):
        used.append(tmp_path / f"fresh-{len(used)}")
        assert noisy("images", tmp_path / "photos", used[-1], "--std", "25", *words).status == status
        return tree(used[-1])

    return run
