"""From a request to a manifest: walk, plan, keep what is current, make the rest, publish. The page to read first."""

import itertools
import os
import secrets
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import closing

from noisecli.engines import Lost, open_engine, run_all, warm_up, worker_prefix
from noisecli.errors import Refused, Stopped
from noisecli.kinds import KINDS, load
from noisecli.manifest.destination import Names, refuse_odd_files, require_ours
from noisecli.manifest.ledger import Ledger
from noisecli.manifest.shards import refuse_mixture
from noisecli.model import Made, Problem, SideFile, Task
from noisecli.run.claims import with_claims
from noisecli.run.counts import count_found, problems_of
from noisecli.run.foreseen import counting, foresee, pruning_of, refuse_foreign
from noisecli.run.leftovers import Asked, is_another_source
from noisecli.run.make.depfile import depfile_of
from noisecli.run.make.prerequisites import Prerequisites
from noisecli.run.make.rule import Rule
from noisecli.run.masks import set_aside
from noisecli.run.plan import Plan, refuse_followed, refuse_nesting
from noisecli.run.publish import publish
from noisecli.run.resume import Resume
from noisecli.run.shards import recorded_shard
from noisecli.run.sidecars import SideFiles
from noisecli.run.sources import Listing, walk
from noisecli.run.summary import Summary
from noisecli.settings import Settings
from noisecli.storage import TEMPORARY_PREFIX, escape_name, folder_at
from noisecli.workers import Done, making_job
from noisecli.workers.stage import Stage

Progress = Callable[[int], None]
Begin = Callable[[int], Progress]
Tell = Callable[[list[str]], None]


def run(
    settings: Settings,
    *,
    dry_run: bool = False,
    begin: Begin | None = None,
    tell: Tell | None = None,
    into: Summary | None = None,
) -> Summary:
    """Carry out a request.

    Parameters
    ----------
    tell
        Called once before any work with what a person has to know of side files that name images, a line each.
    begin
        Called once with the number of outputs planned; what it returns is called with each number of them settled.
    into
        The summary that is filled and returned: whoever gives one has the counters however the run ends.

    Raises
    ------
    Refused
        Before any work.
    Stopped
        Before any work where the destination cannot be written or is held by another run; what stops the run later is
        in the summary.
    """
    kind, began = KINDS[settings.kind], time.time_ns()
    if kind.has_sources:
        refuse_nesting(settings)
    names = Names.of(settings.output.manifest)
    _refuse_destination(settings, names)
    if not dry_run and not folder_at(settings.destination).has(names.manifest, follow=True):
        warm_up(kind.modules, settings.running)  # while the walk goes on; a second run may find nothing to do
    found = find_sources(settings) if kind.has_sources else Listing()
    refuse_followed(settings, found)
    plan: Plan = load(kind.plan)(settings, found)
    if kind.has_sources:
        plan.refuse_names(names)
    rule = Rule(settings, found, Prerequisites(settings, plan, found), depfile_of(settings, found), began)
    summary = into or Summary()
    count_found(summary, settings, plan, found, dry_run)
    if tell is not None:
        tell(summary.labels_told)
    if dry_run:
        foresee(settings, plan, found, summary)
    else:
        _hold_and_carry_out(settings, plan, found, summary, rule, begin)
    return summary


def _refuse_destination(settings: Settings, names: Names) -> None:
    refuse_odd_files(settings.destination, names)
    require_ours(settings.destination, names, settings.kind, force=settings.running.force)
    refuse_mixture(settings.destination, names.manifest)


def _hold_and_carry_out(
    settings: Settings, plan: Plan, found: Listing, summary: Summary, rule: Rule, begin: Begin | None
) -> None:
    names, running = Names.of(settings.output.manifest), settings.running
    with Ledger(settings.destination, names, fsync=running.fsync, force=running.force) as ledger:
        work = Run(settings, plan, found, ledger, summary, rule)
        work.progress = begin(len(plan)) if begin else work.progress
        try:
            # somebody may have begun to merge meanwhile, and sees by now that this has begun
            refuse_mixture(settings.destination, settings.output.manifest)
            work.carry_out()
        except Refused:
            ledger.abandon()
            raise


def find_sources(settings: Settings) -> Listing:
    """Return what a request's source folder holds, label masks set aside and --limit kept. Raises Refused."""
    found = walk(settings.source, settings.kind, settings.choice)
    set_aside(settings, found)
    found.keep_first(settings.choice.limit)
    return found


class Run:
    """One run on one destination, which it holds."""

    def __init__(
        self, request: Settings, plan: Plan, found: Listing, ledger: Ledger, summary: Summary, rule: Rule
    ) -> None:
        self._settings, self._plan, self._found, self._rule = request, plan, found, rule
        self._ledger, self._summary = ledger, summary
        self._side_files = SideFiles(request, ledger, self._sidecars)
        self._stage: Stage = load(KINDS[request.kind].stage)(request, found.sources)
        self._resume = Resume(request, self._stage, found.folder)
        self._sampled: dict[str, str] = {}
        self._noted: set[str] = set()
        self._left_in: set[str] = set()
        self._prefix = f"{TEMPORARY_PREFIX}{secrets.token_hex(4)}-"
        self.progress: Progress = lambda settled: None

    def carry_out(self) -> None:
        """Do it. However it ends, short of being killed, the manifest lists the outputs in place."""
        self._stage.refuse()
        self._refuse_foreign()
        pruning = pruning_of(self._settings, self._ledger, self._plan, self._found)
        self._stale = pruning.stale
        self._ledger.sources += is_another_source(self._settings, self._ledger)
        for prefix in self._ledger.begun.prefixes:
            # of runs that were killed
            self._clean_up(prefix)
        self._forget_old_problems()
        self._ledger.begin(self._prefix, {self._settings.key: self._settings.fingerprint_fields()})
        try:
            for problem in problems_of(self._found.problems, self._plan):
                self._note(problem)
            self._make_all()
            self._ledger.check_in_place()
            self._copy_sidecars()
            self._summary.pruned = pruning.remove(self._note, self._noted)
            self._summary.sidecars_pruned = self._stale.remove(self._note)
            self._rule.write_depfile(self._summary)
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
        self._summary.sidecars_stale = self._stale.count_left()
        if self._settings.output.sidecars == "skip":
            self._summary.sidecars_kept = len(self._ledger.sidecars) - self._summary.sidecars_stale
        asked = Asked(self._plan.outputs, self._found.sources)
        extra = recorded_shard(self._settings, self._found)
        publish(self._settings, self._ledger, self._summary, self._sampled, asked, self._rule, extra, finished=finished)

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
            self._ledger.wait_for_workers()
            self._clean_up(self._prefix)
            raise
        if self._left_in:
            self._ledger.wait_for_workers()
            folder_at(self._settings.destination).remove_temporaries(self._left_in, self._prefix)

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
        wanted = (task for task in counting(self._plan.tasks(), self._summary) if not self._keep(task))
        with closing(self._stage.prepare(wanted, len(self._plan))) as stage:
            for prepared in stage:
                self._ledger.note_versions(prepared.versions)
                for problem in prepared.problems:
                    self._note(problem)
                self.progress(prepared.dropped)
                if prepared.tasks:
                    self._rule.mark_unfinished(self._ledger)
                    self._ledger.intend(prepared.tasks)
                    yield with_claims(prepared.tasks, self._ledger, force=self._settings.running.force)

    def _keep(self, task: Task) -> bool:
        if task.measure_survival:
            self._sampled[task.output] = task.level.label
        if not self._resume.keeps(task, self._ledger):
            return False
        self._summary.kept += 1
        self.progress(1)
        return True

    def _refuse_foreign(self) -> None:
        """Refuse to replace files that no run of noisecli is known to have made."""
        refuse_foreign(self._settings, self._plan, self._ledger, self._side_files)

    def _sidecars(self) -> Iterable[SideFile]:
        return () if self._settings.output.sidecars == "skip" else self._plan.sidecars(own=True)

    def _copy_sidecars(self) -> None:
        """Copy side files; a label mask was skipped, or failed where it cannot be copied."""
        self._side_files.carry(self._prefix, self._summary, self._note)
        if self._settings.output.sidecars != "skip":
            self._summary.labels_rewritten = self._plan.count(self._plan.labels.rewritten)
        for problem in problems_of(self._found.masks.items(), self._plan):
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
        if not lost.worker:
            # what it left has the name of some worker, and the others are at work
            self._left_in |= folders
            return
        folder_at(self._settings.destination).remove_temporaries(folders, worker_prefix(self._prefix, lost.worker))


def by_source(chunk: list[Task]) -> list[list[Task]]:
    """Return the chunk's tasks as one chunk for each source."""
    return [list(group) for _, group in itertools.groupby(chunk, key=lambda task: task.origin)]
