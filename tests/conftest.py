"""Folders of tiny pictures and sounds, and noisecli on them: in this process, in one of its own, or with a fault."""

import json
import os
import signal
import struct
import subprocess
import sys
import time
import wave
import zlib
from dataclasses import dataclass
from pathlib import Path

import pytest

DEADLINE_SECONDS = 60

# a shell's background job ignores ^C, and so would every program started from here
signal.signal(signal.SIGINT, signal.default_int_handler)

FAULTY = '''
"""noisecli with a codec that misbehaves where the name of a file says so; workers load it as their main module."""

import builtins
import os
import signal
import sys
import threading
import time

import noisecli.codecs as codecs

STATE = os.environ["FAULT_STATE"]
load = codecs.load


def once(word):
    try:
        os.close(os.open(os.path.join(STATE, word), os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True


def wait_for_gate(word):
    """Say that we are here, then wait until the test lets us go on."""
    open(os.path.join(STATE, f"reached-{word}"), "w").close()
    while not os.path.exists(os.path.join(STATE, "gate")):
        time.sleep(0.005)


def misbehave(name):
    if "hang" in name:
        while True:
            signal.pause()
    if "kill-always" in name or ("kill-once" in name and once("killed")):
        os.kill(os.getpid(), signal.SIGKILL)
    if "out-of-memory" in name:
        raise MemoryError
    bug("open", name)
    if "wait-read" in name:
        wait_for_gate("read")


class Unsendable(Exception):
    """No process can send it to another, and it cannot even be put into words."""

    def __init__(self):
        self.lock = threading.Lock()

    def __str__(self):
        raise ValueError("no words")


def bug(place, name):
    """Raise what a name asks for in this place: bug-open-KeyError.png; bug.png is a ValueError in opening."""
    words = name.partition(".")[0].split("-")
    if words[0] != "bug" or place != (words[1] if len(words) > 1 else "open"):
        return
    kind = words[2] if len(words) > 2 else "ValueError"
    if kind == "cv2error":
        import cv2

        cv2.imdecode(None, 0)
    raise Unsendable if kind == "Unsendable" else getattr(builtins, kind)("an error of ours \\x1b[31m \\ud800")


class Source:
    def __init__(self, source, name):
        self.source, self.name = source, name

    def __getattr__(self, word):
        return getattr(self.source, word)

    def blocks(self):
        bug("blocks", self.name)
        return self.source.blocks()

    def close(self):
        self.source.close()
        bug("close", self.name)


class Sink:
    def __init__(self, sink, output, name):
        self.sink, self.output, self.name = sink, output, name

    def __getattr__(self, word):
        return getattr(self.sink, word)

    def write(self, block):
        bug("write", self.name)
        if self.name.startswith("bug-abort"):
            raise OverflowError("what went wrong first")
        self.sink.write(block)

    def finish(self):
        if "wait-write" in self.name:
            os.write(self.output.fileno(), b"half of it")
            wait_for_gate("write")
            os.ftruncate(self.output.fileno(), 0)
            os.lseek(self.output.fileno(), 0, os.SEEK_SET)
        bug("finish", self.name)
        self.sink.finish()

    def abort(self):
        self.sink.abort()
        bug("abort", self.name)


class Codec:
    def __init__(self, codec):
        self.codec = codec

    def __getattr__(self, word):
        return getattr(self.codec, word)

    def open_source(self, file, limits):
        self.name = os.path.basename(os.readlink(f"/proc/self/fd/{file.fileno()}"))
        misbehave(self.name)
        return Source(self.codec.open_source(file, limits), self.name)

    def create_sink(self, output, source, *arguments):
        bug("create", self.name)
        return Sink(self.codec.create_sink(output, source.source, *arguments), output, self.name)


codecs.load = lambda kind: Codec(load(kind))

if __name__ == "__main__":
    from noisecli.cli import main

    main()
'''


@dataclass
class Finished:
    """A run that has ended."""

    status: int
    out: str
    err: str

    @property
    def summary(self):
        return json.loads(self.out)


@pytest.fixture(scope="session")
def png():
    """Return a small PNG; other pictures for other numbers."""

    def made(number=0, width=16, height=12, bits=8, colour=2):
        channels = {0: 1, 2: 3, 4: 2, 6: 4}[colour]
        row_bytes = width * channels * bits // 8
        rows = b"".join(
            b"\0" + bytes((60 + (x * 7 + y * 11 + number * 29) % 128) for x in range(row_bytes)) for y in range(height)
        )
        parts = [b"IHDR" + struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)]
        parts += [b"IDAT" + zlib.compress(rows), b"IEND"]
        chunks = (struct.pack(">I", len(part) - 4) + part + struct.pack(">I", zlib.crc32(part)) for part in parts)
        return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)

    return made


@pytest.fixture(scope="session")
def write_wav():
    """Write a small 16-bit WAV; other sounds for other numbers."""

    def write(path, number=0, frames=400):
        path.parent.mkdir(parents=True, exist_ok=True)
        samples = [((i * (37 + number)) % 8000) - 4000 for i in range(frames)]
        with wave.open(os.fspath(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(8000)
            file.writeframes(struct.pack(f"<{frames}h", *samples))

    return write


@pytest.fixture
def fill(png, write_wav):
    """Fill a folder with files by name: pictures, sounds, and text for every other suffix."""

    def fill_folder(folder, *names):
        for number, name in enumerate(names):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix == ".png":
                path.write_bytes(png(number))
            elif path.suffix == ".wav":
                write_wav(path, number)
            else:
                path.write_text(f"side file {name}\n")
        return folder

    return fill_folder


@pytest.fixture
def pictures(tmp_path, fill):
    """Return a source folder of five pictures."""
    return fill(tmp_path / "src", "a.png", "b.png", "cats/c.png", "cats/d.png", "e.png")


@pytest.fixture
def destination(tmp_path):
    return tmp_path / "dst"


@pytest.fixture
def noisy(monkeypatch, capfd):
    """Run the command line in this process, whose worker server stays warm."""

    def run(*arguments):
        from noisecli.cli import main

        monkeypatch.setattr(sys, "argv", ["noisecli", *map(os.fspath, map(_text, arguments))])
        handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
        capfd.readouterr()
        try:
            with pytest.raises(SystemExit) as ending:
                main()
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
        return Finished(ending.value.code, *capfd.readouterr())

    return run


@pytest.fixture
def images(noisy, pictures, destination):
    """Run `noisecli images src dst` with more arguments; --std 25 unless a level is among them."""

    def run(*arguments, source=pictures, to=destination):
        levels = {"--std", "--var", "--snr-db", "--severity"}
        level = () if levels & set(map(str, arguments)) else ("--std", "25")
        return noisy("images", source, to, *level, *arguments)

    return run


@pytest.fixture
def spawn():
    """Start noisecli in a session of its own. All of the session is dead at the end of the test."""
    started = []

    def start(*arguments, command=("-m", "noisecli"), environment=None, **options):
        for stream in ("stdout", "stderr"):
            options.setdefault(stream, subprocess.PIPE)
        process = subprocess.Popen(
            [sys.executable, *command, *map(_text, arguments)],
            start_new_session=True,
            env={**os.environ, **(environment or {})},
            **options,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        for pid in _session(process.pid):
            os.kill(pid, signal.SIGKILL)
        process.communicate()


@pytest.fixture
def spawned(spawn):
    """Run noisecli in a process of its own to its end."""

    def run(*arguments, stdin=None, **options):
        if stdin is not None:
            options["stdin"] = subprocess.PIPE
        process = spawn(*arguments, **options)
        out, err = process.communicate(stdin, timeout=DEADLINE_SECONDS)
        if options.get("binary_output"):
            return Finished(process.returncode, out, err.decode())
        return Finished(process.returncode, out, (err or b"").decode())

    return run


@pytest.fixture
def faulty(spawn, tmp_path):
    """Start a noisecli whose codec misbehaves as file names say: hang, kill-once, wait-write and so on."""
    folder, state = tmp_path / "driver", tmp_path / "state"
    folder.mkdir()
    state.mkdir()
    (folder / "faulty_noisecli.py").write_text(FAULTY)
    environment = {"PYTHONPATH": os.fspath(folder), "FAULT_STATE": os.fspath(state)}

    class Faulty:
        gate = state / "gate"

        @staticmethod
        def start(*arguments, module="faulty_noisecli", **options):
            return spawn(*arguments, command=("-m", module), environment=environment, **options)

        @classmethod
        def run(cls, *arguments, **options):
            process = cls.start(*arguments, **options)
            out, err = process.communicate(timeout=DEADLINE_SECONDS)
            return Finished(process.returncode, out.decode(), err.decode())

        @staticmethod
        def reached(word):
            return (state / f"reached-{word}").exists()

    return Faulty


@pytest.fixture(scope="session")
def wait_until():
    """Wait for a condition; its value. A deadline is a failure."""

    def wait(condition, what):
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not (value := condition()):
            assert time.monotonic() < deadline, f"waited in vain: {what}"
            time.sleep(0.005)
        return value

    return wait


@pytest.fixture(scope="session")
def session_of():
    """Return the living processes of a session: all that noisecli started."""
    return _session


@pytest.fixture(scope="session")
def workers_of():
    """Return the living workers of a spawned noisecli: the children of its fork server."""

    def workers(pid):
        parents = {child: parent for child, parent, session in _processes() if session == pid}
        return [child for child, parent in parents.items() if parents.get(parent) == pid]

    return workers


@pytest.fixture(scope="session")
def rows():
    """Return the rows of a manifest by file_name."""

    def read(folder, name="manifest.jsonl"):
        lines = (Path(folder) / name).read_bytes().decode().split("\n")
        assert lines.pop() == ""
        entries = [json.loads(line) for line in lines]
        assert [entry["file_name"] for entry in entries] == sorted(entry["file_name"] for entry in entries)
        return {entry["file_name"]: entry for entry in entries}

    return read


@pytest.fixture(scope="session")
def errors():
    """Return the lines of errors.jsonl by source; none where there is no such file."""

    def read(folder, name="errors.jsonl"):
        path = Path(folder) / name
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return {entry["source"]: entry for entry in map(json.loads, lines)}

    return read


@pytest.fixture(scope="session")
def tree():
    """Return the bytes of every file below a folder, hidden ones too, by relative name."""

    def read(folder):
        below = (Path(parent) / name for parent, _, names in os.walk(os.fspath(folder)) for name in names)
        return {os.path.relpath(path, folder): path.read_bytes() for path in below}

    return read


@pytest.fixture(scope="session")
def outputs(tree):
    """Return the bytes of the outputs alone."""

    def read(folder):
        return {name: data for name, data in tree(folder).items() if not name.endswith((".jsonl", "run.json"))}

    return read


@pytest.fixture(scope="session")
def samples():
    """Decode a picture, unchanged."""

    def decode(path):
        import cv2
        import numpy as np

        return cv2.imdecode(np.frombuffer(Path(path).read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)

    return decode


@pytest.fixture(scope="session")
def sample_data():
    return Path(__file__).parent.parent / "sample_data"


def _text(argument):
    return argument if isinstance(argument, (str, bytes)) else str(argument)


def _processes():
    """Yield (pid, parent, session) of every process that is no zombie."""
    for entry in os.listdir("/proc"):
        if entry.isdecimal():
            try:
                fields = Path(f"/proc/{entry}/stat").read_bytes().rpartition(b") ")[2].split()
            except OSError:
                continue
            if fields[0] not in (b"Z", b"X"):
                yield int(entry), int(fields[1]), int(fields[3])


def _session(number):
    return [pid for pid, _, session in _processes() if session == number]
