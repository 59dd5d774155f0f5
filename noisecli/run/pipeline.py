"""From a request to a manifest: walk, plan, keep what is current, make the rest, publish. The page to read first."""

import itertools
import os
import secrets
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing

from noisecli.engines import Lost, open_engine, run_all, warm_up, worker_prefix
from noisecli.errors import FileProblem, Refused, Stopped
from noisecli.kinds import KINDS, always_loses, load
from noisecli.manifest.destination import Names, refuse_odd_files, require_ours
from noisecli.manifest.ledger import Ledger
from noisecli.manifest.reader import ManifestReader
from noisecli.model import Made, Problem, SideFile, Task
from noisecli.run.claims import refuse_claims, with_claims
from noisecli.run.leftovers import Asked, is_another_source
from noisecli.run.masks import set_aside
from noisecli.run.plan import Plan, refuse_followed, refuse_nesting
from noisecli.run.prune import Pruning
from noisecli.run.publish import publish
from noisecli.run.resume import Resume
from noisecli.run.sidecars import SideFiles
from noisecli.run.sources import Listing, walk
from noisecli.run.summary import Summary
from noisecli.settings import Settings
from noisecli.storage import TEMPORARY_PREFIX, escape_name, folder_at
from noisecli.workers import Done, making_job
from noisecli.workers.stage import Stage

Progress = Callable[[int], None]


def run(settings: Settings, *, dry_run: bool = False, begin: Callable[[int], Progress] | None = None) -> Summary:
    """Carry out a request.

    Parameters
    ----------
    begin
        Called once with the number of outputs planned; what it returns is called with each number of them settled.

    Raises
    ------
    Refused
        Before any work.
    Stopped
        Before any work where the destination cannot be written or is held by another run; what stops the run later is
        in the summary.
    """
    kind = KINDS[settings.kind]
    if kind.has_sources:
        refuse_nesting(settings)
    names = Names.of(settings.output.manifest)
    refuse_odd_files(settings.destination, names)
    require_ours(settings.destination, names, settings.kind, force=settings.running.force)
    if not dry_run and not folder_at(settings.destination).has(names.manifest, follow=True):
        # while the walk goes on; a second run may find nothing to do
        warm_up(kind.modules, settings.running)
    found = find_sources(settings) if kind.has_sources else Listing()
    refuse_followed(settings, found)
    plan: Plan = load(kind.plan)(settings, found)
    if kind.has_sources:
        plan.refuse_names(names)
    summary = _counted(settings, plan, found, dry_run)
    if dry_run:
        if settings.running.prune:
            with ManifestReader.look(settings.destination, names) as recorded:
                summary.pruned = len(_pruning(settings, recorded, plan, found).outputs)
        return summary
    with Ledger(settings.destination, names, fsync=settings.running.fsync) as ledger:
        work = Run(settings, plan, found, ledger, summary)
        work.progress = begin(len(plan)) if begin else work.progress
        try:
            work.carry_out()
        except Refused:
            ledger.abandon()
            raise
    return summary


def find_sources(settings: Settings) -> Listing:
    """Return what a request's source folder holds, label masks set aside and --limit kept. Raises Refused."""
    found = walk(settings.source, settings.kind, settings.choice)
    set_aside(settings, found)
    found.keep_first(settings.choice.limit)
    return found


class Run:
    """One run on one destination, which it holds."""

    def __init__(self, request: Settings, plan: Plan, found: Listing, ledger: Ledger, summary: Summary) -> None:
        self._settings, self._plan, self._found = request, plan, found
        self._ledger, self._summary = ledger, summary
        self._resume = Resume(request)
        self._side_files = SideFiles(request, ledger, self._sidecars)
        self._stage: Stage = load(KINDS[request.kind].stage)(request, found.sources)
        self._sampled: dict[str, str] = {}
        self._noted: set[str] = set()
        self._prefix = f"{TEMPORARY_PREFIX}{secrets.token_hex(4)}-"
        self.progress: Progress = lambda settled: None

    def carry_out(self) -> None:
        """Do it. However it ends, short of being killed, the manifest lists the outputs in place."""
        self._stage.refuse()
        self._refuse_foreign()
        pruning = _pruning(self._settings, self._ledger, self._plan, self._found)
        self._ledger.sources += is_another_source(self._settings, self._ledger)
        for prefix in self._ledger.begun.prefixes:
            # of runs that were killed
            self._clean_up(prefix)
        self._forget_old_problems()
        self._ledger.begin(self._prefix, {self._settings.key: self._settings.fingerprint_fields()})
        try:
            for problem in _problems(self._found.problems):
                self._note(problem)
            self._make_all()
            self._ledger.check_in_place()
            self._copy_sidecars()
            self._summary.pruned = pruning.remove(self._note, self._noted)
        except Stopped as stop:
            self._summary.stopped = str(stop)
        except Refused:
            raise
        except BaseException:
            self._publish(finished=False)
            raise
        self._publish(finished=self._summary.stopped is None)

    def _publish(self, *, finished: bool) -> None:
        self._summary.answers = self._stage.answers()
        self._side_files.settle()
        asked = Asked(self._plan.outputs, self._found.sources)
        publish(self._settings, self._ledger, self._summary, self._sampled, asked, finished=finished)

    def _make_all(self) -> None:
        job = making_job(self._settings, self._ledger.journal, self._prefix)
        try:
            with closing(self._chunks()) as chunks, open_engine(job, self._settings.running) as engine:
                for chunk, result in run_all(engine, chunks, by_source, self._clean_up_after):
                    if isinstance(result, Lost):
                        self.progress(len(chunk))
                        self._note(result.problem_of(chunk[0].origin))
                    else:
                        self._take(result, chunk)
        except BaseException:
            self._clean_up(self._prefix)
            raise

    def _take(self, done: Done, chunk: list[Task]) -> None:
        self._ledger.note_versions(done.versions)
        self.progress(len(chunk))
        for outcome in done.outcomes:
            if isinstance(outcome, Made):
                self._summary.note_made(outcome, replaced=outcome.output in self._ledger)
                self._ledger.note_made(outcome)
                self._stage.note_made(outcome)
            else:
                self._note(outcome)

    def _note(self, problem: Problem) -> None:
        """Give a source its one status; its outputs may have been spread over several chunks."""
        if problem.source in self._noted:
            return
        self._noted.add(problem.source)
        self._ledger.note_problem(problem)
        self._summary.note_problem(problem)
        running, failed = self._settings.running, self._summary.failed
        if problem.status == "failed" and running.stop_on_error:
            raise Stopped(f"{problem.source} failed, and --on-error stop was asked for: {problem.message}")
        if running.max_failures is not None and failed >= running.max_failures:
            raise Stopped(f"{failed} files failed, as many as --max-failures allows")

    def _chunks(self) -> Generator[list[Task], None, None]:
        """Yield what is to be made."""
        wanted = (task for task in self._plan.tasks() if not self._keep(task))
        with closing(self._stage.prepare(wanted, len(self._plan))) as stage:
            for prepared in stage:
                self._ledger.note_versions(prepared.versions)
                for problem in prepared.problems:
                    self._note(problem)
                self.progress(prepared.dropped)
                if prepared.tasks:
                    self._ledger.intend(prepared.tasks)
                    yield with_claims(prepared.tasks, self._ledger, force=self._settings.running.force)

    def _keep(self, task: Task) -> bool:
        if task.measure_survival:
            self._sampled[task.output] = task.level.label
            if task.output not in self._ledger.survival and always_loses(task.output):
                return False
        if task.output in self._ledger.intended:
            # a run that was killed may have replaced it after its row was written
            return False
        row = self._ledger.row(task.output)
        if row is None or not self._resume.is_current(task, row) or not self._stage.is_current(task, row):
            return False
        self._summary.kept += 1
        self.progress(1)
        return True

    def _refuse_foreign(self) -> None:
        """Refuse to replace files that no run of noisecli is known to have made."""
        is_new = not self._ledger.folder_was_there
        refuse_claims(self._settings, self._plan, self._ledger, is_new=is_new)
        self._side_files.refuse_foreign()

    def _sidecars(self) -> Iterable[SideFile]:
        return () if self._settings.output.sidecars == "skip" else self._plan.sidecars()

    def _copy_sidecars(self) -> None:
        """Copy side files; a label mask was skipped, or failed where it cannot be copied."""
        self._side_files.carry(self._prefix, self._summary, self._note)
        for problem in _problems(self._found.masks.items()):
            self._note(problem)

    def _forget_old_problems(self) -> None:
        """Problems of sources that this run looks at again, or that are gone, are outdated."""
        problems = self._ledger.problems
        if not KINDS[self._settings.kind].has_sources:
            problems.clear()
        if problems:
            listed = itertools.chain(self._found.sources, self._found.sidecars, self._found.masks)
            again = {escape_name(source) for source in listed}
            all_listed = self._settings.choice.names is None
            folder = folder_at(self._settings.source)
            for source in list(problems):
                if source in again or folder.is_missing(source) or (all_listed and folder.is_folder(source)):
                    del problems[source]

    def _clean_up(self, prefix: str) -> None:
        names = itertools.chain(self._ledger.intended, filter(None, self._ledger.intended.values()))
        folders = {"", *(os.path.dirname(name) for name in names)}
        folders.update(os.path.dirname(side.name) for side in self._sidecars())
        folder_at(self._settings.destination).remove_temporaries(folders, prefix)

    def _clean_up_after(self, chunk: list[Task], lost: Lost) -> None:
        folders = {os.path.dirname(name) for task in chunk for name in task.names}
        folder_at(self._settings.destination).remove_temporaries(folders, worker_prefix(self._prefix, lost.worker))


def _pruning(settings: Settings, recorded: ManifestReader, plan: Plan, found: Listing) -> Pruning:
    asked = Asked(plan.outputs, found.sources)
    return Pruning(settings, recorded, asked, (escape_name(source) for source, _ in found.problems))


def _problems(found: Iterable[tuple[str, FileProblem]]) -> Iterator[Problem]:
    for source, problem in found:
        yield Problem(escape_name(source), problem.status, problem.reason, problem.message)


def by_source(chunk: list[Task]) -> list[list[Task]]:
    """Return the chunk's tasks as one chunk for each source."""
    return [list(group) for _, group in itertools.groupby(chunk, key=lambda task: task.origin)]


def _counted(settings: Settings, plan: Plan, found: Listing, dry_run: bool) -> Summary:
    summary = Summary(planned=len(plan), dry_run=dry_run, hidden=found.hidden, not_chosen=found.not_chosen)
    summary.is_one_file, summary.ignore_errors = settings.choice.is_one_file, settings.running.ignore_errors
    summary.other_kinds, summary.masks = dict(found.other_kinds), len(found.masks)
    summary.masks_asked_for = found.masks_asked_for
    if settings.output.sidecars == "skip":
        summary.sidecars_left = len(found.sidecars)
    else:
        carried = len(found.sidecars) + len(found.data_beside) + len(found.masks)
        summary.sidecars_copied = carried if dry_run else 0
        summary.other_kinds = dict(found.other_kinds - found.kinds_beside)
    if dry_run:
        summary.input_bytes = plan.input_bytes() if found.sources else 0
        for problem in _problems(itertools.chain(found.problems, found.masks.items())):
            summary.note_problem(problem)
    return summary
