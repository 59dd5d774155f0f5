"""What is counted, how it is printed, and where the inputs that made trouble are kept."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

WANTED_ZERO = "0"
NOTES_KEPT = 200


@dataclass
class Escape:
    """One way in which inputs of a grammar went wrong: how many did, and the smallest of them."""

    count: int
    size: int
    number: int
    told: str


class Figures:
    """Numbers by name: counts, which add up, and peaks. Those that must be 0 are marked."""

    def __init__(self, home: Path, seed: int) -> None:
        self.home, self.seed = home, seed
        self.counts: Counter[str] = Counter()
        self.peaks: dict[str, float] = {}
        self.faults: set[str] = set()
        self.notes: list[str] = []
        self.escapes: dict[tuple[str, str], Escape] = {}

    def count(self, name: str, number: int = 1) -> None:
        self.counts[name] += number

    def peak(self, name: str, value: float) -> None:
        self.peaks[name] = max(self.peaks.get(name, 0.0), round(value, 1))

    def fault(self, name: str, number: int = 0, note: str = "", keep: Path | None = None) -> None:
        """Count what should never happen; call it with 0 to have it in the table. A note names one case."""
        self.faults.add(name)
        self.counts[name] += number
        if number and note and len(self.notes) < NOTES_KEPT:
            self.notes.append(f"{name}: {note}")
        if number and keep is not None and keep.exists():
            folder = self.home / "soak-kept" / name.replace(" ", "-").replace("/", "-")
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy2(keep, folder / keep.name)

    def escape(self, grammar: str, way: str, number: int, told: str, made: tuple[str, bytes]) -> None:
        """Note what went wrong in one way with one input; the smallest is kept."""
        suffix, data = made
        before = self.escapes.get((grammar, way))
        count = before.count + 1 if before else 1
        if before and before.size <= len(data):
            before.count = count
            return
        self.escapes[grammar, way] = Escape(count, len(data), number, told)
        folder = self.home / "soak-kept" / "escapes"
        folder.mkdir(parents=True, exist_ok=True)
        words = re.sub(r"[^A-Za-z0-9.]+", "-", f"{grammar} {way}")[:120]
        (folder / f"{words}{suffix}").write_bytes(data)

    def escapes_table(self) -> str:
        """One line for each way in which inputs of a grammar went wrong."""
        return "\n".join(
            f"{grammar}: {one.count:,} times: {one.told} (smallest: number {one.number}, {one.size:,} bytes)"
            for (grammar, _), one in sorted(self.escapes.items())
        )

    @property
    def failed(self) -> bool:
        return any(self.counts[name] for name in self.faults)

    def table(self) -> str:
        names = sorted(self.counts)
        rows = [(name, f"{self.counts[name]:,}", WANTED_ZERO if name in self.faults else "") for name in names]
        rows += [(name, f"{value:,}", "") for name, value in sorted(self.peaks.items())]
        width = max((len(row[0]) for row in rows), default=0)
        marks = {True: "wanted 0", False: "wanted 0  <----"}
        return "\n".join(
            f"{name:<{width}}  {value:>9}  {marks[value == '0'] if wanted else ''}".rstrip()
            for name, value, wanted in rows
        )

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        content = {
            "seed": self.seed,
            "counts": dict(sorted(self.counts.items())),
            "peaks": self.peaks,
            "wanted_zero": sorted(self.faults),
            "notes": self.notes,
            "escapes": self.escapes_table().splitlines(),
        }
        path.write_text(
            json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8", errors="backslashreplace"
        )
