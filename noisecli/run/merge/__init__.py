"""noisecli merge: the shards of one run become that run, as if it had never been in parts."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from noisecli.errors import FileFailed, FileProblem, Refused, Stopped
from noisecli.manifest.destination import Names, is_finished, read_run, refuse_odd_files, require_ours
from noisecli.manifest.entries import parse_row
from noisecli.manifest.merging import MERGED, MergeLedger
from noisecli.manifest.reader import ManifestReader
from noisecli.run.merge.files import Files, Placed, files_of_row, side_file
from noisecli.run.merge.parts import Part, find_parts, refuse_unfinished, require_one_run
from noisecli.run.publish import run_content
from noisecli.storage import Folder, TarFolder, escape_name, folder_at, output_error

Progress = Callable[[int], None]


@dataclass
class Merged:
    """What a merge did.

    Attributes
    ----------
    shards
        How many were made one; none where there is a whole run already.
    outputs, sidecars, failed, skipped
        Of the whole run.
    moved, copied
        Files that came from other folders: renamed, or copied from another file system.
    """

    shards: int = 0
    outputs: int = 0
    sidecars: int = 0
    failed: int = 0
    skipped: int = 0
    moved: int = 0
    copied: int = 0
    dry_run: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)

    def take_totals(self, run: dict[str, Any]) -> None:
        """Take what run.json counts."""
        for name in ("outputs", "sidecars", "failed", "skipped"):
            counted = run["totals"].get(name, 0)
            setattr(self, name, counted if isinstance(counted, int) else 0)


def merge(
    destination: str,
    folders: Sequence[str],
    manifest: str,
    *,
    dry_run: bool = False,
    begin: Callable[[int], Progress] | None = None,
    into: Merged | None = None,
) -> Merged:
    """Make one run of all shards in a destination and in other folders, whose files move there.

    Parameters
    ----------
    begin
        Called once with the number of outputs; what it returns is called with each number of them settled.
    into
        What is filled and returned.

    Raises
    ------
    Refused
        Before any work: shards that are missing, unfinished or of another run, files that are gone, or would be
        replaced.
    Stopped
        On the way; the same merge goes on from there.
    """
    merged = into or Merged()
    merged.dry_run = dry_run
    names, target = Names.of(manifest), folder_at(destination)
    refuse_odd_files(destination, names)
    apart = _distinct(destination, folders)
    parts = [] if _is_written(target, names) else find_parts([destination, *apart], manifest)
    if not parts:
        _clear_away(target, names, merged)
        return merged
    require_one_run(parts)
    require_ours(destination, names, str(parts[0].run.get("kind")), force=False, has_force=False)
    work = _Merge(parts, target, merged, begin)
    if dry_run:
        work.check()
        return merged
    work.hold_and_carry_out(names, goes_on=bool(apart))
    return merged


def _clear_away(target: Folder, names: Names, merged: Merged) -> None:
    """End a merge that was killed after it had written everything, if that is so. Raises Refused for no whole run."""
    run = read_run(target, names.run)
    is_left = _is_written(target, names)
    if run is None or not is_finished(run) or (target.has(names.journal) and not is_left):
        raise Refused(f"{escape_name(target.location)}: holds no shards of {names.manifest}; name their folders")
    merged.take_totals(run)
    if is_left and not merged.dry_run:
        with MergeLedger(target.location, names) as ledger:
            ledger.clear_away()


class _Merge:
    """One merge into a folder."""

    def __init__(
        self, parts: list[Part], target: Folder, merged: Merged, begin: Callable[[int], Progress] | None
    ) -> None:
        self._parts, self._target, self._merged = parts, target, merged
        self._begin = begin
        merged.shards = len(parts)

    def hold_and_carry_out(self, names: Names, *, goes_on: bool) -> None:
        """Do it, under a lock; with `goes_on`, a merge that was killed may have moved files, and keeps its journal."""
        with MergeLedger(self._target.location, names) as ledger:
            try:
                # one may have begun again before it could see that this has begun
                refuse_unfinished(self._parts)
                self.check()
            except Refused:
                if not (ledger.found_journal and goes_on):
                    ledger.withdraw()
                raise
            self.carry_out(ledger)

    def check(self) -> None:
        """Raise Refused where a file is not there as its shard says, or where somebody else's has its name."""
        owners: dict[str, Part] = {}
        target, folders = self._target.survey(), {part.folder: part.files.survey() for part in self._parts}
        for part in self._parts:
            files = Files(part, folders[part.folder], target)
            with part.look() as shard:
                part.require_rows(len(shard))
                for output in shard.outputs():
                    if owners.setdefault(output, part) is not part:
                        raise Refused(
                            f"{output}: both {owners[output].shown} and {part.shown} list it; run one of them again"
                        )
                for each in _files_of(shard):
                    self._merged.moved += files.placed(each) == "there"
                self._merged.outputs += len(shard)
                self._merged.sidecars += len(shard.sidecars)
                statuses = [problem.status for problem in shard.problems.values()]
                self._merged.failed += statuses.count("failed")
                self._merged.skipped += statuses.count("skipped")

    def carry_out(self, ledger: MergeLedger) -> None:
        """Move the files, write the whole run's, and remove the shards'."""
        progress = self._begin(self._merged.outputs) if self._begin else lambda settled: None
        self._merged.moved = 0
        for part in self._parts:
            files = Files(part, part.files, self._target)
            with part.look() as shard:
                if files.are_apart:
                    self._move(files, shard, ledger.prefix)
                for line in shard.rows():
                    ledger.take_row(str(parse_row(line)["file_name"]), line)
                    progress(1)
                ledger.take(shard)
        run = run_content(str(self._parts[0].run["kind"]), ledger, ledger.survival, finished=True)
        run |= {"tars": True} if isinstance(self._target, TarFolder) else {}
        folders = {"", *map(os.path.dirname, ledger.files()), *map(os.path.dirname, ledger.sidecars.rows)}
        self._target.remove_temporaries(folders, ledger.prefix)
        of = self._parts[0].shard.of
        folders_of = [(folder, of) for folder in dict.fromkeys(part.folder for part in self._parts)]
        ledger.finish(run, folders_of, min(part.began for part in self._parts))

    def _move(self, files: Files, shard: ManifestReader, prefix: str) -> None:
        for each in _files_of(shard):
            try:
                how = files.move(each, prefix)
            except FileProblem as error:
                raise Stopped(f"{escape_name(files.location_of(each))}: {error}; run the merge again") from error
            except OSError as error:
                problem = output_error(error, self._target.location_of(each.name))
                raise Stopped(str(problem)) if isinstance(problem, FileFailed) else problem from error
            self._merged.moved += how == "moved"
            self._merged.copied += how == "copied"


def _files_of(shard: ManifestReader) -> Iterator[Placed]:
    """Yield all files of a shard."""
    for output in shard.outputs():
        yield from files_of_row(shard.row(output) or {})
    yield from map(side_file, shard.sidecars.rows.values())


def _distinct(destination: str, folders: Sequence[str]) -> list[str]:
    """Return the folders beside the destination. Raises Refused where one lies in another."""
    target, apart = folder_at(destination), list[str]()
    for location in folders:
        folder = folder_at(location)
        if folder.is_same(target) or any(folder.is_same(folder_at(other)) for other in apart):
            continue
        for other in (target, *map(folder_at, apart)):
            if other.contains(folder) or folder.contains(other):
                raise Refused(
                    f"{escape_name(location)} and {escape_name(other.location)}: one lies in the other, where files "
                    "of both may meet; choose another folder for DST"
                )
        apart.append(location)
    return apart


def _is_written(target: Folder, names: Names) -> bool:
    """Whether an earlier merge wrote everything, and was killed before the shards' own files were gone."""
    if not target.has(names.journal):
        return False
    # where the folder is a store's, a run of another machine has its journal there
    with suppress(FileNotFoundError), target.journals().open_own(names.journal) as file:
        return any(line.startswith(MERGED) and line.endswith(b"\n") for line in file)
    return False
