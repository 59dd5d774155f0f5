"""Memory of one very long sound, and what each file costs the parent process: memory and CPU."""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

from data import HOURS, Data
from race import ENVIRONMENT, HERE, NOISECLI, Failed, fresh, say
from table import Goal, Section, number, print_table

POLL_SECONDS = 0.02
FEW, MANY = 10_000, 100_000
MOST_TURNS = 3


def run(data: Data, runs: int, jobs: int, scratch: Path, *, scale: bool) -> Section:
    section = _long_sound(data.hours(), min(runs, MOST_TURNS), scratch)
    if scale:
        section.add(_many_files(data, min(runs, MOST_TURNS), jobs, scratch))
    fresh(scratch).rmdir()
    return section


def parent_cost(command: list[str], scratch: Path) -> tuple[float, dict[str, float]]:
    """Run noisecli; return its seconds, and its parent process's own CPU seconds and peak bytes."""
    report = scratch.with_suffix(".json")
    fresh(scratch)
    begin = time.perf_counter()
    whole = [sys.executable, "-P", str(HERE / "meter.py"), str(report), *command]
    done = subprocess.run(whole, env=ENVIRONMENT, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    taken = time.perf_counter() - begin
    if done.returncode:
        raise Failed(done.stderr.decode(errors="replace")[-300:])
    cost: dict[str, float] = json.loads(report.read_text())
    report.unlink()
    return taken, cost


def peak_memory(command: list[str]) -> tuple[float, dict[int, float]]:
    """Run a command; return its seconds and the peak of resident memory of each of its processes, in MB."""
    begin = time.perf_counter()
    process = subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL, start_new_session=True)
    peaks: dict[int, float] = {}
    while process.poll() is None:
        for pid in _session(process.pid):
            peaks[pid] = max(peaks.get(pid, 0), _peak_megabytes(pid))
        time.sleep(POLL_SECONDS)
    if process.returncode:
        raise Failed(f"exit status {process.returncode}")
    return time.perf_counter() - begin, peaks


def _session(leader: int) -> list[int]:
    """Return the processes of a session: whoever the command started, whoever started them."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.getsid(int(name)) == leader:
                found.append(int(name))
        except OSError:
            continue
    return found


def _peak_megabytes(pid: int) -> float:
    try:
        match = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0.0
    return int(match[1]) * 1024 / 1e6 if match else 0.0


def _long_sound(source: Path, turns: int, scratch: Path) -> Section:
    say(f"\nmemory: one WAV of {HOURS} hours")
    seconds: list[float] = []
    peaks: dict[int, float] = {}
    for _ in range(turns):
        command = [NOISECLI, "audio", str(source), str(fresh(scratch)), "--snr-db", "20", "--quiet"]
        taken, peaks = peak_memory(command)
        seconds.append(taken)
    largest, together = max(peaks.values()), sum(peaks.values())
    rows = [["largest process", number(largest)], ["all together", number(together)]]
    title = (
        f"One WAV of {HOURS} hours (230 MB), {number(statistics.median(seconds))} s; peaks of {len(peaks)} processes"
    )
    print_table(title, ["MB", ""], rows)
    work = f"one WAV of {HOURS} hours"
    goals = [
        Goal(work, "peaks of all processes together", together, 250, " MB", at_most=True),
        Goal(work, "the largest process", largest, None, " MB"),
    ]
    return Section(goals, {work: {"seconds": seconds, "peaks": sorted(peaks.values())}})


def _many_files(data: Data, turns: int, jobs: int, scratch: Path) -> Section:
    say(f"\n{FEW:,} and {MANY:,} small pictures")
    sources = {count: data.small_pictures(count) for count in (FEW, MANY)}
    tiny = data.tiny_photographs()
    words = ["--std", "25", "-j", str(jobs), "--quiet"]
    seconds: dict[int, list[float]] = {FEW: [], MANY: []}
    cpu: dict[int, list[float]] = {0: [], FEW: [], MANY: []}
    peak: dict[int, list[float]] = {0: [], FEW: [], MANY: []}
    for _ in range(turns):
        for count, source in {0: tiny, **sources}.items():
            taken, cost = parent_cost(["images", str(source), str(scratch), *words], scratch)
            seconds.setdefault(count, []).append(taken)
            cpu[count].append(cost["cpu"])
            peak[count].append(cost["peak"])
    middle = statistics.median
    each = {count: middle(seconds[count]) / count for count in (FEW, MANY)}
    own = {count: (middle(cpu[count]) - middle(cpu[0])) / count * 1e6 for count in (FEW, MANY)}
    bytes_a_file = (middle(peak[MANY]) - middle(peak[FEW])) / (MANY - FEW)
    rows = []
    for count in (FEW, MANY):
        numbers = (middle(seconds[count]), each[count] * 1e6, own[count], middle(peak[count]) / 1e6)
        rows.append([f"{count:,}", *map(number, numbers)])
    head = ["small pictures", "s", "us a file", "parent's CPU, us a file", "parent's peak, MB"]
    print_table("Many files", head, rows)
    work = f"{MANY:,} small pictures"
    goals = [
        Goal(work, f"time a file against {FEW:,}", each[MANY] / each[FEW], 1.1, "x", at_most=True),
        Goal(work, "parent's memory", bytes_a_file, 500, " bytes a file", at_most=True),
        Goal(work, "parent's own work", own[MANY], 80, " us a file", at_most=True),
    ]
    return Section(goals, {work: {"seconds": seconds, "parent cpu": cpu, "parent peak": peak}})
