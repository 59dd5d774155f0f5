"""What was measured beside what is wanted, on a screen of 120 columns."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from race import Times, say


@dataclass(frozen=True)
class Goal:
    """One line of the last table. `wanted` is the least, or the most where `at_most`."""

    work: str
    what: str
    measured: float
    wanted: float | None
    unit: str = ""
    at_most: bool = False

    @property
    def reached(self) -> bool | None:
        if self.wanted is None or math.isnan(self.measured):
            return None
        return self.measured <= self.wanted if self.at_most else self.measured >= self.wanted


@dataclass
class Section:
    """What one part of the bench found out."""

    goals: list[Goal] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)

    def add(self, other: Section) -> None:
        self.goals += other.goals
        self.details |= other.details

    def as_json(self) -> dict[str, Any]:
        return {"goals": [{**asdict(goal), "reached": goal.reached} for goal in self.goals], **self.details}


def number(value: float | None, digits: int = 3) -> str:
    """Return so many significant digits; a dash for what was not measured."""
    if value is None or math.isnan(value):
        return "-"
    if value == 0 or abs(value) >= 10 ** (digits - 1):
        return f"{value:,.0f}"
    return f"{value:.{max(0, digits - 1 - math.floor(math.log10(abs(value))))}f}"


def print_table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """The first column to the left, all others to the right."""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    say(f"\n{title}")
    for row in [head, ["-" * width for width in widths], *rows]:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        say("  " + "  ".join(cells).rstrip())


def print_race(title: str, times: Mapping[str, Times], notes: Mapping[str, str], std: str) -> None:
    """Print seconds, and how many times as long as the floor and as noisecli each took."""
    floor, ours = times["floor"], times["noisecli"]
    rows: list[list[str]] = []
    for name, one in times.items():
        if one.problem:
            rows.append([name, "-", "-", "-", "-", "-", "-", "-", one.problem[:40]])
            continue
        start = [number(one.median), number(min(one.seconds)), number(one.start_up)]
        ratios = [f"{number(one.median / floor.median)}x", f"{number(one.median / ours.median)}x"]
        made = [f"{one.megabytes:.0f}", number(one.std)]
        rows.append([name, *start, *ratios, *made, notes.get(name, "")])
    head = ["", "median s", "min s", "empty s", "of floor", "of noisecli", "MB out", std, ""]
    print_table(title, head, rows)


def print_goals(goals: Sequence[Goal]) -> None:
    rows = []
    for goal in goals:
        sign = "at most " if goal.at_most else ""
        wanted = "" if goal.wanted is None else f"{sign}{number(goal.wanted)}{goal.unit}"
        verdict = {True: "yes", False: "no", None: ""}[goal.reached]
        rows.append([goal.work, goal.what, f"{number(goal.measured)}{goal.unit}", wanted, verdict])
    for row, before in reversed(list(zip(rows[1:], [row[0] for row in rows], strict=False))):
        row[0] = "" if row[0] == before else row[0]
    widths = [max(map(len, column)) for column in zip(["work", "", "measured", "goal", ""], *rows, strict=True)]
    say("\nGoals")
    for row in [["work", "", "measured", "goal", ""], ["-" * width for width in widths], *rows]:
        left = [row[0].ljust(widths[0]), row[1].ljust(widths[1])]
        right = [cell.rjust(width) for cell, width in zip(row[2:], widths[2:], strict=True)]
        say("  " + "  ".join(left + right).rstrip())


def race_details(times: Mapping[str, Times]) -> dict[str, Any]:
    return {name: one.as_json() for name, one in times.items()}


def against(work: str, times: Mapping[str, Times], wanted: Mapping[str, float]) -> list[Goal]:
    """Compare noisecli with the floor (a share of its speed) and with peers (how many times as fast)."""
    ours, floor = times["noisecli"], times["floor"]
    goals = [
        Goal(work, "of the floor's speed", floor.median / ours.median, wanted.get("floor")),
        Goal(work, "the same, start-up taken off both", floor.net / ours.net, None),
    ]
    for name, least in wanted.items():
        if name != "floor" and name in times:
            goals.append(Goal(work, f"speed against {name}", times[name].median / ours.median, least, "x"))
    return goals
