"""The noise alone, in nanoseconds a sample."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any, NamedTuple

from race import ENVIRONMENT, HERE, say
from table import Goal, Section, number, print_table

Row = dict[str, Any]


class Wanted(NamedTuple):
    """The most nanoseconds a sample, and how many times as fast as the textbook line, for a range of native stds."""

    words: str
    most: float | None
    times: float | None


def run(runs: int) -> Section:
    say("\nkernels: arrays of 481x321x3 samples")
    rows: list[Row] = []
    for family in ("images", "audio"):
        command = [sys.executable, "-P", str(HERE / "kernel_times.py"), family, "--runs", str(runs)]
        done = subprocess.run(command, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True, check=True)
        rows += json.loads(done.stdout)
    _print(rows)
    return Section(_goals(rows), {"kernels": rows})


def _print(rows: list[Row]) -> None:
    lines = []
    for row in rows:
        ns = row["ns"]
        strength = [number(row["grey"]), number(row["std"])]
        ours = [number(ns[way]) for way in ("fixed", "fixed, measured", "range", "range, measured")]
        times = [f"{number(ns['textbook'] / ns[way])}x" for way in ("fixed", "range")]
        lines.append([row["samples"], *strength, *ours, number(ns["textbook"]), *times])
    head = ["ns a sample", "std of 255", "native", "fixed", "measured", "range", "measured", "textbook"]
    title = (
        "Kernels: one std for all files, and a new one for each (range); without and with what the manifest measures"
    )
    print_table(title, [*head, "fixed", "range"], lines)


def _goals(rows: list[Row]) -> list[Goal]:
    """The slowest of each group, with what the manifest measures included."""
    groups: dict[tuple[str, Wanted], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["samples"], _wanted(row)), []).append(row)
    goals = []
    for (samples, wanted), members in groups.items():
        work = f"kernel, {samples}{wanted.words}, the slowest"
        for way in ("fixed", "range"):
            slowest = max(row["ns"][f"{way}, measured"] for row in members)
            least = min(row["ns"]["textbook"] / row["ns"][f"{way}, measured"] for row in members)
            goals.append(Goal(work, f"a sample, measured too, {way}", slowest, wanted.most, " ns", at_most=True))
            goals.append(Goal(work, f"speed against the textbook line, {way}", least, wanted.times, "x"))
        alone = max(row["ns"]["fixed"] for row in members)
        goals.append(Goal(work, "a sample, not measured, fixed", alone, None, " ns"))
    return goals


def _wanted(row: Row) -> Wanted:
    if row["dtype"] == "float32":
        return Wanted("", 3.0, 5.0)
    if row["dtype"] == "int32":
        return Wanted("", None, None)
    if row["std"] <= 50:
        return Wanted(", std to 50", 1.2, 12.0)
    return Wanted(", std to 500", 2.0, 12.0) if row["std"] <= 500 else Wanted(", std above 500", 4.0, None)
