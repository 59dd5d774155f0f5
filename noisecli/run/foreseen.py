"""What a run decides before it writes: what is refused, kept, made, replaced and pruned. A dry run ends here."""

from collections.abc import Iterable, Iterator
from functools import partial

from noisecli.kinds import KINDS, load
from noisecli.manifest.destination import Names
from noisecli.manifest.reader import ManifestReader
from noisecli.model import Task
from noisecli.run.claims import refuse_claims
from noisecli.run.leftovers import Asked
from noisecli.run.plan import Plan
from noisecli.run.prune import Pruning
from noisecli.run.resume import Resume
from noisecli.run.sidecars import SideFiles
from noisecli.run.sources import Listing
from noisecli.run.stale import StaleSideFiles
from noisecli.run.summary import Summary
from noisecli.run.tars import TarResume, count_kept
from noisecli.settings import Settings
from noisecli.storage import escape_name
from noisecli.workers.stage import Stage


def foresee(settings: Settings, plan: Plan, found: Listing, summary: Summary) -> None:
    """Count what a run would do, by what its destination records now. Raises Refused as the run would.

    This reads alone: no journal, no lock. While another run holds the destination, what that one has made so far
    counts, and files that nothing lists yet are taken for its outputs.
    """
    stage: Stage = load(KINDS[settings.kind].stage)(settings, found.sources)
    stage.refuse()
    with ManifestReader.look(settings.destination, Names.of(settings.output.manifest)) as recorded:
        summary.held = recorded.is_held()
        if not summary.held:
            carried = (lambda: ()) if settings.output.sidecars == "skip" else partial(plan.sidecars, own=True)
            refuse_foreign(settings, plan, recorded, SideFiles(settings, recorded, carried))
        pruning = pruning_of(settings, recorded, plan, found)
        summary.pruned, summary.sidecars_pruned = pruning.count(), pruning.stale.count_removable()
        summary.sidecars_stale = pruning.stale.count_left()
        resume = Resume(settings, stage, found.folder, only_reads=True)
        tasks = counting(plan.tasks(), summary)
        if plan.tars is not None:
            _foresee_tars(plan.tars.chunks(tasks), TarResume(settings, resume, recorded), recorded, summary)
            return
        for task in tasks:
            if resume.keeps(task, recorded):
                summary.kept += 1
            else:
                summary.made += 1
                summary.replaced += task.output in recorded


def _foresee_tars(chunks: Iterable[list[Task]], resume: TarResume, recorded: ManifestReader, summary: Summary) -> None:
    for chunk in chunks:
        problems = resume.keeps(chunk)
        if problems is None:
            summary.made += len(chunk)
            summary.replaced += sum(task.output in recorded for task in chunk)
        else:
            summary.kept += count_kept(chunk, problems)
            for problem in problems:
                summary.note_problem(problem)


def counting(tasks: Iterator[Task], summary: Summary) -> Iterator[Task]:
    """Yield tasks, the bytes of their sources added up."""
    source = ""
    for task in tasks:
        if task.source != source:
            source = task.source
            summary.input_bytes += task.size
        yield task


def refuse_foreign(settings: Settings, plan: Plan, recorded: ManifestReader, side_files: SideFiles) -> None:
    """Refuse to replace files that no run of noisecli is known to have made."""
    refuse_claims(settings, plan, recorded, is_new=not recorded.folder_was_there)
    side_files.refuse_foreign()


def pruning_of(settings: Settings, recorded: ManifestReader, plan: Plan, found: Listing) -> Pruning:
    """Return what --prune removes."""
    asked = Asked(plan.outputs, found.sources)
    side_files = plan.sidecars() if settings.output.sidecars != "skip" else ()
    stale = StaleSideFiles(settings, recorded, side_files, found.folder)
    return Pruning(settings, recorded, asked, (escape_name(source) for source, _ in found.problems), stale)
