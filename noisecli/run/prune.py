"""--prune: which outputs are removed, and why none other is.

An output goes when its row proves that it was made from a source of SRC, when this source is gone for certain, when no
part of this run asks for it, and when the file is, to the byte, what its row says.
"""

import os
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from noisecli.errors import FileProblem, Refused
from noisecli.kinds import KINDS, load
from noisecli.manifest.destination import Names, runs_in
from noisecli.manifest.entries import Row
from noisecli.manifest.reader import ManifestReader
from noisecli.model import Problem
from noisecli.run.stale import StaleSideFiles
from noisecli.settings import Settings
from noisecli.storage import escape_name, folder_at, stopping

_WITNESSES = 32

Planned = Callable[[], Iterable[str]]


class Sources:
    """A source folder, asked whether it still holds what rows say. A name that cannot be looked up is not gone."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        kind = KINDS[settings.kind]
        self._plan: Any = None if kind.has_sources else load(kind.plan)(settings, None)
        self._folder = folder_at(settings.source)
        self._identity = self._folder.identity()

    def still_stand(self) -> bool:
        """Whether the folder is the one it was when this began."""
        return self._identity is not None and self._folder.identity() == self._identity

    def find(self, row: Row) -> str | None:
        """Return the name of a row's source; None where it is gone. Raises OSError where that cannot be seen."""
        name = str(row.get("source") or "")
        found: str | None = name
        if "name-not-utf8" in row.get("warnings", ()):
            found = self._folder.find(name, strict=True)
        return found if name and found is not None and self._folder.look(found) is not None else None

    def is_gone(self, row: Row) -> bool:
        """Whether a row's source is no more, below a folder that is still there."""
        if self._plan is not None:
            return not self._plan.wants(str(row.get("file_name", "")))
        try:
            return self.find(row) is None and not self._hides(str(row.get("source") or "")) and self.still_stand()
        except (OSError, ValueError):
            return False

    def _hides(self, name: str) -> bool:
        """Whether a folder on the way is a symbolic link to nothing: what it led to is out of sight, not gone."""
        folder = os.path.dirname(name)
        while folder:
            found = self._folder.find(folder, strict=True)
            if found is not None:
                return not self._folder.has(found, follow=True)
            folder = os.path.dirname(folder)
        return False

    def holds(self, row: Row) -> bool | None:
        """Whether a row's source has the content that the row records; None where it is not there to be asked."""
        try:
            name = self.find(row)
            return None if name is None else self._folder.sha256(name) == row.get("source_sha256")
        except (FileProblem, OSError, ValueError):
            return None


def is_another_source(settings: Settings, recorded: ManifestReader) -> bool:
    """Whether SRC holds none of the sources that rows name: a subfolder, or another dataset into the same folder."""
    if not KINDS[settings.kind].has_sources or not len(recorded):
        return False
    sources = Sources(settings)
    rows = (recorded.row(output) or {} for output in islice(_spread(recorded.outputs()), _WITNESSES))
    return all(sources.is_gone(row) for row in rows)


class Pruning:
    """What --prune removes, chosen before any work and asked again when it goes; nothing where it was not given.

    `planned` yields the names of outputs that this run makes or keeps, clean ones too; `problems` are sources of this
    run that cannot be done, but are there; `stale` are side files of earlier runs.

    Raises Refused where SRC is not the folder that the manifest was made from, or more than half of all outputs and
    side files would go.
    """

    def __init__(
        self,
        settings: Settings,
        recorded: ManifestReader,
        planned: Planned,
        problems: Iterable[str],
        stale: StaleSideFiles,
    ) -> None:
        self._settings, self._recorded = settings, recorded
        self._destination = folder_at(settings.destination)
        self._sources = Sources(settings)
        self.outputs = self._choose(planned, set(problems)) if settings.running.prune else []
        self.stale = stale
        if settings.running.prune:
            stale.choose(set(self.outputs), self._listed_elsewhere)
        if (self.outputs or stale.chosen) and KINDS[settings.kind].has_sources:
            if recorded.sources > 1:
                raise Refused(
                    f"--prune: {escape_name(settings.destination)} was made from {recorded.sources} source folders, "
                    "and what is not in one may be in another; leave --prune out, or remove by hand what is gone"
                )
            _require_own_source(settings, recorded, self._sources)
        going, all_files = len(self.outputs) + len(stale.chosen), len(recorded) + len(recorded.sidecars)
        if 2 * going > all_files and not settings.running.force:
            what = "outputs and side files" if len(recorded.sidecars) else "outputs"
            raise Refused(
                f"--prune: would remove {going:,} of the {all_files:,} {what} in "
                f"{escape_name(settings.destination)}; add --force if that is right"
            )

    def _choose(self, planned: Planned, problems: set[str]) -> list[str]:
        rest = dict.fromkeys(self._recorded.outputs())
        for name in planned():
            rest.pop(name, None)
        rows = ((output, self._recorded.row(output) or {}) for output in rest)
        chosen = {output: row.get("clean_file_name") for output, row in rows if self._may_go(row, problems)}
        # a clean file, too, may be what this run makes by now, or what another manifest lists
        taken = {name for name in planned() if name in chosen.values()} if chosen else set()
        taken |= self._listed_elsewhere() if chosen else set()
        return sorted(output for output, clean in chosen.items() if taken.isdisjoint((output, clean)))

    def _listed_elsewhere(self) -> set[str]:
        """Return the files that other manifests in the destination list."""
        listed: set[str] = set()
        own = Names.of(self._settings.output.manifest)
        for names in runs_in(self._settings.destination):
            if names.manifest != own.manifest:
                with ManifestReader.look(self._settings.destination, names) as other:
                    # manifest.jsonl and metadata.jsonl would have one list of side files
                    side_files = other.sidecars.rows if names.sidecars != own.sidecars else ()
                    listed.update(other.files(), side_files)
        return listed

    def _may_go(self, row: Row, problems: set[str]) -> bool:
        is_named = isinstance(row.get("source"), str) and row["source"] in problems
        if is_named or not self._sources.is_gone(row):
            return False
        kind = KINDS[self._settings.kind]
        return bool(load(kind.prover)(row, kind.name, self._recorded.settings))

    def remove(self, note: Callable[[Problem], None]) -> int:
        """Remove the outputs whose sources are still gone; return how many. What the system holds is noted."""
        count = 0
        for output in self.outputs:
            row = self._recorded.row(output) or {}
            if not self._sources.is_gone(row):
                continue
            # the row's own file goes last: should this stop between the two, the next run still knows of both
            both = {row.get("clean_file_name"): row.get("clean_sha256"), output: row.get("sha256")}
            digests = {name: [str(digest)] for name, digest in both.items() if name is not None}
            try:
                with stopping(self._destination.location_of(output), passing=(PermissionError,)):
                    count += output in self._destination.remove(digests)
                    self._recorded.forget(output)
            except PermissionError as error:
                message = f"is gone, and its output {output} cannot be removed: {error.strerror}; remove it by hand"
                note(Problem(str(row.get("source") or output), "failed", "unwritable", message))
        return count


def _require_own_source(settings: Settings, recorded: ManifestReader, sources: Sources) -> None:
    """Refuse a folder in which most sources that rows name are others: a subfolder, or another dataset."""
    asked = (sources.holds(recorded.row(output) or {}) for output in _spread(recorded.outputs()))
    answers = list(islice((answer for answer in asked if answer is not None), _WITNESSES))
    if sum(answers) * 2 < len(answers) or not answers:
        manifest = escape_name(folder_at(settings.destination).location_of(settings.output.manifest))
        raise Refused(
            f"--prune: {escape_name(settings.source)} does not look like the folder that {manifest} was made from: of "
            f"{len(answers)} sources looked at, {sum(answers)} are as it says; name that folder, or leave --prune out"
        )


def _spread(outputs: list[str]) -> Iterable[str]:
    """Yield all outputs, those first that lie evenly between the first and the last."""
    step = max(1, len(outputs) // _WITNESSES)
    for start in range(step):
        yield from outputs[start::step]
