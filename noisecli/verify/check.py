"""The same rows read again: whether every file is what its row says, and would be made so once more."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from noisecli.engines import Job, Lost, cut, open_engine, run_all
from noisecli.errors import FileProblem, Refused
from noisecli.exports.stale import stale_exports
from noisecli.kinds import KINDS, Kind, kinds_of, suffix_of
from noisecli.manifest.entries import read_line
from noisecli.manifest.finished import FinishedRun, RecordedRun, files_of, manifests_in
from noisecli.manifest.shards import any_unfinished, hint_of_shards
from noisecli.run.masks import label_masks
from noisecli.run.sources import may_lie_beside, walk
from noisecli.settings import Choice, NoiseSettings, Running, Settings
from noisecli.storage import escape_name, folder_at
from noisecli.storage.scratch import ScratchFolder
from noisecli.verify.recompute import Recomputation, Used, batches
from noisecli.verify.report import Check, Checked, Report, Row, lost_reason, size_of
from noisecli.verify.sidecars import check_sidecars

Progress = Callable[[int], None]

_NO_MANIFEST = ("bad-row", "listed-twice", "rows-missing")


@dataclass(frozen=True, slots=True)
class Request:
    """What to verify.

    Attributes
    ----------
    source
        Where to recompute the outputs from; None omits that.
    model
        The model that adversarial outputs are recomputed with.
    mask
        The masks of images that are recomputed with masks.
    exclude
        Globs of files that came along as side files; no row lists them.
    """

    destination: str
    source: str | None = None
    model: str | None = None
    mask: str | None = None
    manifest: str = "manifest.jsonl"
    exclude: tuple[str, ...] = ()
    running: Running = field(default_factory=Running)


def verify(request: Request, begin: Callable[[int], Progress] | None = None) -> Report:
    """Compare a destination with its manifest.

    Parameters
    ----------
    begin
        Called once with the number of rows expected; what it returns is called with each number of them settled.

    Raises
    ------
    Refused
        When the folder holds no run of noisecli or one that did not finish, or its outputs cannot be recomputed by
        this version.
    """
    recorded, report = RecordedRun(request.destination, request.manifest), Report()
    recorded.refuse_unfinished()
    if recorded.content is None or not recorded.has_manifest:
        raise Refused(_not_ours(recorded))
    with ScratchFolder() as scratch:
        verification = _Verification(request, recorded, recorded.content, scratch, report)
        verification.check_rows(begin)
    verification.count_rows()
    check_sidecars(recorded, request.source, report)
    verification.find_stale_exports()
    verification.find_unlisted()
    report.differences.sort()
    return report


class _Verification:
    """One manifest, and the run.json beside it."""

    def __init__(
        self, request: Request, recorded: RecordedRun, run: dict[str, Any], scratch: str, report: Report
    ) -> None:
        self._request, self._recorded, self._report = request, recorded, report
        self._kind = _kind(request, run)
        self._expected = run["totals"].get("outputs")
        self._listed: set[str] = set()
        report.versions = run["versions"]
        self._recomputation: Recomputation | None = None
        if request.source is not None:
            used = Used(request.source, request.model, request.mask, scratch, request.running)
            self._recomputation = Recomputation(self._kind, run, escape_name(request.destination), used)

    def check_rows(self, begin: Callable[[int], Progress] | None) -> None:
        """Have workers look at the files of every row; who killed its worker among others is tried once more alone."""
        progress = begin(self._total()) if begin else lambda settled: None
        source, noise = self._request.source or "", NoiseSettings(levels=())
        running, factory = self._request.running, "noisecli.verify.worker:Checking"
        chunks = cut(self._checks(), self._total(), running.jobs, lambda check: size_of(check.row))
        if self._recomputation is not None and self._kind.needs_model:
            # the one process has the model
            running, factory = replace(running, jobs=1, engine="local"), "noisecli.verify.gradient:CheckingSteps"
            chunks = batches(self._checks())
        settings = Settings(self._kind.name, source, self._request.destination, noise, running=running)
        reads = (source, self._request.destination, self._request.mask or "")
        job = Job(factory, (settings, self._report.versions), self._kind.modules, reads)
        with open_engine(job, running) as engine:
            for chunk, result in run_all(engine, chunks, lambda chunk: [[check] for check in chunk]):
                progress(len(chunk))
                if isinstance(result, Lost):
                    name = chunk[0].row["file_name"]
                    self._report.differ(name, lost_reason(result.reason), result.message, result.trace)
                else:
                    self._take(result)

    def _take(self, checked: Checked) -> None:
        self._report.differences.extend(checked.differences)
        self._report.remade += checked.remade
        self._report.not_comparable += checked.not_comparable

    def _total(self) -> int:
        return self._expected if isinstance(self._expected, int) else 0

    def _checks(self) -> Iterator[Check]:
        """Yield the rows that can be looked at."""
        manifest = self._request.manifest
        for number, line in self._recorded.lines():
            self._report.rows += 1
            row = read_line(line)
            names = files_of(row)
            if not names:
                self._report.differ(
                    manifest, "bad-row", f"line {number} is no row; take it out, run the same command again"
                )
            elif not self._listed.isdisjoint(names):
                self._report.differ(names[0], "listed-twice", f"{manifest} lists it twice; take one of the rows out")
            else:
                self._listed.update(names)
                yield Check(row, self._settings_of(row))

    def _settings_of(self, row: Row) -> Settings | None:
        """Return what the row's hash of settings stands for, where outputs are to be recomputed."""
        if self._recomputation is None:
            return None
        settings, problem = self._recomputation.settings_of(str(row.get("settings")))
        if problem is not None:
            self._report.differ(row["file_name"], *problem)
        return settings

    def count_rows(self) -> None:
        """Compare the number of rows with what run.json counted."""
        rows, manifest = self._report.rows, self._request.manifest
        if rows != self._expected:
            message = f"has {rows:,} rows, its run.json counts {self._expected}; run the same command again"
            self._report.differ(manifest, "rows-missing", message)

    def find_stale_exports(self) -> None:
        """Name exports in the destination that the manifest has left behind, where all of it can be read."""
        if any(difference.reason in _NO_MANIFEST for difference in self._report.differences):
            return
        destination, manifest = self._request.destination, self._request.manifest
        run = FinishedRun(destination, manifest, whole=False)
        for stale in stale_exports(run, self._listed, alone=manifests_in(destination) == [manifest]):
            message = f"is not what {manifest} says now; {stale.advice}"
            self._report.differ(escape_name(stale.file_name), "stale-export", message)

    def find_unlisted(self) -> None:
        """Name dataset files that no row of any manifest there lists; not while other shards have not ended there."""
        destination = self._request.destination
        if any_unfinished(destination, self._request.manifest):
            return
        self._listed.update(self._recorded.sidecars.rows)
        for manifest in manifests_in(destination):
            if manifest != self._request.manifest:
                other = RecordedRun(destination, manifest)
                self._listed.update(*(files_of(read_line(line)) for _, line in other.lines()), other.sidecars.rows)
        found = walk(destination, None, Choice(exclude=self._request.exclude))
        for name in found.unlisted:
            self._report.differ(escape_name(name), "unreadable", "cannot be listed; check its permissions")
        problems = dict(found.problems)
        names = [
            name
            for name in (*found.sources, *problems)
            if name not in self._listed
            and name not in found.unlisted
            and not may_lie_beside(name, self._kind.name)
            and not self._is_linked_side_file(name, problems.get(name))
        ]
        noise = NoiseSettings(levels=())
        settings = Settings(self._kind.name, destination, destination, noise, running=self._request.running)
        names = self._out_of_tars(names)
        masks = label_masks(settings, names, {*found.sources, *names})
        for name in names:
            if name not in masks:
                message = "no row lists it; move it away (or --exclude it, if it came along as a side file)"
                self._report.differ(escape_name(name), "not-listed", message)

    def _out_of_tars(self, names: list[str]) -> list[str]:
        """Return the names, without the members that lie beside outputs in their tar; of other tars, the tar's own."""
        folder = folder_at(self._request.destination)
        ours = {folder.tar_of(name) for name in self._listed}
        return [
            *dict.fromkeys(tar or name for name in names if (tar := folder.tar_of(name)) is None or tar not in ours)
        ]

    def _is_linked_side_file(self, name: str, problem: FileProblem | None) -> bool:
        """Whether a name is that of a link which --sidecars link made: not to a folder, nor to a dataset file."""
        is_link = problem is not None and problem.reason == "symlink-outside"
        return is_link and not kinds_of(suffix_of(name)) and not folder_at(self._request.destination).is_folder(name)


def _not_ours(recorded: RecordedRun) -> str:
    if (shards := hint_of_shards(recorded.folder, recorded.manifest)) is not None:
        return f"{escape_name(recorded.folder)}: {shards}"
    others = ", ".join(f"--manifest {name}" for name in manifests_in(recorded.folder))
    hint = f" or add {others}" if others else ""
    folder = escape_name(recorded.folder)
    if recorded.content is None:
        return f"{folder}: holds no {recorded.names.run} of noisecli; name a folder it wrote{hint}"
    return f"{folder}: its {recorded.manifest} is gone; run the same command again{hint}"


def _kind(request: Request, run: dict[str, Any]) -> Kind:
    kind = KINDS.get(str(run.get("kind")))
    if kind is None:
        raise Refused(
            f"{escape_name(request.destination)}: was made by noisecli {run['noisecli']}; verify it with that"
        )
    return kind
