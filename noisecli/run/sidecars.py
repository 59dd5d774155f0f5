"""Labels, transcripts and masks beside the data: additive noise moves no pixel, so they stay true."""

import contextlib
import os
import stat
from collections.abc import Callable, Iterable

from noisecli.errors import FileFailed, FileProblem, FileSkipped, Refused
from noisecli.kinds import KINDS, beginnings, kinds_of, suffix_of
from noisecli.model import Problem
from noisecli.run.labels import SideFile
from noisecli.run.sources import pattern_of
from noisecli.run.summary import Summary
from noisecli.settings import Settings
from noisecli.storage import Folder, escape_name, folder_at
from noisecli.storage.copies import is_copy
from noisecli.storage.source import SourceFile
from noisecli.workers.problems import problem_of

Pairs = Iterable[SideFile]


def copy_all(settings: Settings, pairs: Pairs, prefix: str, summary: Summary, note: Callable[[Problem], None]) -> None:
    """Copy side files, or link them, and count those that are in all their places; one that cannot be costs itself.

    Raises Stopped where nothing more can be written.
    """
    source, destination = folder_at(settings.source), folder_at(settings.destination)
    carried: set[str] = set()
    failed: set[str] = set()
    try:
        for sidecar, name, rewrite, _ in pairs:
            try:
                if settings.output.sidecars == "link" and rewrite is None:
                    with contextlib.suppress(FileFailed), source.open(sidecar) as file:
                        _refuse_samples(settings, sidecar, file)
                    destination.link(source.location_of(sidecar), name, prefix=prefix)
                else:
                    with source.open(sidecar) as file:
                        _refuse_samples(settings, sidecar, file)
                        if rewrite is None:
                            destination.copy(file, name, prefix=prefix)
                        else:
                            with destination.create(name, prefix=prefix, like=file.status) as output:
                                output.write(rewrite())
                                output.commit()
            except Exception as error:
                failed.add(sidecar)
                note(problem_of(sidecar, error))
            else:
                carried.add(sidecar)
    finally:
        summary.sidecars_copied = len(carried - failed)


def _refuse_samples(settings: Settings, sidecar: str, file: SourceFile) -> None:
    """Raise FileSkipped for an image or sound whose name does not say so: a clean one among noisy ones."""
    excluded = any(pattern_of(glob).match(sidecar) for glob in settings.choice.exclude)
    if excluded or kinds_of(suffix_of(sidecar)) or not KINDS[settings.kind].unsupported:
        return
    if what := beginnings.told_by(os.pread(file.fileno(), beginnings.LENGTH, 0)):
        way_out = "name it by its format, or unpack it first; --exclude carries it along as it is"
        raise FileSkipped(
            "unsupported-format", f"is {what} by its first bytes, and its name does not say so; {way_out}"
        )


def refuse_edited(settings: Settings, pairs: Pairs) -> None:
    """Refuse to replace side files that were changed in the destination, after they were copied there."""
    if settings.output.sidecars == "skip":
        return
    source, destination = folder_at(settings.source), folder_at(settings.destination)
    for sidecar, name, *_ in pairs:
        if _is_edited(source, sidecar, destination, name, settings.output.sidecars):
            shown = escape_name(destination.location_of(name))
            raise Refused(f"{shown}: is newer than the side file it would be replaced by; move it, or add --force")


def _is_edited(source: Folder, sidecar: str, destination: Folder, name: str, how: str) -> bool:
    try:
        ours, theirs = destination.look(name), source.look(sidecar, follow=True)
    except OSError:
        return False
    if ours is None or theirs is None or stat.S_ISLNK(ours.st_mode) or (how == "copy" and is_copy(ours, theirs)):
        return False
    if not stat.S_ISDIR(ours.st_mode) and ours.st_mtime_ns <= theirs.st_mtime_ns:
        return False
    regular = stat.S_ISREG(ours.st_mode) and stat.S_ISREG(theirs.st_mode)
    return not (regular and ours.st_size == theirs.st_size and _hold_the_same(source, sidecar, destination, name))


def _hold_the_same(source: Folder, sidecar: str, destination: Folder, name: str) -> bool:
    try:
        digest = source.sha256(sidecar)
    except (FileProblem, OSError):
        # what cannot be read replaces nothing; copying it says so
        return True
    try:
        return destination.sha256(name) == digest
    except (FileProblem, OSError):
        return False
