"""noisecli with one failing call of the system each time, and a judge of what is left; noisecli without rights."""

import errno
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from noisecli.model.files import listed_files
from tests.fixtures.running import LIMIT_SECONDS, PROGRAMS

NUMBERS = {name: getattr(errno, name) for name in ("ENOSPC", "EIO", "EACCES", "ESTALE")}
OWN = ("manifest.jsonl", "sidecars.jsonl", "errors.jsonl", "run.json")


class Driver:
    """A process that runs noisecli with one fault each time, by the library named LD_PRELOAD where there is one."""

    def __init__(self, folder, destination, **variables):
        self.folder = folder
        folder.mkdir()
        environment = {**os.environ, "PYTHONPATH": f"{PROGRAMS}:{os.environ.get('PYTHONPATH', '')}"}
        environment |= {"FAULT_STATE": str(folder), "FAULT_DESTINATION": str(destination), **variables}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "faults_driver"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
        )

    def run(self, words, role="", number=0, error=0, stays=False, **only):
        """Return exit status and standard error, and the calls of the role; only="write" counts calls of that name."""
        plan = {"role": role, "number": number, "errno": error, "stays": stays, **only}
        self.process.stdin.write(json.dumps({"plan": plan, "words": [str(word) for word in words]}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        return answer["status"], answer["err"], self.calls(role)

    def calls(self, role):
        return [line.partition(" ")[2] for line in self._log() if line.startswith(role)]

    def _log(self):
        return (self.folder / "log").read_text().splitlines()

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=LIMIT_SECONDS)
        self.process.stdout.close()


@pytest.fixture
def start_driver(tmp_path):
    """Start a Driver on dst; more variables of its environment may be given."""
    started = []

    def start(**variables):
        started.append(Driver(tmp_path / f"driver-{len(started)}", tmp_path / "dst", **variables))
        return started[-1]

    yield start
    for driver in started:
        driver.close()


class Ground:
    """A call that runs into a fault, in a fresh folder or over an older run, and the judgement of what is left.

    Attributes
    ----------
    undisturbed
        What dst holds without a fault.
    calls
        What can fail, by role.
    """

    def __init__(self, driver, words, destination, older, tree):
        self._driver, self._words, self._destination, self._older, self._tree = driver, words, destination, older, tree
        self._old = tree(older)
        self.first = driver.run(words)
        self.undisturbed = tree(destination)
        self.calls = {role: driver.calls(role) for role in ("parent", "worker")}

    def run_and_judge(self, role, number, error, *, stays):
        """Return the exit status of a run in which a call fails, and what is wrong after it or the next one."""
        shutil.rmtree(self._destination, ignore_errors=True)
        if self._older.exists():
            shutil.copytree(self._older, self._destination)
        done = self._driver.run(self._words, role, number, NUMBERS[error], stays)
        call = f"{role} call {number}, {self.calls[role][number - 1]}, {error}{' and on' * stays}"
        problems = list(_problems(done, self._destination, self._old, self.undisturbed, call))
        status, err, _ = self._driver.run(self._words)
        now = self._tree(self._destination)
        if status != self.first[0] or now != self.undisturbed:
            differing = sorted(
                name for name in {*now, *self.undisturbed} if now.get(name) != self.undisturbed.get(name)
            )
            problems.append(f"the rerun ends with {status}, other in {differing}: {err}")
        return done[0], [f"{call}: {problem}" for problem in problems]


@pytest.fixture
def make_ground(tmp_path, tree):
    """Make a Ground of a driver and the words of a call; what is kept in older is laid into dst before each run."""
    return lambda driver, words: Ground(driver, words, tmp_path / "dst", tmp_path / "older", tree)


def _is_output(name):
    return name not in OWN and "/.noisecli-" not in f"/{name}"


def _problems(done, destination, old, new, call):
    status, err, _ = done
    standing = {}
    for parent, _, names in os.walk(destination):
        for name in names:
            path = Path(parent, name)
            standing[os.path.relpath(path, destination)] = path.read_bytes()
    told_wholly = ".noisecli-journal" not in standing
    if status not in (0, 1, 3):
        yield f"exit status {status}: {err}"
    if "Traceback" in err:
        yield f"a traceback: {err}"
    if status == 0 and standing != new:
        yield f"exit status 0, and yet there is a difference: {sorted(standing.keys() ^ new.keys())}"
    if status != 0 and not err.strip():
        yield "not a word"
    for name, data in standing.items():
        if "/.noisecli-tmp" in f"/{name}":
            # whether a file can be removed when removing fails is nobody's to promise
            if " unlink " not in call and "and on" not in call:
                yield f"{name} is left"
        elif _is_output(name) and data not in (old.get(name), new.get(name)):
            yield f"{name} is torn"
    yield from _untrue_rows(standing, told_wholly, unlink=" unlink " in call)


def _untrue_rows(standing, told_wholly, *, unlink):
    named = set()
    for line in standing.get("manifest.jsonl", b"").decode().splitlines():
        row = json.loads(line)
        output, *beside = listed_files(row)
        named |= {output.name, *(file.name for file in beside)}
        # pruning that stops between them keeps the row, so that the rerun knows what it has to remove
        for file in [output] if unlink else [output, *beside]:
            if told_wholly and hashlib.sha256(standing.get(file.name, b"")).hexdigest() != file.sha256:
                yield f"the row of {file.name} is not true"
    unnamed = {name for name in standing if _is_output(name) and not name.endswith(".txt") and name not in named}
    if told_wholly and unnamed:
        yield f"no row names {sorted(unnamed)}"
    for name in ("errors.jsonl", "run.json"):
        for text in [standing[name].decode()] if name in standing else []:
            for entry in text.splitlines() if name.endswith("l") else [text]:
                json.loads(entry)


WITHOUT_PRIVILEGES = """
import os, sys
words = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else ["env"]
os.execvp(words[0], [*words, sys.executable, "-m", "noisecli", *sys.argv[1:]])
"""


@pytest.fixture
def unprivileged(spawned):
    """Run noisecli without root's right to read every file."""
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        pytest.skip("root may read every file, and setpriv is missing: apt-get install util-linux")
    return lambda *arguments: spawned(*arguments, command=("-c", WITHOUT_PRIVILEGES))
