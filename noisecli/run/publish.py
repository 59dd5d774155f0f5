"""The end of a run: its outputs, in sorted rows, and the totals of the state reached."""

import contextlib
import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from statistics import fmean
from typing import Any

from noisecli import __version__
from noisecli.keys import STREAM_VERSION
from noisecli.manifest.destination import is_finished
from noisecli.manifest.entries import parse_row
from noisecli.manifest.ledger import UNFINISHED_TIME, Ledger
from noisecli.model import Survival
from noisecli.model.files import listed_files
from noisecli.run.leftovers import Asked, Sources
from noisecli.run.make.rule import Rule
from noisecli.run.summary import Summary
from noisecli.run.tars import settle_tars
from noisecli.settings import Settings
from noisecli.storage import Folder, folder_at, stopping

_SETTINGS = re.compile(rb'"settings": "([0-9a-f]+)"')
_BYTES = re.compile(rb'"bytes": (\d{1,18})\b')


def publish(
    settings: Settings,
    ledger: Ledger,
    summary: Summary,
    sampled: dict[str, str],
    asked: Asked,
    rule: Rule,
    shard: dict[str, Any],
    *,
    finished: bool,
) -> None:
    """Write manifest, errors and run.json, those alone whose content is another; the journal goes.

    `sampled` are the outputs whose survival of a lossy format is reported, with their level; `finished` is whether the
    run came to its end, which is what Make is shown last of all. Other outputs of this request have no say in survival,
    so that it does not depend on earlier runs. `shard` is what run.json has of a shard or of tars, else nothing.
    """
    nothing_new = finished and _nothing_new(settings, ledger, summary, shard)
    if nothing_new and ledger.survival.keys() <= sampled.keys():
        summary.survival = _mean_by_level(ledger.survival, sampled)
        ledger.leave_as_it_was()
        rule.show(ledger, summary, finished=True)
        return
    ledger.check_in_place()
    settle_tars(folder_at(settings.destination), ledger)
    _settle(folder_at(settings.destination), ledger)
    is_partial = len(ledger) > summary.made + summary.kept
    is_partial = is_partial and _look_at_the_rest(settings, ledger, summary, asked, rule)
    # others than those sampled have a say where this run had no part in them: a partial run leaves them as they were
    measured = {output for output in ledger.survival if output in ledger}
    measured = measured & sampled.keys() | asked.rest(measured - sampled.keys())
    survival = {output: ledger.survival[output] for output in measured}
    summary.survival = _mean_by_level(survival, sampled)
    made = {} if finished else {"made": ledger.proofs()}
    is_new = ledger.publish(
        run_content(settings.kind, ledger, survival, finished=finished) | made | shard,
        UNFINISHED_TIME if finished else rule.unfinished_time(ledger.manifest_time),
    )
    rule.show(ledger, summary, finished=finished, is_new=is_new, is_partial=is_partial)


def run_content(
    kind: str, ledger: Ledger, survival: Mapping[str, Survival | None], *, finished: bool
) -> dict[str, Any]:
    """Return what run.json holds, counted over the rows."""
    totals, keys = _totals(ledger)
    return {
        "noisecli": __version__,
        "stream": STREAM_VERSION,
        "kind": kind,
        "finished": finished,
        "versions": ledger.versions,
        "settings": {key: ledger.settings[key] for key in keys & ledger.settings.keys()},
        "survival": survival,
        "totals": totals,
        **({"sources": ledger.sources} if ledger.sources > 1 else {}),
        **({"sidecars_sha256": ledger.sidecars.digest} if ledger.sidecars.rows else {}),
    }


def _nothing_new(settings: Settings, ledger: Ledger, summary: Summary, shard: dict[str, Any]) -> bool:
    """Whether the manifest says it all already: every row was looked at and kept."""
    previous = ledger.previous_run
    same = previous.get("noisecli") == __version__ and settings.key in previous.get("settings", {})
    same = same and is_finished(previous) and previous.get("shard") == shard.get("shard")
    return same and not ledger.dirty and len(ledger) == summary.kept and not summary.problems


def _look_at_the_rest(settings: Settings, ledger: Ledger, summary: Summary, asked: Asked, rule: Rule) -> bool:
    """Keep rows that this run had no part in only while their files exist; count those that a request is to be told of.

    Their source is gone, or it was chosen and done by this run, which does not ask for them. Return whether
    any is left of a source that this run did not look at.
    """
    is_partial = False
    sources = Sources(settings, asked.sources, folder_at(settings.source).survey())
    destination, rest = folder_at(settings.destination).survey(), asked.rest(ledger.outputs())
    summary.sources = ledger.sources
    for output in ledger.outputs():
        row = ledger.row(output) or {}
        if destination.is_missing(output):
            ledger.forget(output)
            continue
        why = sources.why_left(row)
        summary.orphans += why == "gone"
        summary.leftovers += why == "earlier" and output in rest and row.get("source") not in ledger.problems
        is_partial |= why is None and not rule.covers(row)
    return is_partial


def _settle(destination: Folder, ledger: Ledger) -> None:
    """Remove what was put in place, but whose row was lost with its worker: no file of ours is without a true row.

    Where of an output and what is beside it only a part was made, all goes. What has another content than a row or a
    worker recorded is somebody else's.
    """
    if not ledger.intended:
        return
    placed, owners = ledger.placed_digests(), dict[str, str]()
    for output, beside in list(ledger.intended.items()):
        listed = {file.name: file.sha256 for file in listed_files(ledger.row(output) or {})}
        recorded = {name: listed.get(name) for name in (output, *beside)}
        found = {name: _digest(destination, name) for name in recorded}
        new = {name for name, digest in found.items() if digest is not None and digest == placed.get(name)}
        if not new:
            continue
        # an edited journal may name files of other rows: those are not this output's
        owners = owners or _owners(ledger)
        own = [name for name in found if owners.get(name, output) == output]
        new &= set(own)
        is_partial = None in found.values()
        if not any(is_partial or found[name] != recorded[name] for name in new):
            continue
        with stopping(destination.location_of(output)):
            destination.remove({name: [str(recorded[name]), placed.get(name, "")] for name in own})
        ledger.forget(output)


def _owners(ledger: Ledger) -> dict[str, str]:
    """Return the output of the row that lists each file."""
    rows = map(listed_files, map(parse_row, ledger.rows()))
    beside = {file.name: output.name for output, *others in filter(None, rows) for file in others}
    return beside | {name: name for name in ledger.outputs()}


def _digest(destination: Folder, name: str) -> str | None:
    """Return a file's digest; None where it cannot be known, so that it is nobody's to remove."""
    with stopping(destination.location_of(name)), contextlib.suppress(PermissionError):
        return destination.own_digest(name)
    return None


def _totals(ledger: Ledger) -> tuple[dict[str, int], set[str]]:
    """Count over the rows as text: there may be a million."""
    totals: Counter[str] = Counter(outputs=0, applied=0, bytes=0)
    keys: set[bytes] = set()
    for row in ledger.rows():
        totals["outputs"] += 1
        totals["applied"] += b'"applied": true' in row
        totals["bytes"] += sum(map(int, _BYTES.findall(row)[-1:]))
        keys.update(_SETTINGS.findall(row)[-1:])
    statuses = Counter(problem.status for problem in ledger.problems.values())
    totals["failed"], totals["skipped"] = statuses["failed"], statuses["skipped"]
    if ledger.sidecars.rows:
        totals["sidecars"] = len(ledger.sidecars)
    return dict(totals), {key.decode() for key in keys}


def _mean_by_level(recorded: dict[str, Survival | None], sampled: dict[str, str]) -> dict[str, Survival]:
    by_level: defaultdict[str, list[Survival]] = defaultdict(list)
    for output, kept in recorded.items():
        if kept is not None and output in sampled:
            by_level[sampled[output]].append(kept)
    shares = ("std", "correlated")
    return {level: {s: fmean(kept[s] for kept in all_kept) for s in shares} for level, all_kept in by_level.items()}
