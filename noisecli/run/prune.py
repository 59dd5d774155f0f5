"""--prune: which outputs are removed, and why none other is.

An output goes when its row proves that it was made from a source of SRC, when this source is gone for certain or is
chosen by this run and done, when no part of this run asks for the output, and when the file is, to the byte, what its
row says.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from itertools import chain, islice

from noisecli.errors import Refused
from noisecli.kinds import KINDS, load
from noisecli.manifest.destination import Names
from noisecli.manifest.entries import Row
from noisecli.manifest.reader import ManifestReader
from noisecli.model import Problem
from noisecli.model.files import listed_files
from noisecli.run.leftovers import WITNESSES, Asked, Sources, Why, spread
from noisecli.run.stale import StaleSideFiles
from noisecli.run.twins import folded
from noisecli.settings import Settings
from noisecli.storage import escape_name, folder_at, stopping


class Pruning:
    """What --prune removes, chosen before any work and asked again when it goes; nothing where it was not given.

    `problems` are sources of this run that cannot be done, but are there; `stale` are side files of earlier runs.

    Raises Refused where SRC is not the folder that the manifest was made from, or more than half of all outputs and
    side files would go.
    """

    def __init__(
        self,
        settings: Settings,
        recorded: ManifestReader,
        asked: Asked,
        problems: Iterable[str],
        stale: StaleSideFiles,
    ) -> None:
        self._settings, self._recorded, self._asked = settings, recorded, asked
        self._destination = folder_at(settings.destination)
        self._sources = Sources(settings, asked.sources)
        self.outputs = self._choose(set(problems)) if settings.running.prune else {}
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

    def _choose(self, problems: set[str]) -> dict[str, Why]:
        """Return the outputs that may go, sorted, and why each is there."""
        whys, files = dict[str, Why](), dict[str, list[str]]()
        sources = Sources(self._settings, self._asked.sources, folder_at(self._settings.source).survey())
        for output in sorted(self._asked.rest(self._recorded.outputs())):
            row = self._recorded.row(output) or {}
            why = sources.why_left(row)
            if why is not None and self._may_go(row, problems):
                whys[output] = why
                files[output] = [file.name for file in listed_files(row)]
        taken = self._taken(chain.from_iterable(files.values())) if files else set()
        return {output: why for output, why in whys.items() if taken.isdisjoint(files[output])}

    def _taken(self, names: Iterable[str]) -> set[str]:
        """Return the files among those named that this run makes by now, or another manifest lists.

        Where the case of letters does not count, one file has several names.
        """
        alike = defaultdict[str, list[str]](list)
        for name in names:
            alike[folded(name)].append(name)
        not_ours = chain(self._asked.outputs(), self._recorded.sidecars.rows, self._listed_elsewhere())
        others = ((other, name) for other in not_ours for name in alike.get(folded(other), ()))
        return {name for other, name in others if other == name or self._destination.is_one_file(other, name)}

    def _listed_elsewhere(self) -> set[str]:
        """Return the files that other manifests in the destination list."""
        listed: set[str] = set()
        own = Names.of(self._settings.output.manifest)
        for names, other in ManifestReader.others(self._settings.destination, own):
            # manifest.jsonl and metadata.jsonl would have one list of side files
            side_files = other.sidecars.rows if names.sidecars != own.sidecars else ()
            listed.update(other.files(), side_files)
        return listed

    def _may_go(self, row: Row, problems: set[str]) -> bool:
        if isinstance(row.get("source"), str) and row["source"] in problems:
            return False
        kind = KINDS[self._settings.kind]
        return bool(load(kind.prover)(row, kind.name, self._recorded.settings))

    def count(self) -> int:
        """Return how many of the outputs are, to the byte, what their rows say, so that they would go."""
        return sum(self._is_as_recorded(output) for output in self.outputs)

    def _is_as_recorded(self, output: str) -> bool:
        try:
            found = self._destination.own_digest(output)
        except OSError:
            return False
        return found is not None and found == (self._recorded.row(output) or {}).get("sha256")

    def remove(self, note: Callable[[Problem], None], problems: Collection[str]) -> int:
        """Remove what is still left for the reason that it was; return how many. What the system holds is noted.

        `problems` are the sources that this run could not do: they keep what earlier ones made of them.
        """
        problems, count = frozenset(problems), 0
        for output, why in self.outputs.items():
            row = self._recorded.row(output)
            if row is None or row.get("source") in problems or self._sources.why_left(row) != why:
                continue
            # the row's own file goes last: should this stop between them, the next run still knows of all
            digests = {file.name: [str(file.sha256)] for file in reversed(listed_files(row))}
            try:
                with stopping(self._destination.location_of(output), passing=(PermissionError,)):
                    count += output in self._destination.remove(digests)
                    self._recorded.forget(output)
            except PermissionError as error:
                its = f"is gone, and its output {output}" if why == "gone" else f"its earlier output {output}"
                message = f"{its} cannot be removed: {error.strerror}; remove it by hand"
                note(Problem(str(row.get("source") or output), "failed", "unwritable", message))
        return count


def _require_own_source(settings: Settings, recorded: ManifestReader, sources: Sources) -> None:
    """Refuse a folder in which most sources that rows name are others: a subfolder, or another dataset."""
    asked = (sources.holds(recorded.row(output) or {}) for output in spread(recorded.outputs()))
    answers = list(islice((answer for answer in asked if answer is not None), WITNESSES))
    if sum(answers) * 2 < len(answers) or not answers:
        manifest = escape_name(folder_at(settings.destination).location_of(settings.output.manifest))
        raise Refused(
            f"--prune: {escape_name(settings.source)} does not look like the folder that {manifest} was made from: of "
            f"{len(answers)} sources looked at, {sum(answers)} are as it says; name that folder, or leave --prune out"
        )
