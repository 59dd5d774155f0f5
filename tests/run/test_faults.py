"""Every call of the operating system that touches the destination fails in turn: nothing is torn, lost or untold."""

import errno
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

# Runs noisecli again and again in one process, whose worker server stays warm. Workers load this as their main module.
# The n-th call on the destination in the parent process, or in the one worker, fails; a write fails half-way.
DRIVER = '''
import builtins
import contextlib
import io
import json
import os
import sys

import noisecli.storage.local

STATE, DESTINATION = os.environ["FAULT_STATE"], os.environ["FAULT_DESTINATION"]
ROLE = "worker" if __name__ == "__mp_main__" else "parent"
plan, calls, inside = {}, 0, False


def begin():
    global plan, calls
    calls = 0
    with real_open(os.path.join(STATE, "plan")) as file:
        plan = json.load(file)


def due(name, path):
    """Count a call on the destination; return whether it fails."""
    global calls, inside
    if inside or not plan:
        return False
    inside = True
    try:
        if isinstance(path, int):
            path = os.readlink(f"/proc/self/fd/{path}")
        if not os.path.abspath(os.fsdecode(path)).startswith(DESTINATION):
            return False
        calls += 1
        with real_open(os.path.join(STATE, "log"), "a") as log:
            log.write(f"{ROLE} {name} {os.path.relpath(path, DESTINATION)}\\n")
        on = calls == plan["number"] or (plan["stays"] and calls > plan["number"] > 0 and name != "unlink")
        return on and plan["role"] == ROLE
    finally:
        inside = False


def fail():
    raise OSError(plan["errno"], os.strerror(plan["errno"]))


def shim(module, name, place=0):
    real = getattr(module, name)

    def call(*arguments, **options):
        path, folder = arguments[place], options.get("dst_dir_fd", options.get("dir_fd"))
        if folder is not None:
            path = os.path.join(os.readlink(f"/proc/self/fd/{folder}"), path)
        if due(name, path):
            if name == "write":
                real(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
            fail()
        return real(*arguments, **options)

    setattr(module, name, call)
    return real


class HalfWritten(io.FileIO):
    def write(self, data):
        if due("write", self.fileno()):
            super().write(bytes(data)[: len(data) // 2])
            fail()
        return super().write(data)


def fdopen(fd, mode="r", *arguments, **options):
    if "w" in mode:
        return io.BufferedWriter(HalfWritten(fd, mode))
    return real_fdopen(fd, mode, *arguments, **options)


real_fdopen, os.fdopen = os.fdopen, fdopen
for name in ("write", "fsync", "unlink", "mkdir", "rmdir", "sendfile"):
    shim(os, name)
shim(os, "replace", 1)
shim(noisecli.storage.local, "rename_new", 1)
shim(os, "symlink", 1)
shim(os, "open")
real_open = shim(builtins, "open")

if ROLE == "worker":
    begin()

if __name__ == "__main__":
    from noisecli.cli import main

    for line in sys.stdin:
        job = json.loads(line)
        with real_open(os.path.join(STATE, "plan"), "w") as file:
            json.dump(job["plan"], file)
        real_open(os.path.join(STATE, "log"), "w").close()
        begin()
        sys.argv = ["noisecli", *job["words"]]
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            try:
                main()
            except SystemExit as ending:
                status = ending.code
        plan = {}
        print(json.dumps({"status": status, "err": said.getvalue()}), flush=True)
'''

NUMBERS = {name: getattr(errno, name) for name in ("ENOSPC", "EIO", "EACCES")}
WORDS = ["--std", "25", "--fsync", "--with-clean", "--sidecars", "copy", "-j", "1", "--quiet"]


class Driver:
    """A process that runs noisecli with one fault each time."""

    def __init__(self, folder, destination):
        self.folder = folder
        folder.mkdir()
        (folder / "faults_driver.py").write_text(DRIVER)
        environment = {**os.environ, "PYTHONPATH": f"{folder}:{os.environ.get('PYTHONPATH', '')}"}
        environment |= {"FAULT_STATE": str(folder), "FAULT_DESTINATION": str(destination)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "faults_driver"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
        )

    def run(self, words, role="", number=0, error=0, stays=False):
        """Return exit status and standard error, and the call that failed."""
        plan = {"role": role, "number": number, "errno": error, "stays": stays}
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
        self.process.wait(timeout=20)
        self.process.stdout.close()


@pytest.fixture
def driver(tmp_path):
    started = Driver(tmp_path / "driver", tmp_path / "dst")
    yield started
    started.close()


@pytest.fixture
def ground(tmp_path, fill, tree, request, driver):
    """Return what runs one call into a fault, in a fresh folder or over an older run, and judges what is left."""
    source, destination, older = tmp_path / "src", tmp_path / "dst", tmp_path / "older"
    fill(source, "a.png", "cats/b.png", "cats/b.txt", "skipped.heic")
    words = ["images", source, destination, *WORDS]
    if request.param == "over an older run":
        fill(source, "gone.png")
        (source / "broken.png").write_bytes(b"no picture")
        assert driver.run([*words, "--std", "5"])[0] == 1
        shutil.copytree(destination, older)
        fill(source, "z.png", "broken.png")
        (source / "gone.png").unlink()
        (source / "skipped.heic").unlink()
        words += ["--prune"]
    old = tree(older)
    status, err, _ = driver.run(words)
    assert (status, err) == (0, "") or "skipped" in err

    class Ground:
        undisturbed = tree(destination)
        calls = {role: driver.calls(role) for role in ("parent", "worker")}  # noqa: RUF012

        @staticmethod
        def run_and_judge(role, number, error, *, stays):
            shutil.rmtree(destination, ignore_errors=True)
            if older.exists():
                shutil.copytree(older, destination)
            done = driver.run(words, role, number, NUMBERS[error], stays)
            call = f"{role} call {number}, {Ground.calls[role][number - 1]}, {error}{' and on' * stays}"
            problems = list(_problems(done, destination, old, Ground.undisturbed, call))
            status, err, _ = driver.run(words)
            now = tree(destination)
            if status != 0 or now != Ground.undisturbed:
                differing = sorted(
                    name for name in {*now, *Ground.undisturbed} if now.get(name) != Ground.undisturbed.get(name)
                )
                problems.append(f"the rerun ends with {status}, other in {differing}: {err}")
            return [f"{call}: {problem}" for problem in problems]

    return Ground


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
        elif name.endswith((".png", ".txt")) and data not in (old.get(name), new.get(name)):
            yield f"{name} is torn"
    yield from _untrue_rows(standing, told_wholly, unlink=" unlink " in call)


def _untrue_rows(standing, told_wholly, *, unlink):
    named = set()
    for line in standing.get("manifest.jsonl", b"").decode().splitlines():
        row = json.loads(line)
        pairs = [(row["file_name"], row["sha256"])]
        if not unlink:
            # pruning that stops between the two keeps the row, so that the rerun knows what it has to remove
            pairs.append((row["clean_file_name"], row["clean_sha256"]))
        named |= {row["file_name"], row["clean_file_name"]}
        for name, digest in pairs:
            if told_wholly and hashlib.sha256(standing.get(name, b"")).hexdigest() != digest:
                yield f"the row of {name} is not true"
    unnamed = {name for name in standing if name.endswith(".png") and name not in named}
    if told_wholly and unnamed:
        yield f"no row names {sorted(unnamed)}"
    for name in ("errors.jsonl", "run.json"):
        for text in [standing[name].decode()] if name in standing else []:
            for entry in text.splitlines() if name.endswith("l") else [text]:
                json.loads(entry)


BOTH = pytest.mark.parametrize("ground", ["fresh", "over an older run"], indirect=True)


@BOTH
def test_a_share_of_all_calls(ground):
    """The calls before and after the work, and some of it; the slow test has them all."""
    errors = list(NUMBERS)
    problems = []
    for role, calls in ground.calls.items():
        for number in range(1, len(calls) + 1, 6):
            problems += ground.run_and_judge(role, number, errors[number // 6 % 3], stays=bool(number // 6 % 2))
    assert not problems, "\n".join(problems)


@pytest.mark.slow
@BOTH
@pytest.mark.parametrize("error", NUMBERS)
@pytest.mark.parametrize("stays", [False, True], ids=["once", "from then on"])
def test_every_call(ground, error, stays):
    problems = []
    for role, calls in ground.calls.items():
        assert len(calls) > 10
        for number in range(1, len(calls) + 1):
            problems += ground.run_and_judge(role, number, error, stays=stays)
    assert not problems, "\n".join(problems)
