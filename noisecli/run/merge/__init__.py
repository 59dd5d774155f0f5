"""noisecli merge: the shards of one run become that run, as if it had never been in parts."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from noisecli.errors import FileFailed, FileProblem, Refused, Stopped
from noisecli.manifest.destination import Names, is_finished, read_run, refuse_odd_files, require_ours
from noisecli.manifest.entries import parse_row
from noisecli.manifest.merging import MergeLedger
from noisecli.manifest.reader import ManifestReader
from noisecli.run.merge.files import Files, Placed, files_of_row, side_file
from noisecli.run.merge.parts import Part, find_parts, refuse_unfinished, require_one_run
from noisecli.run.publish import run_content
from noisecli.storage import Folder, escape_name, folder_at, output_error

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
    names = Names.of(manifest)
    refuse_odd_files(destination, names)
    apart = _distinct(destination, folders)
    target = folder_at(destination)
    if not _is_written(destination, names):
        parts = find_parts([destination, *apart], manifest)
        if not parts:
            merged.take_totals(_whole(target, names))
            return merged
        require_one_run(parts)
        require_ours(destination, names, str(parts[0].run.get("kind")), force=False)
        if dry_run:
            _Merge(parts, target, merged, begin).check()
            return merged
    with MergeLedger(destination, names) as ledger:
        if ledger.is_written:
            merged.take_totals(read_run(target, names.run) or {"totals": {}})
            ledger.clear_away()
            return merged
        try:
            refuse_unfinished(parts)
            work = _Merge(parts, target, merged, begin)
            work.check()
        except Refused:
            # files that moved before belong to a merge that goes on
            if not (ledger.found_journal and apart):
                ledger.withdraw()
            raise
        work.carry_out(ledger)
    return merged


class _Merge:
    """One merge into a folder."""

    def __init__(
        self, parts: list[Part], target: Folder, merged: Merged, begin: Callable[[int], Progress] | None
    ) -> None:
        self._parts, self._target, self._merged = parts, target, merged
        self._begin = begin
        merged.shards = len(parts)

    def check(self) -> None:
        """Raise Refused where a file is not there as its shard says, or where somebody else's has its name."""
        owners: dict[str, Part] = {}
        for part in self._parts:
            files = Files(part, self._target)
            with part.look() as shard:
                part.require_rows(len(shard))
                for output in shard.outputs():
                    if owners.setdefault(output, part) is not part:
                        raise Refused(f"{output}: both {owners[output].shown} and {part.shown} list it; run one anew")
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
            files = Files(part, self._target)
            with part.look() as shard:
                if files.are_apart:
                    self._move(files, shard, ledger.prefix)
                for line in shard.rows():
                    ledger.take_row(str(parse_row(line)["file_name"]), line)
                    progress(1)
                ledger.take(shard)
        run = run_content(str(self._parts[0].run["kind"]), ledger, ledger.survival, finished=True)
        folders = {"", *map(os.path.dirname, ledger.files()), *map(os.path.dirname, ledger.sidecars.rows)}
        self._target.remove_temporaries(folders, ledger.prefix)
        of = self._parts[0].shard.of
        ledger.finish(run, [(folder, of) for folder in dict.fromkeys(part.folder for part in self._parts)])

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


def _is_written(destination: str, names: Names) -> bool:
    """Whether an earlier merge wrote everything, and was killed before the shards' own files were gone."""
    journals = folder_at(destination).journals()
    if not journals.has(names.journal):
        return False
    with journals.open_own(names.journal) as file:
        return any(line.startswith(b'{"merged"') and line.endswith(b"\n") for line in file)


def _whole(target: Folder, names: Names) -> dict[str, Any]:
    """Return run.json of a folder that holds no shards, where a merge has ended before. Raises Refused."""
    run = read_run(target, names.run)
    if run is None or not is_finished(run) or target.journals().has(names.journal):
        raise Refused(f"{escape_name(target.location)}: holds no shards of {names.manifest}; name their folders")
    return run
