"""Files cut at every kind of place: none may pass as ok with other samples than the whole file's."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import compare
import program
from figures import Figures
from hostile import ALWAYS

DEADLINE = 600
NEAR_END = 24


class Cuts:
    """Cuts of one file at a time."""

    def __init__(self, kind: str, scratch: Path, figures: Figures) -> None:
        self.kind, self.figures, self.scratch = kind, figures, scratch / f"cuts-{kind}"

    def of(self, name: str, data: bytes, number: int, seed: int) -> None:
        """Cut a file `number` times: the last bytes one by one, the rest spread over it, and run the whole beside."""
        source, destination = self.scratch / "in", self.scratch / "out"
        for folder in (source, destination):
            shutil.rmtree(folder, ignore_errors=True)
        source.mkdir(parents=True)
        stem, _, suffix = name.partition(".")
        places = _places(len(data), number, random.Random(f"{seed} cuts {name}"))
        for place in places:
            (source / f"{stem}-{place:06}.{suffix}").write_bytes(data[:place])
        whole = f"{stem}-whole.{suffix}"
        (source / whole).write_bytes(data)
        # with --format png a difference is one of decoding
        lossless = ["--format", "png"] if suffix in ("jpg", "webp", "avif", "jp2", "gif") else ALWAYS.get(self.kind, [])
        done = program.run(self.kind, source, destination, "--std", "0", "-j", "2", *lossless, deadline=DEADLINE)
        self._judge(done, source, destination, whole)

    def _judge(self, done: program.Finished, source: Path, destination: Path, whole: str) -> None:
        fault, count = self.figures.fault, self.figures.count
        fault(
            "cuts: runs that hang, trace back or end oddly", int(done.hung or done.traceback or done.status != 1), whole
        )
        made = {row["source"]: row["file_name"] for row in program.lines(destination / "manifest.jsonl")}
        problems = {entry["source"] for entry in program.lines(destination / "errors.jsonl")}
        fault("cuts: whole files that are refused", int(whole not in made), whole)
        if whole not in made:
            return
        expected = compare.samples(destination / made[whole])
        for path in source.iterdir():
            if path.name == whole:
                continue
            count("cuts")
            fault("cuts: inputs that nothing accounts for", int(path.name not in made and path.name not in problems))
            passed = path.name in made
            same = passed and compare.samples(destination / made[path.name]) == expected
            count("cuts passed with the whole file's samples", int(same))
            fault("cuts passed as ok with other samples", int(passed and not same), path.name, path)


def _places(size: int, number: int, choose: random.Random) -> list[int]:
    near = set(range(max(1, size - NEAR_END), size))
    rest = range(1, max(2, size - NEAR_END))
    return sorted(near | {*choose.sample(rest, min(len(rest), max(0, number - len(near))))})
