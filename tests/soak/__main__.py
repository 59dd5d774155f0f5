"""`make soak MINUTES=10`: broken files, edits, cuts and kills by the thousand, the same for a seed; then a table."""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from cuts import Cuts
from edits import Edits
from figures import Figures
from grammars import GRAMMARS
from hostile import BATCH, Hostile
from kills import Kills
from legal import BATCH as LEGAL_BATCH
from legal import Legal
from seeds import KINDS
from structured import BATCH as STRUCTURED_BATCH
from structured import QUICK_BATCH, Structured
from variations import VARIATIONS

Step = Callable[[], None]
KILLS_IN_A_ROW, EDITS_IN_A_ROW = 4, 6


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python tests/soak", description=__doc__)
    parser.add_argument(
        "--minutes", type=float, help="go on that long, a little of everything in turn (without counts: 10)"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--inputs", type=int, metavar="N", help="mutated files")
    parser.add_argument("--kills", type=int, metavar="N", help="kills of the whole run")
    parser.add_argument("--worker-kills", type=int, metavar="N", help="runs whose workers are killed")
    parser.add_argument("--cuts", type=int, metavar="N", help="cut positions for every format (all files: 76)")
    parser.add_argument("--grammars", type=int, metavar="N", help="inputs made by grammars, each way (see --only)")
    parser.add_argument("--edits", type=int, metavar="N", help="edits of manifest, journal, errors and run.json")
    parser.add_argument(
        "--variations", type=int, metavar="N", help="legal files of unusual form, so many of each format"
    )
    only = sorted({*GRAMMARS, *VARIATIONS})
    parser.add_argument("--only", action="append", choices=only, help="this grammar or format; may be repeated")
    parser.add_argument("--home", type=Path, default=Path(".bench"), help="where figures and bad inputs are kept")
    parser.add_argument("--name", default="soak", help="the figures go to HOME/NAME.json")
    args = parser.parse_args()
    counts = (args.inputs, args.kills, args.worker_kills, args.cuts, args.grammars, args.edits, args.variations)
    if args.minutes is None and all(number is None for number in counts):
        args.minutes = 10
    return args


def hostile(args: argparse.Namespace, scratch: Path, figures: Figures) -> Iterator[Step]:
    every = [Hostile(kind, make(), scratch, figures) for kind, make in KINDS.items()]
    for number in itertools.count():
        one = every[number % len(every)]
        yield lambda number=number, one=one: one.batch(number // len(every), args.seed)  # type: ignore[misc]


def parent_kills(args: argparse.Namespace, scratch: Path, figures: Figures) -> Iterator[Step]:
    every = [Kills(kind, make(), scratch / "parent", figures) for kind, make in KINDS.items()]
    for number in itertools.count():
        yield lambda number=number: every[number % len(every)].kill_parent(number // len(every), args.seed)  # type: ignore[misc]


def worker_kills(args: argparse.Namespace, scratch: Path, figures: Figures) -> Iterator[Step]:
    every = [Kills(kind, make(), scratch / "workers", figures) for kind, make in KINDS.items()]
    for number in itertools.count():
        yield lambda number=number: every[number % len(every)].kill_workers(number // len(every), args.seed)  # type: ignore[misc]


def cuts(args: argparse.Namespace, scratch: Path, figures: Figures) -> Iterator[Step]:
    for kind, make in KINDS.items():
        cutter = Cuts(kind, scratch, figures)
        for name, data in make().items():
            yield lambda c=cutter, n=name, d=data: c.of(n, d, args.cuts or 150, args.seed)  # type: ignore[misc]


def structured(args: argparse.Namespace, scratch: Path, figures: Figures) -> list[Structured]:
    """Return the grammars whose packages are here; the others are named."""
    every = [Structured(name, scratch, figures) for name in GRAMMARS if not args.only or name in args.only]
    for one in every:
        if one.missing:
            figures.notes.append(f"grammar {one.name}: left out, {one.missing} is not installed")
    return [one for one in every if not one.missing]


def quick_inputs(args: argparse.Namespace, scratch: Path, figures: Figures) -> Iterator[Step]:
    every = structured(args, scratch, figures)
    for number in itertools.count():
        yield lambda number=number: every[number % len(every)].quick(number // len(every), args.seed)  # type: ignore[misc]


def whole_inputs(args: argparse.Namespace, scratch: Path, figures: Figures) -> Iterator[Step]:
    every = structured(args, scratch, figures)
    for number in itertools.count():
        yield lambda number=number: every[number % len(every)].batch(number // len(every), args.seed)  # type: ignore[misc]


def variations(args: argparse.Namespace, scratch: Path, figures: Figures, most: int = LEGAL_BATCH) -> Iterator[Step]:
    names = [name for name in VARIATIONS if not args.only or name in args.only]
    every = [Legal(name, scratch, figures) for name in names]
    for number in itertools.count():
        for one in every:
            yield lambda number=number, one=one: one.batch(number, args.seed, most)  # type: ignore[misc]


def edits(args: argparse.Namespace, scratch: Path, figures: Figures) -> Iterator[Step]:
    every = Edits(scratch, figures)
    for number in itertools.count():
        yield lambda number=number: every.edit(number, args.seed)  # type: ignore[misc]


def steps(args: argparse.Namespace, scratch: Path, figures: Figures) -> Iterator[Step]:
    """Yield what was asked for by numbers; or, by time, a little of everything in turn."""
    # the kills that come too late do not count, so there are more of them
    if args.minutes is None:
        yield from itertools.islice(hostile(args, scratch, figures), -(-(args.inputs or 0) // BATCH))
        wanted = args.grammars or 0
        yield from itertools.islice(quick_inputs(args, scratch, figures), -(-wanted // QUICK_BATCH))
        yield from itertools.islice(whole_inputs(args, scratch, figures), -(-wanted // STRUCTURED_BATCH))
        for many in [args.variations] if args.variations else []:
            yield from itertools.islice(variations(args, scratch, figures, many), len(args.only or VARIATIONS))
        yield from itertools.islice(edits(args, scratch, figures), args.edits or 0)
        yield from cuts(args, scratch, figures) if args.cuts else ()
        if args.kills:
            for step in parent_kills(args, scratch, figures):
                if figures.counts["parent kills"] >= args.kills:
                    break
                yield step
        if args.worker_kills:
            yield from itertools.islice(worker_kills(args, scratch, figures), args.worker_kills)
        return
    sources = [(quick_inputs, 2), (whole_inputs, 2), (variations, 2), (edits, EDITS_IN_A_ROW)]
    sources += [(hostile, 1), (parent_kills, KILLS_IN_A_ROW), (cuts, 2), (worker_kills, 2)]
    running = [(way(args, scratch, figures), number) for way, number in sources]
    while True:
        for way, number in running:
            yield from itertools.islice(way, number)


def main() -> None:
    args = parsed()
    args.home.mkdir(parents=True, exist_ok=True)
    figures = Figures(args.home, args.seed)
    began = time.monotonic()
    result = args.home / f"{args.name}.json"
    with tempfile.TemporaryDirectory(prefix="soak-", dir=args.home, ignore_cleanup_errors=True) as scratch:
        for step in steps(args, Path(scratch), figures):
            if args.minutes is not None and time.monotonic() - began > args.minutes * 60:
                break
            step()
            figures.peaks["minutes"] = round((time.monotonic() - began) / 60, 1)
            figures.save(result)
    print(figures.table())
    print(figures.escapes_table())
    for note in figures.notes:
        print(f"- {note}")
    print(f"seed {args.seed}; figures in {result}")
    sys.exit(1 if figures.failed else 0)


if __name__ == "__main__":
    main()
