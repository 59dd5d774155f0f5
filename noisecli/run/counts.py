"""What a run counts before any work: files that it leaves out, side files and problems."""

import itertools
from collections.abc import Iterable, Iterator

from noisecli.errors import FileProblem
from noisecli.model import Problem
from noisecli.run.examples import Examples
from noisecli.run.plan import Plan
from noisecli.run.sources import Listing
from noisecli.run.summary import Summary
from noisecli.settings import Settings
from noisecli.storage import escape_name


def problems_of(found: Iterable[tuple[str, FileProblem]], plan: Plan) -> Iterator[Problem]:
    """Yield the problems of this run's own files."""
    for source, problem in found:
        if plan.is_own(source):
            yield Problem(escape_name(source), problem.status, problem.reason, problem.message)


def count_found(summary: Summary, settings: Settings, plan: Plan, found: Listing, dry_run: bool) -> None:
    """Count what was found and is left out, before any work."""
    summary.planned, summary.dry_run = len(plan), dry_run
    summary.hidden, summary.not_chosen = found.hidden, found.not_chosen
    summary.shard = None if settings.choice.shard is None else str(settings.choice.shard)
    summary.is_one_file, summary.ignore_errors = settings.choice.is_one_file, settings.running.ignore_errors
    summary.other_kinds, summary.masks = dict(found.other_kinds), plan.count(found.masks)
    summary.masks_asked_for = found.masks_asked_for
    if settings.output.sidecars == "skip":
        left = [name for name in found.sidecars if plan.is_own(name)]
        summary.sidecars_left = len(left)
        summary.examples["left"] = Examples.of(left)
    else:
        side_files = itertools.chain(found.sidecars, found.data_beside, found.masks)
        carried = plan.count(side_files) - plan.count(plan.labels.pairs.left_out)
        summary.sidecars_copied = carried if dry_run else 0
        summary.other_kinds = dict(found.other_kinds - found.kinds_beside)
        summary.labels_told, summary.labels_rewritten = plan.labels.told, plan.count(plan.labels.rewritten)
        summary.labels_alone = [escape_name(name) for name in plan.labels.pairs.without_source]
        summary.sources_alone = [escape_name(name) for name in plan.labels.pairs.without_label]
    if dry_run:
        for problem in problems_of(itertools.chain(found.problems, found.masks.items()), plan):
            summary.note_problem(problem)
