"""The whole program, run as a user would, under a hard deadline; and what is left of it in the process table."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MOST_BYTES = 3 << 30
OURS = {"manifest.jsonl", "sidecars.jsonl", "errors.jsonl", "run.json"}


@dataclass
class Finished:
    """A run that has ended, or was ended at the deadline.

    Attributes
    ----------
    peak_mb, tree_mb
        The most that one process held, and that all held together, what they share counted in each.
    """

    status: int
    out: str
    err: str
    hung: bool
    peak_mb: float
    tree_mb: float
    seconds: float

    @property
    def traceback(self) -> bool:
        return "Traceback" in self.err or "an error of noisecli" in self.err


def start(*words: str | Path, out: Any = subprocess.DEVNULL, err: Any = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
    """Start noisecli in a session of its own."""
    command = [sys.executable, "-m", "noisecli", *map(str, words)]
    process = subprocess.Popen(command, stdout=out, stderr=err, stdin=subprocess.DEVNULL, start_new_session=True)
    # what reads without an end must not take the whole machine with it
    with contextlib.suppress(ProcessLookupError):
        _, hard = resource.prlimit(process.pid, resource.RLIMIT_DATA)
        most = MOST_BYTES if hard == resource.RLIM_INFINITY else min(MOST_BYTES, hard)
        resource.prlimit(process.pid, resource.RLIMIT_DATA, (most, most))
    return process


def run(*words: str | Path, deadline: float = 120, look_every: float = 0.1) -> Finished:
    """Run noisecli to its end, watching the memory of its processes."""
    began = time.monotonic()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = start(*words, out=out, err=err)
        peak, together, hung = 0, 0, False
        while process.poll() is None:
            peaks = [_peak_kb(pid) for pid in session(process.pid)]
            peak, together = max(peak, *peaks, 0), max(together, sum(peaks))
            if time.monotonic() - began > deadline:
                hung = True
                kill_session(process.pid)
                process.wait()
                break
            time.sleep(look_every)
        kill_session(process.pid)
        out.seek(0)
        err.seek(0)
        said, complained = out.read().decode(errors="replace"), err.read().decode(errors="replace")
    took = time.monotonic() - began
    return Finished(process.returncode, said, complained, hung, peak / 1024, together / 1024, took)


def processes() -> list[tuple[int, int, int]]:
    """Return (pid, parent, session) of every process that is no zombie."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdecimal():
            try:
                fields = Path(f"/proc/{entry}/stat").read_bytes().rpartition(b") ")[2].split()
            except OSError:
                continue
            if fields[0] not in (b"Z", b"X"):
                found.append((int(entry), int(fields[1]), int(fields[3])))
    return found


def session(number: int) -> list[int]:
    return [pid for pid, _, leader in processes() if leader == number]


def workers(number: int) -> list[int]:
    """Return the workers of a run: the children of its fork server."""
    parents = {pid: parent for pid, parent, leader in processes() if leader == number}
    return [pid for pid, parent in parents.items() if parents.get(parent) == number]


def holds_journal(pid: int) -> bool:
    """Whether it is a worker: each holds the journal open from its first line to its end."""
    try:
        return any(os.readlink(entry.path).endswith("noisecli-journal") for entry in os.scandir(f"/proc/{pid}/fd"))
    except OSError:
        return False


def described(pid: int) -> str:
    """Return what a process is doing: its state, parent, age and where in the kernel it waits."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
        waits = Path(f"/proc/{pid}/wchan").read_text()
        words = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return f"{pid}: gone now"
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - int(stat[19]) / os.sysconf("SC_CLK_TCK")
    return f"{pid}: {stat[0]}, parent {stat[1]}, {age:.1f} s old, in {waits}, {words[-60:]}"


def kill_session(number: int) -> None:
    for pid in session(number):
        kill(pid)


def kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _peak_kb(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    lines = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(lines[0].split()[1]) if lines else 0


def tree(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every file below a folder, hidden ones too, by relative name."""
    below = (Path(parent) / name for parent, _, names in os.walk(folder) for name in names)
    return {os.path.relpath(path, folder): path.read_bytes() for path in below}


def lines(path: Path) -> list[dict[str, Any]]:
    """Return the entries of a .jsonl; none where there is no such file."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return [json.loads(line) for line in text.splitlines() if line]
