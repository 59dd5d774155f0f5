"""`make bench`: noisecli beside floors and peers. Nothing is asserted; the last table tells what was wanted."""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import audio
import images
import kernels
import machine
import memory
import profile_files
import startup
from data import Data
from race import Failed, say
from table import Section, print_goals

PARTS = ("images", "audio", "kernels", "profile", "memory", "startup")


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of real pictures and sounds to cut the data from")
    parser.add_argument("--runs", type=int, default=5, help="1: quick, on a quarter of the files")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--scale", action="store_true", help="100,000 files too")
    parser.add_argument("--only", choices=PARTS)
    parser.add_argument("--home", type=Path, default=Path(".bench"), help="where data and results are kept")
    args = parser.parse_args()
    if args.runs < 1:
        parser.error("RUNS must be 1 or more")
    if args.data is not None and not args.data.is_dir():
        parser.error(f"DATA={args.data}: no such folder")
    return args


def section_of(part: str, way: Callable[[], Section]) -> Section:
    """What one part found out; a part that fails costs the others nothing."""
    try:
        return way()
    except (Failed, subprocess.CalledProcessError) as error:
        say(f"{part}: {error}; left out")
        return Section(details={"problem": str(error)})


def main() -> None:
    args = parsed()
    versions, described = machine.versions(), machine.describe()
    for name, value in [*described.items(), *versions.items()]:
        say(f"{name}: {value or 'missing'}")
    for line in machine.missing(versions):
        say(line)
    data = Data(args.home / "data", args.data, quick=args.runs == 1)
    args.home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="scratch-", dir=args.home, ignore_cleanup_errors=True) as scratch:
        ways = ways_of(args, data, Path(scratch) / "out")
        sections = {part: section_of(part, way) for part, way in ways.items() if args.only in (None, part)}
    print_goals([goal for section in sections.values() for goal in section.goals])
    report = args.home / (f"results-{args.only}.json" if args.only else "results.json")
    about = {"machine": described, "versions": versions, "runs": args.runs, "jobs": args.jobs, "data": data.root.name}
    report.write_text(json.dumps({**about, **{k: v.as_json() for k, v in sections.items()}}, indent=1) + "\n")
    say(f"\nwritten: {report}")
    if args.runs < 5:
        say("fewer than 5 runs: only good for seeing that everything works")


def ways_of(args: argparse.Namespace, data: Data, scratch: Path) -> dict[str, Callable[[], Section]]:
    runs, jobs = args.runs, args.jobs
    return {
        "images": lambda: images.Photographs(data, runs, jobs, scratch).run(),
        "audio": lambda: audio.run(data, runs, jobs, scratch),
        "kernels": lambda: kernels.run(runs),
        "profile": lambda: profile_files.run(data, runs, jobs, scratch),
        "memory": lambda: memory.run(data, runs, jobs, scratch, scale=args.scale),
        "startup": lambda: startup.run(data, runs, jobs, scratch),
    }


if __name__ == "__main__":
    main()
