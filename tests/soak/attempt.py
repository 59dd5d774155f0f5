"""One input through open, decode, noise, encode and back, in this process: what is meant to stay one file's affair.

Run as a program it does a row of inputs, a line of JSON for each, and dies with one that takes too long.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
import traceback
from dataclasses import asdict
from pathlib import Path
from typing import Any

from grammars import made

import noisecli
from noisecli.cli.levels import parse_levels
from noisecli.engines.resources import limit_memory, memory_share
from noisecli.errors import FileProblem, Refused
from noisecli.kinds import KINDS, load
from noisecli.kinds.arrays import ArraysSettings
from noisecli.model import Made, Problem, Task
from noisecli.settings import NoiseSettings, Settings
from noisecli.workers import WorkerContext, open_file

CPU_SECONDS = 10
START_AGAIN_MB = 350
STD = {"images": "25", "audio": "1%", "arrays": "0.5", "weights": "5%"}
PACKAGE = str(Path(noisecli.__file__).parent)


class Attempts:
    """Tries inputs of one kind.

    Each is answered by a word: made; the reason of a failed or skipped file; refused (a model); escape, what no reason
    was found for; unlike, an output that does not decode to what its row says.
    """

    def __init__(self, kind: str, scratch: Path) -> None:
        self.kind, self._source, self._destination = kind, scratch / "in", scratch / "out"
        for folder in (self._source, self._destination):
            folder.mkdir(parents=True, exist_ok=True)
        if kind != "adversarial":
            self._level = parse_levels(
                STD[kind], "std", KINDS[kind].bare_unit, steps=None, severity_set="imagenet-c", mean=0.0
            )[0]
            self._maker = load(KINDS[kind].maker)(self._context())

    def _context(self) -> WorkerContext:
        parts = ArraysSettings(choose=("*",)) if self.kind == "arrays" else ArraysSettings()
        settings = Settings(
            self.kind,
            str(self._source),
            str(self._destination),
            NoiseSettings((self._level,)),
            own=parts if self.kind in ("arrays", "weights") else None,
        )
        return WorkerContext(settings, ".noisecli-tmp-soak-", load(KINDS[self.kind].codec))

    def __call__(self, suffix: str, data: bytes) -> tuple[str, str]:
        """Return the word and what is to be said of it."""
        name = "input" + suffix
        path = self._source / name
        path.write_bytes(data)
        try:
            word, told = self._described(path) if self.kind == "adversarial" else self._made(name, len(data))
        except Exception as error:
            return "escape", f"{type(error).__name__} at {place(error)}: {str(error)[:150]!r}"
        left = [entry.name for entry in os.scandir(self._destination)]
        for entry in left:
            os.unlink(self._destination / entry)
        return ("leftover", left[0]) if set(left) - {name} else (word, told)

    def _made(self, name: str, size: int) -> tuple[str, str]:
        task = Task(name, name, None, self._level, 1, bytes(range(16)), size)
        try:
            with open_file(str(self._source), name, 1 << 40) as file, self._maker.open(file) as opened:
                done: Made = self._maker.make(task, opened)
        except FileProblem as problem:
            told = asdict(Problem(name, problem.status, problem.reason, problem.message))
            # as errors.jsonl will hold it
            json.dumps(told, ensure_ascii=False).encode()
            return problem.reason, problem.message[:200]
        except (OSError, MemoryError) as error:
            return type(error).__name__, f"at {place(error)}: {error}"
        row = json.loads(done.row.encode())
        try:
            with open_file(str(self._destination), name, 1 << 40) as file:
                different = [*self._maker.mismatches(file, row)]
        except FileProblem as problem:
            return "unlike", f"{problem.reason}: {problem.message[:200]}"
        return ("unlike", repr(different)[:300]) if different else ("made", "")

    def _described(self, path: Path) -> tuple[str, str]:
        """Read a model's description, as far as it goes without Keras."""
        from noisecli.kinds.adversarial.request import adversary_settings

        members = {"samples": "x", "labels": "y"}
        try:
            adversary_settings(
                *(str(path), str(self._source)),
                **{
                    "eps": 0.01,
                    "classes": None,
                    "input_range": None,
                    "answers": None,
                    "members": members,
                    "batch_size": 8,
                },  # type: ignore[arg-type]
            )
        except Refused as refusal:
            return ("made", "") if "Keras is not installed" in str(refusal) else ("refused", str(refusal)[:200])
        return "made", ""


def place(error: BaseException) -> str:
    """Return the innermost place in noisecli that an error came through."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(PACKAGE)]
    if not frames:
        return "outside of noisecli"
    last = frames[-1]
    return f"{os.path.relpath(last.filename, PACKAGE)}:{last.lineno} {last.name}"


def _peak_mb() -> float:
    with open("/proc/self/status", encoding="ascii", errors="replace") as file:
        return next((int(line.split()[1]) / 1024 for line in file if line.startswith("VmHWM")), 0.0)


def _forget_peak() -> None:
    with contextlib.suppress(OSError), open("/proc/self/clear_refs", "w", encoding="ascii") as file:
        file.write("5")


def main() -> None:
    """Try numbers first to last of a grammar."""
    grammar, scratch, seed, first, last = sys.argv[1], Path(sys.argv[2]), *map(int, sys.argv[3:])
    limit_memory(memory_share(2))
    answers, attempts = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="backslashreplace"), {}
    for number in range(first, last):
        kind, (suffix, data) = made(grammar, number, seed)
        if kind not in attempts:
            attempts[kind] = Attempts(kind, scratch / kind)
        _forget_peak()
        began = time.process_time()
        # ends this process, even where C code spins
        signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
        word, told = attempts[kind](suffix, data)
        signal.setitimer(signal.ITIMER_PROF, 0)
        peak = _peak_mb()
        answer: dict[str, Any] = {"number": number, "word": word, "told": told, "size": len(data)}
        answers.write(json.dumps(answer | {"seconds": time.process_time() - began, "peak": peak}) + "\n")
        answers.flush()
        if peak > START_AGAIN_MB:
            return


if __name__ == "__main__":
    main()
