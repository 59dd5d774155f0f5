"""Whole processes run in turns: what a time means is told by the others of the same turn."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
BIN = Path(sys.executable).parent
NOISECLI = str(BIN / "noisecli")
ENVIRONMENT = {
    **os.environ,
    "PATH": f"{BIN}:{os.environ.get('PATH', '')}",
    "NO_ALBUMENTATIONS_UPDATE": "1",  # it asks the network for news when it is imported
    "MAGICK_THREAD_LIMIT": "1",  # xargs has its processes already
}
TIME_LIMIT = 1800

Command = Callable[[Path, Path], list[str]]


class Failed(Exception):
    """A contestant that did not finish, with its last words."""


@dataclass(frozen=True)
class Contestant:
    """One way of doing the work: its command for a source and a destination folder."""

    name: str
    command: Command
    note: str = ""


@dataclass
class Times:
    """Seconds of one contestant, in the order of the runs."""

    seconds: list[float] = field(default_factory=list)
    empty: list[float] = field(default_factory=list)
    """The same command on a handful of tiny files: start-up."""
    megabytes: float = 0.0
    std: float | None = None
    problem: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.seconds) if self.seconds else float("nan")

    @property
    def start_up(self) -> float:
        return statistics.median(self.empty) if self.empty else float("nan")

    @property
    def net(self) -> float:
        return self.median - self.start_up

    def as_json(self) -> dict[str, object]:
        return {
            "median": self.median,
            "min": min(self.seconds, default=None),
            "seconds": self.seconds,
            "empty": self.empty,
            "megabytes": self.megabytes,
            "std": self.std,
            "problem": self.problem,
        }


@dataclass(frozen=True)
class Course:
    """A folder of sources, a folder of a few tiny ones, how many outputs the first makes, and how to look at one."""

    title: str
    source: Path
    tiny: Path
    files: int
    suffix: str
    measure: Callable[[Path, Path], float | None] = lambda source, output: None


def say(text: str) -> None:
    print(text, flush=True)


def seconds_of(command: Sequence[str], *, statuses: Iterable[int] = (0,)) -> float:
    """Run a whole process and time it. Raises Failed."""
    begin = time.perf_counter()
    try:
        done = subprocess.run(
            command, env=ENVIRONMENT, stdin=subprocess.DEVNULL, capture_output=True, timeout=TIME_LIMIT, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failed(str(error)) from None
    taken = time.perf_counter() - begin
    if done.returncode not in statuses:
        words = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()
        raise Failed(f"exit status {done.returncode}: {words[-1] if words else 'no word of it'}")
    return taken


def fresh(folder: Path) -> Path:
    """Return the folder, empty."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def race(course: Course, contestants: Sequence[Contestant], runs: int, scratch: Path) -> dict[str, Times]:
    """Let all run in turns, the order turned round every time; the first turn on tiny files warms everything up."""
    say(f"\n{course.title}")
    times = {one.name: Times() for one in contestants}
    for turn in range(runs):
        for one in contestants if turn % 2 == 0 else reversed(contestants):
            record = times[one.name]
            if record.problem:
                continue
            try:
                _run_once(course, one, record, scratch, first=turn == 0)
            except Failed as error:
                record.problem = str(error)
                say(f"  {one.name}: {error}; left out")
        say(f"  run {turn + 1} of {runs}: " + ", ".join(_last(name, record) for name, record in times.items()))
    shutil.rmtree(scratch, ignore_errors=True)
    return times


def _run_once(course: Course, one: Contestant, record: Times, scratch: Path, *, first: bool) -> None:
    if first:
        seconds_of(one.command(course.tiny, fresh(scratch)))
    record.empty.append(seconds_of(one.command(course.tiny, fresh(scratch))))
    record.seconds.append(seconds_of(one.command(course.source, fresh(scratch))))
    if first:
        _check(course, record, scratch)


def _check(course: Course, record: Times, scratch: Path) -> None:
    """Whoever made fewer files, or none with noise, was not faster."""
    outputs = sorted(scratch.rglob(f"*{course.suffix}"))
    if len(outputs) != course.files:
        record.seconds.clear()
        raise Failed(f"made {len(outputs)} files of {course.files}")
    record.megabytes = sum(path.stat().st_size for path in outputs) / 1e6
    sources = {path.stem: path for path in course.source.rglob("*") if path.is_file()}
    found = [course.measure(sources[path.stem], path) for path in outputs[:: max(1, len(outputs) // 8)]]
    measured = [std for std in found if std is not None]
    record.std = statistics.median(measured) if measured else None


def _last(name: str, record: Times) -> str:
    return f"{name} {record.seconds[-1]:.2f}" if record.seconds and not record.problem else f"{name} -"
