"""Where a file's time goes: in a worker, stage by stage, and in the parent process."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from data import Data
from memory import parent_cost
from race import ENVIRONMENT, HERE, fresh, say
from table import Goal, Section, number, print_table


class Work(NamedTuple):
    """One kind of files and what is asked of noisecli for it."""

    label: str
    kind: str
    source: Path
    tiny: Path
    level: str
    options: tuple[str, ...] = ()


def works(data: Data) -> list[Work]:
    photographs = ("images", data.photographs(), data.tiny_photographs(), "25")
    sounds = data.short_sounds()
    return [
        Work("JPEG 95 4:2:0", *photographs, ("--quality", "95", "--subsampling", "420")),
        Work("JPEG 98 4:4:4", *photographs),
        Work("PNG", *photographs, ("--format", "png")),
        Work("WAV of 0.4 s", "audio", sounds, data.tiny_sounds(), "20"),
        Work("WAV of 30 s", "audio", data.long_sounds(), data.tiny_sounds(), "20"),
    ]


def run(data: Data, runs: int, jobs: int, scratch: Path) -> Section:
    say("\nprofile: where a file's time goes")
    found = {work.label: _stages(work, runs, scratch) for work in works(data)}
    _print_stages(found)
    costs = {work.label: _parent(work, runs, jobs, scratch) for work in works(data)}
    print_table("The parent process's own CPU, start-up taken off", ["", "us a file"], _parent_rows(costs))
    goals = [Goal(f"parent's own work, {label}", "CPU", cost, 80, " us a file", True) for label, cost in costs.items()]
    fresh(scratch).rmdir()
    return Section(goals, {"profile": {"stages": found, "parent us a file": costs}})


def _stages(work: Work, runs: int, scratch: Path) -> dict[str, Any]:
    """Return the median of each stage over the runs, each a process of its own."""
    found = []
    for _ in range(runs):
        words = [work.kind, str(work.source), str(fresh(scratch)), "--level", work.level, *work.options]
        command = [sys.executable, "-P", str(HERE / "stages.py"), *words]
        done = subprocess.run(command, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True, check=True)
        found.append(json.loads(done.stdout))
    first = found[0]
    if first["missing"]:
        say(f"  not found, counted as rest: {', '.join(first['missing'])}")
    middle = {stage: statistics.median(one["us"].get(stage, 0) for one in found) for stage in first["us"]}
    totals = {name: statistics.median(one[name] for one in found) for name in ("without clocks", "with clocks")}
    return {"files": first["files"], "us": middle, **totals}


def _print_stages(found: dict[str, dict[str, Any]]) -> None:
    stages = list(dict.fromkeys(stage for one in found.values() for stage in one["us"] if stage != "rest"))
    rows = [[stage, *(number(one["us"].get(stage, 0)) for one in found.values())] for stage in [*stages, "rest"]]
    for name in ("with clocks", "without clocks"):
        rows.append([f"all, {name}", *(number(one[name]) for one in found.values())])
    print_table("One worker, us a file", ["", *found], rows)


def _parent(work: Work, runs: int, jobs: int, scratch: Path) -> float:
    """Return microseconds of CPU for each file."""
    flag = "--std" if work.kind == "images" else "--snr-db"
    words = [flag, work.level, "-j", str(jobs), "--quiet", *work.options]
    files = sum(1 for _ in work.source.iterdir())
    cpu: dict[Path, list[float]] = {work.source: [], work.tiny: []}
    for _ in range(runs):
        for source, taken in cpu.items():
            taken.append(parent_cost([work.kind, str(source), str(scratch), *words], scratch)[1]["cpu"])
    return (statistics.median(cpu[work.source]) - statistics.median(cpu[work.tiny])) / files * 1e6


def _parent_rows(costs: dict[str, float]) -> list[list[str]]:
    return [[label, number(cost)] for label, cost in costs.items()]
