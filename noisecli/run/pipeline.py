"""From a request to a manifest: walk, plan, keep what is current, make the rest, publish. The page to read first."""

import os
import secrets
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import closing

from noisecli.engines import Lost, open_engine, run_all, warm_up, worker_prefix
from noisecli.errors import Refused, Stopped
from noisecli.kinds import KINDS, load
from noisecli.manifest.destination import Names
from noisecli.manifest.ledger import Ledger
from noisecli.manifest.shards import refuse_mixture
from noisecli.model import Made, Problem, SideFile, Task
from noisecli.run.claims import refuse_destination, with_claims
from noisecli.run.counts import count_found, problems_of
from noisecli.run.foreseen import counting, foresee, pruning_of, refuse_foreign
from noisecli.run.leftovers import Asked, is_another_source
from noisecli.run.lost import is_probe, names_lost, parts_of
from noisecli.run.make.depfile import depfile_of
from noisecli.run.make.prerequisites import Prerequisites
from noisecli.run.make.rule import Rule
from noisecli.run.masks import set_aside
from noisecli.run.outdated import forget_old_problems
from noisecli.run.plan import Plan, refuse_followed, refuse_nesting
from noisecli.run.publish import publish
from noisecli.run.resume import Resume
from noisecli.run.shards import recorded_shard
from noisecli.run.sidecars import SideFiles
from noisecli.run.sources import Listing, walk
from noisecli.run.summary import Summary
from noisecli.run.tars import TarResume, count_kept
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
    refuse_destination(settings, names)
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
        self._tars = None if plan.tars is None else TarResume(request, self._resume, ledger)
        self._sampled: dict[str, str] = {}
        self._noted: set[str] = set()
        self._left_in: set[str] = set()
        self._prefix = f"{TEMPORARY_PREFIX}{secrets.token_hex(4)}-"
        self.progress: Progress = lambda settled: None

    def carry_out(self) -> None:
        """Do it. However it ends, short of being killed, the manifest lists the outputs in place."""
        self._stage.refuse()
        refuse_foreign(self._settings, self._plan, self._ledger, self._side_files)
        pruning = pruning_of(self._settings, self._ledger, self._plan, self._found)
        self._stale = pruning.stale
        self._ledger.sources += is_another_source(self._settings, self._ledger)
        for prefix in self._ledger.begun.prefixes:
            # of runs that were killed
            self._clean_up(prefix)
        forget_old_problems(self._settings, self._found, self._ledger)
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
            self._clean_up_own()
            raise
        except BaseException:
            self._publish_part()
            raise
        if self._summary.stopped is None:
            self._publish(finished=True)
        else:
            self._publish_part()

    def _publish_part(self) -> None:
        """Publish what was made, unless another run holds the destination, or it is gone: the journal knows it too."""
        # where a second signal comes before the end, the journal stays, and the next run cleans up
        self._clean_up_own()
        if self._ledger.can_publish():
            self._publish(finished=False)

    def _publish(self, *, finished: bool) -> None:
        self._summary.answers = self._stage.answers()
        self._side_files.settle()
        self._summary.sidecars_stale = self._stale.count_left()
        if self._settings.output.sidecars == "skip":
            self._summary.sidecars_kept = len(self._ledger.sidecars) - self._summary.sidecars_stale
        asked = Asked(self._plan.outputs, self._found.sources)
        extra = recorded_shard(self._settings, self._found) | ({} if self._tars is None else {"tars": True})
        publish(self._settings, self._ledger, self._summary, self._sampled, asked, self._rule, extra, finished=finished)

    def _make_all(self) -> None:
        job = making_job(self._settings, self._ledger.journal, self._prefix)
        with closing(self._chunks()) as chunks, open_engine(job, self._settings.running) as engine:
            for chunk, result in run_all(engine, chunks, self._parts, self._clean_up_after):
                if isinstance(result, Lost):
                    self._note_lost(result, chunk)
                elif not is_probe(chunk):
                    self._take(result, chunk)
        if self._left_in:
            self._ledger.wait_for_workers()
            folder_at(self._settings.destination).remove_temporaries(self._left_in, self._prefix)

    def _parts(self, chunk: list[Task]) -> Iterable[list[Task]]:
        return parts_of(chunk, lambda source: escape_name(source) in self._noted)

    def _note_lost(self, lost: Lost, chunk: list[Task]) -> None:
        self.progress(len(chunk))
        for name in names_lost(chunk):
            self._note(lost.problem_of(name))

    def _take(self, done: Done, chunk: list[Task]) -> None:
        self._ledger.note_versions(done.versions)
        self.progress(len(chunk))
        # a problem may end the run: what is in a tar that has its name gets its rows first
        in_tar = chunk[0].tar is not None
        for outcome in sorted(done.outcomes, key=lambda outcome: in_tar and not isinstance(outcome, Made)):
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
        tasks = counting(self._plan.tasks(), self._summary)
        wanted: Iterable[Task] = (task for task in tasks if not self._keep(task))
        if self._tars is not None and self._plan.tars is not None:
            wanted = self._tars.wanted(self._plan.tars.chunks(tasks), self._sampled, self._keep_tar)
        with closing(self._stage.prepare(iter(wanted), len(self._plan))) as stage:
            for prepared in stage:
                self._ledger.note_versions(prepared.versions)
                for problem in prepared.problems:
                    self._note(problem)
                self.progress(prepared.dropped)
                if prepared.tasks:
                    self._rule.mark_unfinished(self._ledger)
                    self._ledger.intend(prepared.tasks)
                    yield self._claimed(prepared.tasks)

    def _claimed(self, tasks: list[Task]) -> list[Task]:
        if self._tars is not None:
            return self._tars.with_claims(tasks)
        return with_claims(tasks, self._ledger, force=self._settings.running.force)

    def _keep_tar(self, chunk: list[Task], problems: list[Problem]) -> None:
        for problem in problems:
            self._note(problem)
        self._summary.kept += count_kept(chunk, problems)
        self.progress(len(chunk))

    def _keep(self, task: Task) -> bool:
        if task.measure_survival:
            self._sampled[task.output] = task.level.label
        if not self._resume.keeps(task, self._ledger):
            return False
        self._summary.kept += 1
        self.progress(1)
        return True

    def _sidecars(self) -> Iterable[SideFile]:
        return () if self._settings.output.sidecars == "skip" else self._plan.sidecars(own=True)

    def _copy_sidecars(self) -> None:
        """Copy side files; a label mask was skipped, or failed where it cannot be copied."""
        self._side_files.carry(self._prefix, self._summary, self._note)
        if self._settings.output.sidecars != "skip":
            self._summary.labels_rewritten = self._plan.count(self._plan.labels.rewritten)
        for problem in problems_of(self._found.masks.items(), self._plan):
            self._note(problem)

    def _clean_up_own(self) -> None:
        self._ledger.wait_for_workers()
        self._clean_up(self._prefix)

    def _clean_up(self, prefix: str) -> None:
        folders = {"", *map(os.path.dirname, self._ledger.intended_files())}
        folders.update(os.path.dirname(side.name) for side in self._sidecars())
        folder_at(self._settings.destination).remove_temporaries(folders, prefix)

    def _clean_up_after(self, chunk: list[Task], lost: Lost) -> None:
        folders = {os.path.dirname(name) for task in chunk for name in task.names}
        if not lost.worker:
            # what it left has the name of some worker, and the others are at work
            self._left_in |= folders
            return
        folder_at(self._settings.destination).remove_temporaries(folders, worker_prefix(self._prefix, lost.worker))
