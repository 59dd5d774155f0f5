"""Folders of broken files through the whole program: nothing hangs, nothing is lost, nothing wrong is called ok."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import compare
import program
from figures import Figures
from mutate import mutated
from program import OURS
from seeds import Seeds

BATCH = 400
DEADLINE = 900
WHOLE_SHARE = 0.03
TIMEOUT = "10"
ALWAYS = {"arrays": ["--key", "*"]}
ANOTHER_TYPE = {"images": ["--format", "png"], "audio": ["--format", "wav"], "arrays": ["--dtype", "float32"]}
_NO_WITNESS = (compare.REFUSED, compare.DIFFERENT)


class Hostile:
    """Batches of mutated files of one kind."""

    def __init__(self, kind: str, seeds: Seeds, scratch: Path, figures: Figures) -> None:
        self.kind, self.seeds, self.figures = kind, seeds, figures
        self.scratch = scratch / f"hostile-{kind}"
        self._unfit = self._peer_differs()

    def _peer_differs(self) -> set[str]:
        """Names of seeds that the peer reads otherwise even when they are whole: its word on broken ones means nothing.

        Pillow refuses floats in colour, and lets the brightest samples of 16-bit JPEG 2000 wrap around.
        """
        folder = self.scratch / "whole"
        folder.mkdir(parents=True, exist_ok=True)
        unfit = set()
        for name, data in self.seeds.items():
            (folder / name).write_bytes(data)
            if self.kind == "images" and compare.picture(folder / name, folder / name)[0] in _NO_WITNESS:
                unfit.add(name)
        return unfit

    def batch(self, number: int, seed: int) -> None:
        """Run one folder of mutated files, in its own format or all into one that loses nothing, by turns."""
        source, destination = self.scratch / "in", self.scratch / "out"
        for folder in (source, destination):
            shutil.rmtree(folder, ignore_errors=True)
        names = self._fill(source, random.Random(f"{seed} {self.kind} {number}"), number)
        words = ["--std", "0", "-j", "2", "--timeout", TIMEOUT, "--json", *ALWAYS.get(self.kind, ())]
        if number % 2:
            words += [*ANOTHER_TYPE[self.kind], "--name", "{stem}-{copy}{ext}"]
        done = program.run(self.kind, source, destination, *words, deadline=DEADLINE)
        self.figures.count("mutated inputs", len(names))
        self.figures.peak(f"peak memory of one process, {self.kind}, MB", done.peak_mb)
        self._judge_run(done, f"batch {number} of {self.kind}")
        self._judge_files(source, destination, names)
        self._verify(destination, number)

    def _fill(self, folder: Path, choose: random.Random, number: int) -> list[str]:
        folder.mkdir(parents=True)
        names = []
        seeds = list(self.seeds)
        for place in range(BATCH):
            seed = choose.choice(seeds)
            other = self.seeds[choose.choice(seeds)]
            data = self.seeds[seed]
            if choose.random() > WHOLE_SHARE:
                data = mutated(data, other if choose.random() < 0.3 else data, choose)
            stem, _, suffix = seed.partition(".")
            names.append(f"{number}-{place:03}-{stem}.{suffix}")
            (folder / names[-1]).write_bytes(data)
        return names

    def _judge_run(self, done: program.Finished, where: str) -> None:
        fault = self.figures.fault
        fault("hangs", int(done.hung), where)
        fault("tracebacks", int(done.traceback), f"{where}: {done.err[-3000:]}")
        fault("exit statuses other than 0 and 1", int(done.status not in (0, 1)), f"{where}: {done.status} {done.err}")

    def _judge_files(self, source: Path, destination: Path, names: list[str]) -> None:
        rows = program.lines(destination / "manifest.jsonl")
        problems = {entry["source"]: entry for entry in program.lines(destination / "errors.jsonl")}
        made = {row["source"]: row["file_name"] for row in rows}
        fault, count = self.figures.fault, self.figures.count
        for name in names:
            in_both, in_none = name in made and name in problems, name not in made and name not in problems
            fault("inputs that nothing accounts for", int(in_none), name, source / name)
            fault("inputs with two statuses", int(in_both), name, source / name)
            if name in problems:
                reason = problems[name]["reason"]
                count(f"answered: {reason}")
                if reason in ("timeout", "worker-died", "out-of-memory"):
                    self.figures.notes.append(f"{reason}: {name}")
                    fault("inputs that ended a worker", int(reason == "worker-died"), name, source / name)
            elif name in made:
                self._judge_samples(source / name, destination / made[name])
        left = {*program.tree(destination)} - {*made.values()} - OURS
        fault("leftovers in DST", len(left), ", ".join(sorted(left)[:5]))

    def _judge_samples(self, source: Path, output: Path) -> None:
        seed = source.name.split("-", 2)[2]
        if seed in self._unfit:
            self.figures.count(f"passed, {self.kind}: {compare.NOT_COMPARED}")
            return
        finding, told = compare.of_output(self.kind, source, output)
        self.figures.count(f"passed, {self.kind}: {finding}")
        name = f"{self.kind}: wrong samples passed as ok"
        self.figures.fault(name, int(finding == compare.DIFFERENT), f"{source.name}: {told}", source)
        if finding == compare.REFUSED:
            self.figures.count(f"passed though the peer refuses: {source.suffix}")
            self._keep_refused(source, told)

    def _keep_refused(self, source: Path, told: str) -> None:
        folder = self.figures.home / "soak-kept/refused-by-peer"
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, folder / source.name)
        with open(folder / "why.txt", "a", encoding="utf-8") as file:
            file.write(f"{source.name}: {told}\n")

    def _verify(self, destination: Path, number: int) -> None:
        done = program.run("verify", destination, "--json", "-j", "2", deadline=DEADLINE)
        self._judge_run(done, f"verify of batch {number} of {self.kind}")
        different = done.status != 0
        self.figures.fault("verify differences", int(different), f"batch {number} of {self.kind}: {done.err[:600]}")
