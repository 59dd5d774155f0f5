"""Runs whose outputs are members of tar shards: which tar each goes into, and what of earlier runs still holds.

All outputs of one tar are made together, and the tar again where any of them is not current.
"""

import itertools
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping

from noisecli.errors import FileProblem, FileSkipped, Refused
from noisecli.kinds import KINDS
from noisecli.manifest.destination import Names, read_run
from noisecli.manifest.ledger import Ledger
from noisecli.manifest.reader import ManifestReader
from noisecli.model import Problem, Task
from noisecli.run.resume import Resume
from noisecli.run.sources import Listing
from noisecli.settings import Settings
from noisecli.storage import Folder, TarFolder, escape_name, folder_at, stopping
from noisecli.storage.tar.names import split_key
from noisecli.tarjob import TarJob
from noisecli.workers.tar.layout import Layout

_LASTING = {"empty", "truncated", "corrupt", "wrong-content"}
"""Reasons that lie in the bytes of a source alone: as long as its tar is the same, it fails again."""


class Tars:
    """The tars of a request. Raises Refused from the constructor: sources that are in no tar, keys that would meet.

    `packed` is the tar that each source goes into, where files are packed; nothing else.
    """

    def __init__(self, settings: Settings, found: Listing) -> None:
        self._source = folder_at(settings.source)
        self.packed: dict[str, str] = {}
        self._beside: defaultdict[str, list[str]] = defaultdict(list)
        self._omitted: defaultdict[str, list[str]] = defaultdict(list)
        self._unnoised: defaultdict[str, list[str]] = defaultdict(list)
        if settings.output.tar is not None:
            self._pack(found, max(1, settings.output.tar // settings.noise.copies))
            return
        for name in found.sources:
            if self._source.tar_of(name) is None:
                raise Refused(
                    f"{escape_name(name)}: lies beside tar shards, and one run reads either; --exclude it, or name "
                    "its folder as SRC, or the tars alone as SRC/{000..099}.tar"
                )
        for name in itertools.chain(found.not_chosen_names, (name for name, _ in found.problems)):
            if (tar := self._source.tar_of(name)) is not None:
                self._omitted[tar].append(name)
        for name in itertools.chain(found.unnoised, found.masks):
            self._unnoised[self.unit_of(name)].append(name)
        holding = {*self._omitted, *tars_in(self._source, itertools.chain(found.sources, found.masks))}
        for tar in sorted(found.tars_beside - holding):
            words = f"holds no {KINDS[settings.kind].nouns} among its members; left alone"
            found.problems.append((tar, FileSkipped("unsupported-format", words)))

    def _pack(self, found: Listing, most: int) -> None:
        keys: dict[str, str] = {}
        digits = max(6, len(str(len(found.sources) // most)))
        for number, source in enumerate(found.sources):
            key = split_key(source)[0]
            if key in keys:
                raise Refused(
                    f"--tar: {escape_name(keys[key])} and {escape_name(source)} would be one sample, whose key ends "
                    "at the first dot of the name; rename one, or leave one out with --exclude"
                )
            keys[key] = source
            self.packed[source] = f"{number // most:0{digits}}.tar"
        beside = itertools.chain(found.sidecars, found.masks, found.data_beside)
        for name in beside:
            if (source := keys.get(split_key(name)[0], "")) and name not in self.packed:
                self._beside[source].append(name)
        along = {name for names in self._beside.values() for name in names}
        found.sidecars = [name for name in found.sidecars if name not in along]

    def unit_of(self, source: str) -> str:
        """Return the tar that a source is in, or is packed into; the name itself of what is in none."""
        return self.packed.get(source) or self._source.tar_of(source) or source

    def chunks(self, tasks: Iterable[Task]) -> Iterator[list[Task]]:
        """Yield tasks in plan order, those of each tar together."""
        for unit, group in itertools.groupby(tasks, key=lambda task: self.unit_of(task.source)):
            chunk = list(group)
            omitted, unnoised = tuple(sorted(self._omitted[unit])), tuple(sorted(self._unnoised[unit]))
            job = TarJob(unit, self._members(chunk), omitted, unnoised)
            yield [task._replace(tar=job) for task in chunk]

    def _members(self, chunk: list[Task]) -> tuple[str, ...]:
        sources = dict.fromkeys(task.source for task in chunk) if self.packed else ()
        return tuple(name for source in sources for name in sorted([source, *self._beside[source]], key=os.fsencode))


def tars_of(settings: Settings, found: Listing) -> Tars | None:
    """Return the tars of a request; None where its outputs are files."""
    return Tars(settings, found) if isinstance(folder_at(settings.destination), TarFolder) else None


class TarResume:
    """Decides which tars of earlier runs still hold, by their members, and which may be replaced."""

    def __init__(self, settings: Settings, resume: Resume, recorded: ManifestReader) -> None:
        self._settings, self._resume, self._recorded = settings, resume, recorded
        self._source, self._destination = folder_at(settings.source), folder_at(settings.destination)
        self._problems = dict(recorded.problems)
        self._listed = tars_in(self._destination, recorded.files())

    def keeps(self, chunk: list[Task]) -> list[Problem] | None:
        """Return None where the tars of a chunk are to be made; else the problems of their sources, which stay."""
        problems: dict[str, Problem] = {}
        for task in chunk:
            if self._resume.keeps(task, self._recorded):
                continue
            problem = self._lasting(task)
            if problem is None:
                return None
            problems[task.source] = problem
        try:
            return list(problems.values()) if self._hold(chunk, problems) else None
        except (FileProblem, OSError):
            return None

    def wanted(
        self,
        chunks: Iterable[list[Task]],
        sampled: dict[str, str],
        keep: Callable[[list[Task], list[Problem]], None],
    ) -> Iterator[Task]:
        """Yield the tasks of tars that are to be made; `keep` is called for each other one, as keeps() finds it."""
        for chunk in chunks:
            sampled.update({task.output: task.level.label for task in chunk if task.measure_survival})
            problems = self.keeps(chunk)
            if problems is None:
                yield from chunk
            else:
                keep(chunk, problems)

    def _lasting(self, task: Task) -> Problem | None:
        problem = self._problems.get(escape_name(task.source))
        running = self._settings.running
        if problem is None or problem.reason not in _LASTING or running.redo or running.checksum:
            return None
        return problem if self._source.tar_of(task.source) else None

    def _hold(self, chunk: list[Task], failed: Mapping[str, Problem]) -> bool:
        layout = Layout(self._settings, chunk)
        if len(failed) == len(layout.tasks):
            return False
        older = all(self._is_older(layout, tar) for tar in layout.tars)
        if failed and not older:
            return False
        for tar in layout.tars:
            entries = [entry for sample in layout.samples for entry in layout.entries(tar, sample, failed)]
            assert isinstance(self._destination, TarFolder)
            if [f"{tar}/{entry.name}" for entry in entries] != self._destination.members(tar):
                return False
            if older and not self._settings.running.checksum:
                continue
            for entry in entries:
                if not entry.is_made and not self._is_carried(entry.source, f"{tar}/{entry.name}"):
                    return False
        return True

    def _is_older(self, layout: Layout, tar: str) -> bool:
        """Whether all that a tar is made from was changed before the tar was."""
        made = self._destination.look(tar)
        names = layout.job.members or (layout.job.name,)
        found = [self._source.look(name, follow=True) for name in names]
        if made is None or None in found:
            return False
        return all(each and max(each.st_mtime_ns, each.st_ctime_ns) < made.st_mtime_ns for each in found)

    def _is_carried(self, source: str, output: str) -> bool:
        return self._source.sha256(source) == self._destination.sha256(output)

    def with_claims(self, chunk: list[Task]) -> list[Task]:
        """Return the tasks with the tars that may be replaced."""
        tars = {tar for task in chunk for name in task.names if (tar := self._destination.tar_of(name))}
        force = self._settings.running.force
        ours = [tar for tar in sorted(tars) if force or tar in self._listed or self._recorded.is_leftover(tar)]
        return [task._replace(replaces=tuple(ours)) for task in chunk]


def count_kept(chunk: list[Task], problems: list[Problem]) -> int:
    """Return how many outputs of a tar that is kept it has."""
    failed = {problem.source for problem in problems}
    return sum(escape_name(task.source) not in failed for task in chunk)


def tars_in(folder: Folder, names: Iterable[str]) -> set[str]:
    """Return the tars that names lead into."""
    return {tar for name in names if (tar := folder.tar_of(name)) is not None}


def refuse_taken(settings: Settings, outputs: Iterable[str], recorded: ManifestReader) -> None:
    """Refuse a run before any work that would replace tars of somebody else."""
    destination = folder_at(settings.destination)
    ours = tars_in(destination, itertools.chain(recorded.files(), recorded.intended_files()))
    own = set[str]()
    for tar in sorted(tars_in(destination, outputs) - ours):
        with stopping(destination.location_of(tar)):
            if not destination.has(tar) or recorded.rows_lost or recorded.is_leftover(tar):
                continue
            if not destination.says_ours(tar):
                path = escape_name(destination.location_of(tar))
                words = f"already exists, and no row of {settings.output.manifest} is of it; move it, or add --force"
                raise Refused(f"{path}: {words}")
        own.add(tar)
    recorded.own_by_word = frozenset(own)


def refuse_other_form(settings: Settings) -> None:
    """Refuse a destination whose earlier run wrote files where this one writes tars, or the other way round."""
    destination = folder_at(settings.destination)
    names = Names.of(settings.output.manifest)
    run = read_run(destination, names.run)
    in_tars = isinstance(destination, TarFolder)
    if run is not None and bool(run.get("tars")) != in_tars and run["totals"].get("outputs"):
        holds = "tar shards" if run.get("tars") else "outputs that are in no tar"
        raise Refused(f"{escape_name(settings.destination)}: holds {holds} of an earlier run; choose another folder")


def settle_tars(destination: Folder, ledger: Ledger) -> None:
    """Remove tars that were put in place, but whose rows were lost with their worker: no tar is without true rows."""
    if not isinstance(destination, TarFolder):
        return
    destination.look_again()
    waiting: defaultdict[str, list[str]] = defaultdict(list)
    for name in ledger.intended_files():
        if (tar := destination.tar_of(name)) is not None:
            waiting[tar].append(name)
    placed = ledger.placed_digests() if waiting else {}
    gone = set[str]()
    for tar, names in waiting.items():
        if tar not in placed or not any(map(destination.has, names)):
            continue
        with stopping(destination.location_of(tar)):
            if destination.own_digest(tar) == placed[tar] and destination.remove({tar: [placed[tar]]}):
                gone.add(tar)
    if gone:
        for output in [output for output in ledger.outputs() if destination.tar_of(output) in gone]:
            ledger.forget(output)
