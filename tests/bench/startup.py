"""What is paid once: `noisecli --help`, and a second run with nothing to do."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable
from pathlib import Path

from data import Data
from race import NOISECLI, fresh, say, seconds_of
from table import Goal, Section, number, print_table

TURNS_A_RUN = 8
FILES = 10_000


def run(data: Data, runs: int, jobs: int, scratch: Path) -> Section:
    section = _help(runs)
    for label, source in ((f"{FILES:,} small pictures", data.small_pictures(FILES)), ("photographs", None)):
        section.add(_second_run(label, source or data.photographs(), runs, jobs, scratch))
    return section


def _help(runs: int) -> Section:
    say("\nstart-up")
    commands = {
        "noisecli --help": [NOISECLI, "--help"],
        "noisecli images --help": [NOISECLI, "images", "--help"],
        "python -c 'import click'": [sys.executable, "-c", "import click"],
        "python -c pass": [sys.executable, "-c", "pass"],
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(TURNS_A_RUN * runs + 1):
        for name, command in commands.items():
            taken = seconds_of(command)
            if turn:
                times[name].append(taken * 1000)
    rows = [[name, number(statistics.median(taken)), number(min(taken))] for name, taken in times.items()]
    print_table("Start-up, ms", ["", "median", "min"], rows)
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    beyond = medians["noisecli --help"] - medians["python -c 'import click'"]
    goal = Goal("noisecli --help", "beyond python -c 'import click'", beyond, 80, " ms", at_most=True)
    return Section([goal], {"start-up ms": times})


def _second_run(label: str, source: Path, runs: int, jobs: int, scratch: Path) -> Section:
    say(f"\nsecond run, {label}")
    command = [NOISECLI, "images", str(source), str(scratch), "--std", "25", "-j", str(jobs), "--quiet"]
    first, second = [], []
    for _ in range(runs):
        fresh(scratch)
        first.append(seconds_of(command))
        second.append(seconds_of(command))
    fresh(scratch).rmdir()
    rows = [[name, *_both(taken)] for name, taken in (("first", first), ("second, nothing to do", second))]
    print_table(f"Run twice: {label}", ["s", "median", "min"], rows)
    ratio = statistics.median(first) / statistics.median(second)
    wanted = 20.0 if label.startswith(f"{FILES:,}") else None
    goal = Goal(f"second run, {label}", "nothing to do, speed against the first", ratio, wanted, "x")
    return Section([goal], {f"second run, {label}": {"first": first, "second": second}})


def _both(taken: list[float], of: Callable[[list[float]], float] = statistics.median) -> list[str]:
    return [number(of(taken)), number(min(taken))]
