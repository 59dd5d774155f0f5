"""Edited manifests, journals, errors and run.json under every command: what no row of ours told is never removed."""

from __future__ import annotations

import contextlib
import random
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import program
from figures import Figures
from ground import GROUNDS, OWN, TEMPORARY, Ground, State, state
from spoil import spoil

DEADLINE = 60
COMMANDS_AN_EDIT = 4

Words = list[str | Path]


class Command(NamedTuple):
    """One way to run noisecli over a destination.

    Attributes
    ----------
    words
        Of a ground; called inside of `around`.
    around
        Moves sources away for the time of the run, and brings them back.
    reads_only
        It must change nothing at all.
    other
        It makes other bytes under the same names.
    force
        It may replace what stands in its outputs' places, whoever made it.
    gone
        Which sources it may prune the outputs of.
    """

    words: Callable[[Ground], Words]
    around: Callable[[Ground], contextlib.AbstractContextManager[None]] = lambda ground: contextlib.nullcontext()
    reads_only: bool = False
    other: bool = False
    force: bool = False
    gone: Callable[[Ground], set[str]] = lambda ground: set()


def _asked(*more: str) -> Callable[[Ground], Words]:
    return lambda ground: [*ground.paths(), *ground.words, *more]


def _of(part: str, *more: str) -> Callable[[Ground], Words]:
    """Name another source: a folder or file of the one there is, or one beside it."""
    return lambda ground: [*ground.paths(ground.source / part), *ground.words, *more]


def _fewer(ground: Ground) -> Words:
    return [*ground.paths(), *("30" if word == "50" else word for word in ground.words), "--prune"]


@contextlib.contextmanager
def _without_one(ground: Ground) -> Iterator[None]:
    """Take one source away."""
    name = _one(ground)
    aside = ground.home / "aside"
    if name:
        (ground.source / name).rename(aside)
    yield
    if name:
        aside.rename(ground.source / name)


def _one(ground: Ground) -> str:
    return min((name for name in ground.made_of.values() if name), default="")


def _elsewhere(content: dict[str, bytes] | None) -> Callable[[Ground], contextlib.AbstractContextManager[None]]:
    """Take the whole source away, with another folder in its place or none."""

    @contextlib.contextmanager
    def around(ground: Ground) -> Iterator[None]:
        if ground.kind == "latents":
            yield
            return
        aside = ground.home / "src-aside"
        suffix = Path(_one(ground)).suffix
        ground.source.rename(aside)
        if content is not None:
            ground.source.mkdir()
            for name in content:
                shutil.copy2(aside / _one(ground), ground.source / f"{name}{suffix}")
        yield
        shutil.rmtree(ground.source, ignore_errors=True)
        aside.rename(ground.source)

    return around


def _below(ground: Ground) -> str:
    return _one(ground).partition("/")[0]


COMMANDS: dict[str, Command] = {
    "again": Command(_asked()),
    "--prune": Command(_asked("--prune")),
    "--redo": Command(_asked("--redo")),
    "--checksum": Command(_asked("--checksum")),
    "--force": Command(_asked("--force"), force=True),
    "--force --prune --redo": Command(_asked("--force", "--prune", "--redo"), force=True),
    "another seed": Command(_asked("--seed", "7"), other=True),
    "another seed, --prune": Command(_asked("--seed", "7", "--prune"), other=True),
    "another manifest, --prune": Command(_asked("--manifest", "other.jsonl", "--prune")),
    "one source gone, --prune": Command(_asked("--prune"), _without_one, gone=lambda ground: {_one(ground)}),
    "one source gone": Command(_asked(), _without_one),
    "one source gone, --dry-run --prune": Command(_asked("--dry-run", "--prune"), _without_one, reads_only=True),
    "a folder of SRC, --prune": Command(lambda ground: _of(_below(ground), "--prune")(ground)),
    "a file of SRC, --prune": Command(lambda ground: _of(_one(ground), "--prune")(ground)),
    "a part, --prune": Command(lambda ground: _asked("--include", f"{_below(ground)}/**", "--prune")(ground)),
    "SRC renamed, --prune": Command(_asked("--prune"), _elsewhere(None)),
    "SRC empty, --prune": Command(_asked("--prune"), _elsewhere({})),
    "SRC of others, --prune": Command(_asked("--prune"), _elsewhere({"strange": b""})),
    "side files": Command(_asked("--sidecars", "copy")),
    "fewer, --prune": Command(_fewer, gone=lambda ground: {""}),
    "--dry-run": Command(_asked("--dry-run"), reads_only=True),
    "--dry-run --prune": Command(_asked("--dry-run", "--prune"), reads_only=True),
    "verify": Command(lambda ground: ["verify", ground.destination], reads_only=True),
    "verify --json": Command(lambda ground: ["verify", ground.destination, "--json", "-j", "1"], reads_only=True),
    "verify --recompute": Command(
        lambda ground: [
            "verify",
            ground.destination,
            "--recompute",
            *([] if ground.kind == "latents" else [ground.source]),
        ],
        reads_only=True,
    ),
    **{
        f"export {form}": Command(
            lambda ground, form=form: ["export", ground.destination, "--to", form], reads_only=form != "hf"
        )  # type: ignore[misc]
        for form in ("pairs", "labels", "csv", "hf")
    },
}
_NOT_FOR_LATENTS = ("a folder", "a file", "a part", "SRC", "one source", "side files")
_ONLY_FOR_LATENTS = ("fewer",)


def commands_of(ground: Ground) -> list[str]:
    """Return the commands that have a meaning for a kind."""
    without = _NOT_FOR_LATENTS if ground.kind == "latents" else _ONLY_FOR_LATENTS
    return [name for name in COMMANDS if not name.startswith(without)]


def judged(ground: Ground, name: str, before: State, after: State, status: int) -> dict[str, list[str]]:
    """Return the faults of one run by name, with the paths they are about.

    A file that is not noisecli's own may go only when a row of the run told its very digest, and its source is gone, or
    when an interrupted run meant to make it; it may be replaced only by an output of its name, and where no row told
    its digest, with --force alone.
    """
    command, faults = COMMANDS[name], dict[str, list[str]]()

    def fault(what: str, path: str) -> None:
        faults.setdefault(f"edits: {what}", []).append(path)

    if command.reads_only or status == 2:
        changed = [
            path for path in {*before, *after} if before.get(path) != after.get(path) and not _may_come(name, path)
        ]
        for path in changed:
            fault("commands that only read, or refused, and changed something", path)
        return faults
    gone = command.gone(ground)
    for path, (kind, content) in before.items():
        if path in OWN or kind == "folder" or after.get(path) == (kind, content):
            continue
        told = ground.told.get(path) == content
        ours = path in ground.intended
        if path not in after and not ours:
            if not told:
                fault("files deleted whose digest no row told", path)
            elif not (ground.made_of[path] in gone and _is_beyond(ground, path)):
                fault("outputs deleted whose source is not gone", path)
        elif path in after and not (ours or command.force):
            if path not in ground.told or not told:
                fault("files replaced without --force whose digest no row told", path)
            elif not command.other:
                fault("outputs that became other bytes by the same request", path)
    for path in after.keys() - before.keys():
        if TEMPORARY in path:
            fault("temporary files left", path)
    return faults


def _may_come(name: str, path: str) -> bool:
    """Whether a path is what a command writes: nothing, but a table for Hugging Face."""
    return name == "export hf" and Path(path).name == "metadata.jsonl"


def _is_beyond(ground: Ground, path: str) -> bool:
    """Of latents, whether 30 of them end before this file."""
    return ground.kind != "latents" or path >= "latents-00003"


class Edits:
    """Edits of what a run left, ground by ground."""

    def __init__(self, scratch: Path, figures: Figures) -> None:
        self._scratch, self.figures = scratch / "edits", figures
        self._grounds: dict[str, Ground] = {}

    def edit(self, number: int, seed: int) -> None:
        """Edit once, and run some of the commands, each over a copy of its own."""
        choose = random.Random(f"{seed} edit {number}")
        kind = sorted(GROUNDS)[number % len(GROUNDS)]
        if kind not in self._grounds:
            self._grounds[kind] = GROUNDS[kind](self._scratch / f"ground-{kind}")
        ground = self._grounds[kind]
        names = commands_of(ground)
        # every command in turn, and one that prunes each time
        first = number // len(GROUNDS) * (COMMANDS_AN_EDIT - 1)
        chosen = [names[(first + at) % len(names)] for at in range(COMMANDS_AN_EDIT - 1)]
        chosen.append(choose.choice([name for name in names if name.endswith("--prune") and "dry" not in name]))
        self.figures.count("edits")
        for name in dict.fromkeys(chosen):
            self._try(ground, kind, name, f"{seed} edit {number} itself", number)

    def _try(self, ground: Ground, kind: str, name: str, seed: str, number: int) -> None:
        ground.restore()
        what = spoil(random.Random(seed), ground)
        self._keep_edited(ground)
        before, sources, others = state(ground.destination), state(ground.source), state(ground.outside)
        command = COMMANDS[name]
        with command.around(ground):
            done = program.run(*command.words(ground), deadline=DEADLINE, look_every=0.02)
        faults = judged(ground, name, before, state(ground.destination), done.status)
        where = f"{number} {kind}, {name}, {what}"
        self._count(done, where, number)
        faults["edits: files outside of DST touched"] = [
            *_differences(sources, state(ground.source)),
            *_differences(others, state(ground.outside)),
        ]
        for what_fault, paths in faults.items():
            self.figures.fault(what_fault, len(paths), f"{where}: {', '.join(sorted(paths)[:4])}; exit {done.status}")
        if any(faults.values()) or done.traceback or done.hung:
            kept = self.figures.home / "soak-kept" / "edits" / f"{number}-{kind}"
            shutil.rmtree(kept, ignore_errors=True)
            shutil.copytree(self._scratch / "edited", kept, symlinks=True)

    def _keep_edited(self, ground: Ground) -> None:
        """Keep what is noisecli's own of an edited destination, until it is known whether it is worth it."""
        kept = self._scratch / "edited"
        shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir(parents=True)
        for path in (ground.destination / name for name in OWN):
            if path.is_file() and not path.is_symlink():
                shutil.copy2(path, kept)

    def _count(self, done: program.Finished, where: str, number: int) -> None:
        fault = self.figures.fault
        self.figures.count("edits: commands run")
        self.figures.count(f"edits: exit status {done.status}")
        fault("edits: tracebacks", int(done.traceback), f"{where}: {done.err[-1200:]}")
        if done.traceback:
            what = _last_place(done.err)
            self.figures.escape("edits", what, number, f"{what}; {where}", (".txt", done.err.encode()))
        fault("edits: hangs", int(done.hung), where)
        fault("edits: exit statuses other than 0 to 3", int(done.status not in (0, 1, 2, 3)), f"{where}: {done.status}")
        for what in (
            *("files deleted whose digest no row told", "outputs deleted whose source is not gone"),
            *("files replaced without --force whose digest no row told", "temporary files left"),
        ):
            fault(f"edits: {what}")


def _last_place(trace: str) -> str:
    """Return where in noisecli a printed traceback ends, and with what."""
    lines = trace.splitlines()
    places = [line.strip() for line in lines if line.startswith("  File ") and "/noisecli/" in line]
    error = next((line for line in reversed(lines) if re.match(r"\w+(?:Error|Exception)", line)), "")
    return f"{error[:120]} at {places[-1].rpartition('/noisecli/')[2] if places else '?'}"


def _differences(before: State, after: State) -> list[str]:
    return sorted(path for path in {*before, *after} if before.get(path) != after.get(path))
