"""SIGKILL at any moment: of the whole run, or of its workers again and again. The rerun gives the undisturbed tree."""

from __future__ import annotations

import random
import shutil
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import program
from figures import Figures
from ground import FILE_KEYS
from program import OURS
from seeds import Seeds

DEADLINE = 120
WORKERS_GONE_WITHIN = 2.0
LAST_KILL_AFTER = 20.0
FILES = {"images": 16, "audio": 24, "arrays": 24}
WORDS = {
    "images": ["--with-clean", "--with-std-map", "--copies", "2", "-j", "2"],
    "audio": ["--copies", "2", "-j", "2"],
    "arrays": ["--with-clean", "--copies", "2", "--key", "*", "-j", "2"],
}
OLD = {"images": ["--std", "5"], "audio": ["--std", "0.001"], "arrays": ["--std", "1"]}
NEW = {"images": ["--std", "25"], "audio": ["--snr-db", "10..30"], "arrays": ["--std", "5..20%"]}

Tree = dict[str, bytes]


@dataclass
class Ground:
    """A source folder, the tree of an older run on it, and the tree of an undisturbed one."""

    source: Path
    old_folder: Path
    old: Tree
    new: Tree
    seconds: float


class Kills:
    """Runs that are killed, of one kind."""

    def __init__(self, kind: str, seeds: Seeds, scratch: Path, figures: Figures) -> None:
        self.kind, self.figures, self.scratch = kind, figures, scratch / f"kills-{kind}"
        self._words = [*NEW[kind], *WORDS[kind]]
        self._ground = self._prepare(seeds)

    def _prepare(self, seeds: Seeds) -> Ground:
        source, old, new = self.scratch / "in", self.scratch / "old", self.scratch / "new"
        names = [name for name in seeds if not name.endswith(".rf64")]
        for number in range(FILES[self.kind]):
            name = names[number % len(names)]
            path = source / f"{number % 3}/{number:02}-{name}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(seeds[name])
        program.run(self.kind, source, old, *OLD[self.kind], *WORDS[self.kind], deadline=DEADLINE)
        began = time.monotonic()
        program.run(self.kind, source, new, *self._words, deadline=DEADLINE, look_every=0.02)
        return Ground(source, old, program.tree(old), program.tree(new), time.monotonic() - began)

    def kill_parent(self, number: int, seed: int) -> None:
        """Kill a run at a random moment; half of them replace the outputs of an older one."""
        choose = random.Random(f"{seed} kill {self.kind} {number}")
        destination, over = self._destination(number)
        process = program.start(self.kind, self._ground.source, destination, *self._words)
        time.sleep(choose.uniform(0.05, 1.0) * self._ground.seconds)
        in_time = process.poll() is None
        # other work on the machine comes and goes, and runs take longer or shorter with it
        self._ground.seconds *= 1.05 if in_time else 0.8
        program.kill(process.pid)
        process.wait()
        self._see_workers_go(process.pid, number)
        self.figures.count("parent kills" if in_time else "parent kills that came too late")
        self._judge_standing(destination, over, number)
        done = program.run(
            self.kind, self._ground.source, destination, *self._words, deadline=DEADLINE, look_every=0.02
        )
        self._judge_rerun("parent kills", done, destination, number)

    def kill_workers(self, number: int, seed: int) -> None:
        """Kill a worker every few tens of milliseconds until the run has ended by itself."""
        choose = random.Random(f"{seed} workers {self.kind} {number}")
        destination, _ = self._destination(number)
        pause, began, killed = choose.uniform(0.02, 0.2), time.monotonic(), 0
        process = program.start(self.kind, self._ground.source, destination, *self._words)
        while process.poll() is None and time.monotonic() - began < DEADLINE:
            living = program.workers(process.pid)
            if living and time.monotonic() - began < LAST_KILL_AFTER:
                program.kill(choose.choice(living))
                killed += 1
            time.sleep(choose.uniform(0.5, 1.5) * pause)
        hung = process.poll() is None
        program.kill_session(process.pid)
        process.wait()
        self.figures.count("worker-kill runs")
        self.figures.count("workers killed", killed)
        where = f"{self.kind} {number}"
        self.figures.fault("worker kills: hangs", int(hung), where)
        odd = process.returncode not in (0, 1)
        self.figures.fault("worker kills: exit status other than 0 and 1", int(odd), f"{where}: {process.returncode}")
        self._judge_statuses(destination, process.returncode, where)
        done = program.run(
            self.kind, self._ground.source, destination, *self._words, deadline=DEADLINE, look_every=0.02
        )
        self._judge_rerun("worker kills", done, destination, number)

    def _destination(self, number: int) -> tuple[Path, bool]:
        destination, over = self.scratch / "out", number % 2 == 1
        shutil.rmtree(destination, ignore_errors=True)
        if over:
            shutil.copytree(self._ground.old_folder, destination)
        return destination, over

    def _see_workers_go(self, leader: int, number: int) -> None:
        """See workers end; the server they are forked from may still be loading libraries, and writes nothing."""
        deadline = time.monotonic() + WORKERS_GONE_WITHIN
        while (living := program.session(leader)) and time.monotonic() < deadline:
            time.sleep(0.02)
        left = [pid for pid in living if program.holds_journal(pid)]
        name = f"parent kills: workers alive after {WORKERS_GONE_WITHIN:g} s"
        self.figures.fault(name, len(left), f"{self.kind} {number}: {[program.described(pid) for pid in left]}")
        self.figures.count("parent kills: idle helpers alive after 2 s", len(living) - len(left))
        program.kill_session(leader)

    def _judge_standing(self, destination: Path, over: bool, number: int) -> None:
        """What stands under a final name is whole: the new file or, where there was one, the old."""
        partial = [
            name
            for name, data in program.tree(destination).items()
            if not Path(name).name.startswith(".noisecli")
            and data not in (self._ground.new.get(name), self._ground.old.get(name) if over else None)
        ]
        note = f"{self.kind} {number}: {', '.join(partial[:4])}"
        self.figures.fault("parent kills: partial files under a final name", len(partial), note)

    def _judge_statuses(self, destination: Path, status: int, where: str) -> None:
        rows = Counter(row["source"] for row in program.lines(destination / "manifest.jsonl"))
        problems = Counter(entry["source"] for entry in program.lines(destination / "errors.jsonl"))
        self.figures.count("worker kills: files failed after one retry", len(problems))
        for path in sorted(self._ground.source.rglob("*.*")):
            name = str(path.relative_to(self._ground.source))
            right = problems[name] == 1 if name in problems else rows[name] == 2
            self.figures.fault("worker kills: files without exactly one status", int(not right), f"{where}: {name}")
        untrue = (status == 0) != (not problems)
        self.figures.fault("worker kills: exit status that is not true", int(untrue), f"{where}: {status}")
        named = {
            str(row[key]) for row in program.lines(destination / "manifest.jsonl") for key in FILE_KEYS if key in row
        }
        left = {*program.tree(destination)} - named - OURS
        self.figures.fault("worker kills: leftovers", len(left), f"{where}: {', '.join(sorted(left)[:4])}")

    def _judge_rerun(self, what: str, done: program.Finished, destination: Path, number: int) -> None:
        tree = program.tree(destination)
        names = {*tree, *self._ground.new}
        different = sorted(name for name in names if tree.get(name) != self._ground.new.get(name))
        note = f"{self.kind} {number}: status {done.status}, {', '.join(different[:6])} {done.err[-1500:]}"
        wrong = bool(different) or done.status != 0 or done.hung
        self.figures.fault(f"{what}: reruns that differ from an undisturbed run", int(wrong), note)
        self.figures.count(f"{what}: trees byte-identical after the rerun", int(not wrong))
