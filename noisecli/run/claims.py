"""Which files of a destination a run may replace: those that a row, or an interrupted run, shows to be ours."""

from noisecli.errors import Refused
from noisecli.kinds.latents.plan import LatentsPlan
from noisecli.manifest.destination import Names, refuse_odd_files, require_ours
from noisecli.manifest.reader import ManifestReader
from noisecli.manifest.shards import refuse_mixture
from noisecli.model import Task
from noisecli.model.files import listed_files
from noisecli.run.plan import Plan
from noisecli.run.tars import refuse_other_form, refuse_taken
from noisecli.run.twins import refuse_twins
from noisecli.settings import Settings
from noisecli.storage import escape_name, folder_at, stopping


def refuse_destination(settings: Settings, names: Names) -> None:
    """Refuse a destination that is not for this run, by what its root holds."""
    refuse_odd_files(settings.destination, names)
    require_ours(settings.destination, names, settings.kind, force=settings.running.force)
    refuse_mixture(settings.destination, names.manifest)
    refuse_other_form(settings)


def refuse_claims(settings: Settings, plan: Plan | LatentsPlan, recorded: ManifestReader, *, is_new: bool) -> None:
    """Refuse a run before any work that would replace files of somebody else, or make two outputs under one name."""
    names = Names.of(settings.output.manifest)
    destination = folder_at(settings.destination).survey()
    if destination.folds_case(names.journal):
        refuse_twins(plan.outputs(), names, escape_name(settings.destination))
    _refuse_dropped(settings, plan, recorded)
    if settings.running.force or is_new:
        return
    if plan.tars is not None:
        refuse_taken(settings, plan.outputs(own=True), recorded)
        return
    own = set[str]()
    for name in plan.outputs(own=True):
        if name in recorded or not destination.has(name):
            continue
        with stopping(destination.location_of(name)):
            if destination.says_ours(name):
                own.add(name)
                continue
        if not recorded.is_recorded(name) and not recorded.may_be_ours(name):
            path = escape_name(destination.location_of(name))
            raise Refused(f"{path}: {_whose(settings, name)}; move it, or add --force")
    recorded.own_by_word = frozenset(own)


def _refuse_dropped(settings: Settings, plan: Plan | LatentsPlan, recorded: ManifestReader) -> None:
    """Refuse to make outputs again without a file that is, or may be, beside them: no row would list it any more."""
    wanted = {"with_clean": settings.output.with_clean, "with_std_map": settings.output.with_std_map}
    dropped = [name for name, is_wanted in wanted.items() if not is_wanted and any(wanted.values())]
    if isinstance(plan, LatentsPlan) or not any(
        spelled.get(name) for spelled in recorded.settings.values() for name in dropped
    ):
        return
    destination = folder_at(settings.destination).survey()
    for named in plan.named():
        listed = [file.name for file in listed_files(recorded.row(named.output) or {})]
        beside = {*listed, *recorded.intended.get(named.output, ())}
        for name in sorted(beside.difference(named.names)):
            if destination.has(name):
                options = " ".join("--" + name.replace("_", "-") for name in dropped)
                raise Refused(
                    f"{escape_name(destination.location_of(name))}: was made beside {named.output}, which this run "
                    f"makes without it; add {options}, or choose another folder for DST"
                )


def _whose(settings: Settings, name: str) -> str:
    """Say whose a file is that this run's manifest does not list."""
    for names, other in ManifestReader.others(settings.destination, Names.of(settings.output.manifest)):
        if other.is_recorded(name):
            return f"is an output of another run, which {names.manifest} lists"
    return "already exists, and noisecli did not make it"


def with_claims(tasks: list[Task], recorded: ManifestReader, *, force: bool) -> list[Task]:
    """Return the tasks with the names of files that each may replace; what else is found there then is not ours."""
    return [task._replace(replaces=tuple(_claimed(task, recorded, force=force))) for task in tasks]


def _claimed(task: Task, recorded: ManifestReader, *, force: bool) -> list[str]:
    if force:
        return task.names
    row = recorded.row(task.output) or {}
    listed = {file.name for file in listed_files(row) if file.sha256 is not None}
    return [name for name in task.names if name in listed or recorded.is_leftover(name)]
