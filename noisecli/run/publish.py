"""The end of a run: what stands, in sorted rows, and the totals of the state reached."""

from __future__ import annotations

import contextlib
import os
import re
from collections import Counter, defaultdict
from statistics import fmean
from typing import Any

from noisecli import __version__
from noisecli.model import Survival
from noisecli.noise.keys import STREAM_VERSION
from noisecli.run.manifest import Ledger
from noisecli.run.settings import Settings
from noisecli.run.shards import Shards
from noisecli.run.summary import Summary
from noisecli.storage import file_sha256, find_escaped, leads_out, stopping

_SETTINGS = re.compile(rb'"settings": "([0-9a-f]+)"')
_BYTES = re.compile(rb'"bytes": (\d+)')


def publish(settings: Settings, ledger: Ledger, summary: Summary, sampled: dict[str, str]) -> None:
    """Write manifest, errors and run.json; the journal goes.

    Parameters
    ----------
    sampled
        The outputs whose survival of a lossy format is told, with their level.
    """
    if _nothing_new(settings, ledger, summary):
        summary.survival = _mean_by_level(ledger.survival, sampled)
        ledger.leave_as_it_was()
        return
    _settle(settings.destination, ledger)
    if len(ledger) > summary.made + summary.kept:
        _look_at_the_rest(settings, ledger, summary)
    survival = {output: ledger.survival[output] for output in sampled if output in ledger.survival and output in ledger}
    summary.survival = _mean_by_level(survival, sampled)
    totals, keys = _totals(ledger)
    ledger.publish(
        {
            "noisecli": __version__,
            "stream": STREAM_VERSION,
            "kind": settings.kind,
            "versions": ledger.versions,
            "settings": {key: ledger.settings[key] for key in keys & ledger.settings.keys()},
            "survival": survival,
            "totals": totals,
        }
    )


def _nothing_new(settings: Settings, ledger: Ledger, summary: Summary) -> bool:
    """Whether the manifest that stands says it all: every row was looked at and kept."""
    previous = ledger.previous_run
    same = previous.get("noisecli") == __version__ and settings.key in previous.get("settings", {})
    return same and not ledger.dirty and len(ledger) == summary.kept and not summary.problems


def _look_at_the_rest(settings: Settings, ledger: Ledger, summary: Summary) -> None:
    """Rows of outputs that this run had no part in stay only while their files do; sources that are gone are told."""
    for output in ledger.outputs():
        if not os.path.lexists(f"{settings.destination}/{output}"):
            ledger.forget(output)
        elif not _source_stands(settings, ledger.row(output) or {}):
            summary.orphans += 1


def _settle(destination: str, ledger: Ledger) -> None:
    """Remove outputs that were made, but whose row was lost with their worker: no file stands without a true row."""
    for output, clean in list(ledger.intended.items()):
        row = ledger.row(output) or {}
        if _is_told(destination, output, row.get("sha256")) and _is_told(destination, clean, row.get("clean_sha256")):
            continue
        for name in (output, clean):
            if name and name not in ledger.foreign and not leads_out(destination, name):
                with contextlib.suppress(OSError):
                    os.unlink(os.path.join(destination, name))
        ledger.forget(output)


def _is_told(destination: str, name: str | None, sha256: str | None) -> bool:
    try:
        return name is None or file_sha256(os.path.join(destination, name)) == sha256
    except OSError:
        return False


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
    return dict(totals), {key.decode() for key in keys}


def _mean_by_level(told: dict[str, Survival | None], sampled: dict[str, str]) -> dict[str, Survival]:
    by_level: defaultdict[str, list[Survival]] = defaultdict(list)
    for output, kept in told.items():
        if kept is not None and output in sampled:
            by_level[sampled[output]].append(kept)
    shares = ("std", "correlated")
    return {level: {s: fmean(kept[s] for kept in all_kept) for s in shares} for level, all_kept in by_level.items()}


def prune(settings: Settings, ledger: Ledger) -> int:
    """Remove the outputs whose source is gone; return how many. What is not as its row says is not ours any more."""
    count = 0
    for output in ledger.outputs():
        row: dict[str, Any] = ledger.row(output) or {}
        if _source_stands(settings, row):
            continue
        # the row's own file goes last: should this stop between the two, the next run still knows of both
        told = ((row.get("clean_file_name"), row.get("clean_sha256")), (output, row.get("sha256")))
        for path in [path for name, digest in told if (path := _ours(settings.destination, name, digest))]:
            with stopping(path):
                os.unlink(path)
        ledger.forget(output)
        count += 1
    return count


def _ours(destination: str, name: str | None, digest: str | None) -> str | None:
    """Return the path of a file that is as its row says, and below the destination."""
    if name is None or leads_out(destination, name):
        return None
    path = os.path.join(destination, name)
    with stopping(path), contextlib.suppress(FileNotFoundError, IsADirectoryError):
        return path if file_sha256(path) == digest else None
    return None


def _source_stands(settings: Settings, row: dict[str, Any]) -> bool:
    """Whether what an output was made from is still there; latents were made from the request."""
    if settings.latents is not None:
        return Shards(settings).wants(str(row.get("file_name", "")))
    root, name = settings.source, str(row.get("source", ""))
    if "name-not-utf8" in row.get("warnings", ()):
        return find_escaped(root, name) is not None
    return os.path.lexists(os.path.join(root, name))
