"""The shards of a run: whether they are all there, have ended, and are parts of one and the same run."""

import contextlib
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

from noisecli.errors import Refused
from noisecli.manifest.destination import is_finished, read_run
from noisecli.manifest.entries import texts
from noisecli.manifest.reader import ManifestReader
from noisecli.manifest.shards import FoundShard, shards_in
from noisecli.storage import Folder, escape_name, folder_at, stopping

_MOST_NAMED = 8


class Part:
    """A shard in a folder, and the run.json of it; empty where there is none of ours."""

    def __init__(self, found: FoundShard) -> None:
        self.folder, self.shard, self.names = found
        self.files: Folder = folder_at(self.folder)
        self.shown = f"shard {self.shard}"

    @cached_property
    def run(self) -> dict[str, Any]:
        """What run.json holds."""
        return read_run(self.files, self.names.run) or {}

    @property
    def entry(self) -> dict[str, Any]:
        """What it says of the whole run."""
        entry = self.run.get("shard")
        return entry if isinstance(entry, dict) else {}

    def look(self) -> ManifestReader:
        """Read the manifest, and what goes with it."""
        return ManifestReader.look(self.folder, self.names)

    @property
    def began(self) -> int:
        """When its run began, in nanoseconds, as the time of its manifest says. Raises Stopped."""
        with stopping(self.files.location_of(self.names.manifest)):
            found = self.files.look(self.names.manifest)
        return 0 if found is None else found.st_mtime_ns

    @property
    def problem(self) -> str | None:
        """Why it cannot be merged yet."""
        if self.files.has(self.names.journal):
            with self.look() as recorded:
                if not recorded.has_journal:
                    return "is running on another machine, or interrupted"
                return "is still running" if recorded.is_held() else "was interrupted"
        if not self.run or not self.files.is_file(self.names.manifest):
            return "has lost its manifest or run.json"
        return None if is_finished(self.run) else "was stopped before its end"

    def require_rows(self, rows: int) -> None:
        """Raise Refused where the manifest has not as many rows as run.json counts."""
        counted = self.run["totals"].get("outputs")
        if rows != counted:
            path = escape_name(self.files.location_of(self.names.manifest))
            raise Refused(f"{path}: has {rows:,} rows, its run.json counts {counted}; run {self.shown} again")


def find_parts(folders: Sequence[str], manifest: str) -> list[Part]:
    """Return all shards of a manifest in some folders, in order; none where there are none at all.

    Raises Refused where a folder but the first holds none, where some are missing or have not ended, and where they are
    of different numbers.
    """
    found = [each for folder in folders for each in shards_in(folder, manifest)]
    if not found:
        return []
    for folder in folders[1:]:
        if not any(each.folder == folder for each in found):
            what = f"holds no shards of {manifest}" if folder_at(folder).exists() else "no such folder"
            raise Refused(f"{escape_name(folder)}: {what}; name the folders that shards were made in")
    for each in found:
        if each.names.manifest != each.shard.manifest(manifest):
            whole = each.names.manifest.replace(f".shard-{each.shard.number}-of-{each.shard.of}", "")
            raise Refused(f"{escape_name(each.folder)}: holds shards of {whole}; add --manifest {whole}")
    parts = sorted(map(Part, found), key=lambda part: part.shard.number)
    _require_complete(parts)
    return parts


def _require_complete(parts: Sequence[Part]) -> None:
    first, of = parts[0], parts[0].shard.of
    if other := next((part for part in parts if part.shard.of != of), None):
        raise Refused(
            f"{first.names.manifest} and {other.names.manifest}: are shards of runs in {of} and in {other.shard.of} "
            "parts; name the folders of one of them, or remove the other's"
        )
    by_number: dict[int, Part] = {}
    for part in parts:
        twin = by_number.setdefault(part.shard.number, part)
        if twin is not part:
            where = f"{escape_name(twin.folder)} and in {escape_name(part.folder)}"
            raise Refused(f"{part.shown} is in {where}; name one of the two")
    refuse_unfinished(parts, [number for number in range(1, of + 1) if number not in by_number])


def refuse_unfinished(parts: Sequence[Part], missing: Sequence[int] = ()) -> None:
    """Raise Refused where shards have not ended, or are missing: all are named, with why."""
    problems: dict[str, list[int]] = {}
    for part in parts:
        if (problem := part.problem) is not None:
            problems.setdefault(problem, []).append(part.shard.number)
    if missing:
        problems["is missing"] = list(missing)
    if problems:
        of = parts[0].shard.of
        said = "; ".join(f"{_numbered(numbers, of)} {_of_many(why, numbers)}" for why, numbers in problems.items())
        waiting = "wait for it" if list(problems) == ["is still running"] else "run the same command again for each"
        where = " (or name its folder)" if missing else ""
        raise Refused(f"{said}: {waiting}{where}, then merge")


def _numbered(numbers: Sequence[int], of: int) -> str:
    named = [f"{number}/{of}" for number in numbers[:_MOST_NAMED]]
    more = f" and {len(numbers) - _MOST_NAMED:,} more" if len(numbers) > _MOST_NAMED else ""
    return f"shard{'s' * (len(numbers) > 1)} {', '.join(named)}{more}"


def _of_many(why: str, numbers: Sequence[int]) -> str:
    if len(numbers) == 1:
        return why
    verb, rest = why.split(" ", 1)
    return f"{ {'is': 'are', 'was': 'were', 'has': 'have'}[verb] } {rest}"


def require_one_run(parts: Iterable[Part]) -> None:
    """Raise Refused where shards are not parts of one run: other options, files, or versions."""
    first, *others = parts
    for part in (first, *others):
        if (part.entry.get("number"), part.entry.get("of")) != tuple(part.shard):
            path = escape_name(part.files.location_of(part.names.run))
            raise Refused(f"{path}: is not that of {part.shown}; run it again, by the same command")
    for other in others:
        for key, what in (("kind", "command"), ("noisecli", "version of noisecli"), ("stream", "random stream")):
            if first.run.get(key) != other.run.get(key):
                _refuse(first, other, f"{what} {first.run.get(key)} and {other.run.get(key)}")
        if first.entry.get("settings") != other.entry.get("settings"):
            _refuse(first, other, _settings_apart(first, other))
        if first.entry.get("plan") != other.entry.get("plan"):
            _refuse(first, other, "other options (levels, copies, names, files chosen), or the files in SRC changed")
    _require_versions([first, *others])


def _refuse(first: Part, other: Part, what: str) -> None:
    raise Refused(
        f"{first.shown} and {other.shown} are not of one run: {what}; run all shards by the same command over the same "
        "files"
    )


def _settings_apart(first: Part, other: Part) -> str:
    """Say which settings differ, where both have rows that spell them out."""
    spelled = [part.run["settings"].get(str(part.entry.get("settings"))) for part in (first, other)]
    with contextlib.suppress(AttributeError):
        mine, theirs = spelled
        names = [name for name in mine if mine[name] != theirs.get(name)]
        if names:
            return ", ".join(f"{name} {mine[name]} and {theirs.get(name)}" for name in names)
    return "other settings"


def _require_versions(parts: Sequence[Part]) -> None:
    """Libraries of other versions may make other bytes: a run has one of each."""
    owners: dict[str, tuple[str, Part]] = {}
    for part in parts:
        for name, version in texts(part.run["versions"]).items():
            known, owner = owners.setdefault(name, (version, part))
            if known != version:
                raise Refused(
                    f"{owner.shown} was made by {name} {known}, {part.shown} by {name} {version}, which may make other "
                    "bytes; run one of them again with --redo, by the other's version"
                )
