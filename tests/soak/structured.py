"""Inputs made by grammars: quickly, one after the other in one process, and in folders through the whole program."""

from __future__ import annotations

import json
import os
import random
import select
import shutil
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import program
from attempt import STD
from figures import Figures
from grammars import GRAMMARS, made
from program import OURS

BATCH = 400
QUICK_BATCH = 1_000
DEADLINE = 900
SILENT_SECONDS = 120
"""An input is given ten seconds of the processor, which on a busy machine take longer."""
MOST_MB = 500
MODELS_A_BATCH = 10
_HANGS_ARE_ANSWERED = ("audio",)
"""libsndfile spins for ever on some files: the program's time limit is what answers them."""


class Structured:
    """Inputs of one grammar."""

    def __init__(self, name: str, scratch: Path, figures: Figures) -> None:
        self.name, self.figures = name, figures
        self._grammar, self._scratch = GRAMMARS[name], scratch / f"grammar-{name}"

    @property
    def missing(self) -> str:
        """The first package it needs that is not here; nothing when all are."""
        return next((package for package in self._grammar.needs if find_spec(package) is None), "")

    def quick(self, number: int, seed: int, count: int = QUICK_BATCH) -> None:
        """Try so many inputs in process."""
        at, last = number * QUICK_BATCH, number * QUICK_BATCH + count
        self.figures.count(f"grammar {self.name}: inputs in process", count)
        for what in ("escapes", "outputs unlike their rows, or leftovers", "inputs that end or hang a process"):
            self.figures.fault(f"grammar {self.name}: {what}")
        while at < last:
            at = self._some(seed, at, last)

    def _some(self, seed: int, first: int, last: int) -> int:
        """Try inputs until one ends the process; return the number of the next."""
        script = Path(__file__).with_name("attempt.py")
        words = [sys.executable, str(script), self.name, str(self._scratch), *map(str, (seed, first, last))]
        child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert child.stdout is not None
        at, buffered = first, b""
        while True:
            ready, _, _ = select.select([child.stdout], [], [], SILENT_SECONDS)
            data = os.read(child.stdout.fileno(), 1 << 16) if ready else b""
            if not data:
                break
            *whole, buffered = (buffered + data).split(b"\n")
            for line in whole:
                self._judge(json.loads(line), seed)
                at += 1
        child.kill()
        status = child.wait()
        child.stdout.close()
        if at < last and (status != 0 or not ready):
            self._judge_end(at, seed, status, hung=not ready or status == -signal.SIGPROF)
            at += 1
        return at

    def _judge(self, answer: dict[str, Any], seed: int) -> None:
        number, word, told = answer["number"], answer["word"], answer["told"]
        where = f"grammar {self.name}"
        self.figures.count(f"{where}: {word}")
        self.figures.peak(f"{where}: peak memory in process, MB", answer["peak"])
        self.figures.peak(f"{where}: seconds for one input", answer["seconds"])
        if word == "escape":
            self.figures.fault(f"{where}: escapes", 1)
            self.figures.escape(self.name, told.partition(": ")[0], number, told, made(self.name, number, seed)[1])
        if word in ("unlike", "leftover"):
            self.figures.fault(f"{where}: outputs unlike their rows, or leftovers", 1)
            self.figures.escape(self.name, f"{word} {told[:30]}", number, told, made(self.name, number, seed)[1])
        greedy = answer["peak"] > MOST_MB
        self.figures.fault(f"{where}: inputs that take over {MOST_MB} MB", int(greedy))
        if greedy:
            told = f"{word}, {answer['peak']:.0f} MB"
            self.figures.escape(self.name, "memory", number, told, made(self.name, number, seed)[1])

    def _judge_end(self, number: int, seed: int, status: int, *, hung: bool) -> None:
        answered = hung and self.name in _HANGS_ARE_ANSWERED
        way = "takes too long" if hung else f"process ended with {status}"
        if answered:
            self.figures.count(f"grammar {self.name}: inputs for the time limit")
        else:
            self.figures.fault(f"grammar {self.name}: inputs that end or hang a process", 1)
        self.figures.escape(self.name, way, number, way, made(self.name, number, seed)[1])

    def batch(self, number: int, seed: int) -> None:
        """Run one folder of inputs through the program."""
        source, destination = self._scratch / "src", self._scratch / "dst"
        for folder in (source, destination):
            shutil.rmtree(folder, ignore_errors=True)
        kind = self._grammar.kinds[number % len(self._grammar.kinds)]
        names = self._fill(source, number, seed)
        if kind == "adversarial":
            for name in random.Random(number).sample(names, min(MODELS_A_BATCH, len(names))):
                self._model(source, destination, name)
            return
        words = [
            "--std",
            STD[kind],
            "-j",
            "2",
            "--timeout",
            "10",
            "--json",
            *(["--key", "*"] if kind == "arrays" else []),
        ]
        done = program.run(kind, source, destination, *words, deadline=DEADLINE)
        self.figures.count(f"grammar {self.name}: inputs through the program", len(names))
        self.figures.peak(f"grammar {self.name}: peak memory of all processes, MB", done.tree_mb)
        self._judge_run(done, f"batch {number}")
        if done.status in (0, 1):
            self._judge_files(source, destination, names)
            checked = program.run("verify", destination, "-j", "2", deadline=DEADLINE)
            note = f"{self.name} {number}: {checked.err[:600]}"
            self.figures.fault(f"grammar {self.name}: verify differences", int(checked.status != 0), note)

    def _fill(self, folder: Path, number: int, seed: int) -> list[str]:
        folder.mkdir(parents=True)
        names = []
        began = time.monotonic()
        for at in range(number * BATCH, (number + 1) * BATCH):
            # numbers of their own: what one process saw, the other need not see again
            suffix, data = made(self.name, at, seed + 1_000_003)[1]
            names.append(f"{at:06}{suffix}")
            (folder / names[-1]).write_bytes(data)
        self.figures.peak(f"grammar {self.name}: seconds to make {BATCH} inputs", time.monotonic() - began)
        return names

    def _judge_run(self, done: program.Finished, where: str) -> None:
        ended = done.hung or done.traceback or done.status not in (0, 1)
        self.figures.fault(
            "runs ended by one file", int(ended), f"{self.name}, {where}: {done.status} {done.err[-900:]}"
        )

    def _judge_files(self, source: Path, destination: Path, names: list[str]) -> None:
        problems = {entry["source"]: entry["reason"] for entry in program.lines(destination / "errors.jsonl")}
        made_of = {row["source"]: row["file_name"] for row in program.lines(destination / "manifest.jsonl")}
        fault = self.figures.fault
        for name in names:
            statuses = (name in problems) + (name in made_of)
            fault("grammars: sources without exactly one status", int(statuses != 1), name, source / name)
            reason = problems.get(name, "made")
            fault(f"grammar {self.name}: internal-error", int(reason == "internal-error"), name, source / name)
            fault(f"grammar {self.name}: worker-died", int(reason == "worker-died"), name, source / name)
            self.figures.count(f"grammars, whole program: {reason}")
        left = {*program.tree(destination)} - {*made_of.values()} - OURS
        fault("grammars: leftovers in DST", len(left), f"{self.name}: {', '.join(sorted(left)[:5])}")

    def _model(self, source: Path, destination: Path, name: str) -> None:
        """Name a model: it is refused, or would be loaded."""
        words = ("--model", source / name, "--eps", "1%", "--std", "0", "--dry-run")
        pictures = source.parent / "pictures" / "one"
        pictures.mkdir(parents=True, exist_ok=True)
        done = program.run("adversarial", pictures.parent, destination, *words, deadline=120)
        self.figures.count("grammar keras: models named to the program")
        odd = done.hung or done.traceback or done.status not in (1, 2)
        self.figures.fault(
            "runs ended by one file", int(odd), f"model {name}: {done.status} {done.err[-900:]}", source / name
        )
