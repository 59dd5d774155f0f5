"""The files of ours in a destination, and whose destination it is."""

from __future__ import annotations

import contextlib
import json
import stat
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from noisecli.errors import Refused
from noisecli.shards import split_manifest
from noisecli.storage import Folder, escape_name, folder_at, stopping

_JOURNAL, _RUN = "noisecli-journal", "run.json"


class Names(NamedTuple):
    """The files of one manifest, in the destination's root."""

    manifest: str
    errors: str
    run: str
    journal: str
    sidecars: str

    @classmethod
    def of(cls, manifest: str) -> Names:
        """Return the names that go with a manifest's name: audio.jsonl has audio.errors.jsonl and audio.run.json."""
        stem = manifest.removesuffix(".jsonl")
        prefix = "" if stem in ("manifest", "metadata") else f"{stem}."
        words = ("errors.jsonl", "run.json", "noisecli-journal", "sidecars.jsonl")
        errors, run, journal, sidecars = (prefix + word for word in words)
        return cls(manifest, errors, run, f".{journal}", sidecars)


def runs_in(destination: str) -> list[Names]:
    """Return the names of all runs that a folder shows signs of: finished ones, and those that have a journal."""
    folder = folder_at(destination)
    try:
        found = folder.names()
    except OSError:
        return []
    prefixes = {name.removeprefix(".").removesuffix(_JOURNAL) for name in found if name.endswith(_JOURNAL)}
    prefixes |= {name.removesuffix(_RUN) for name in found if name.endswith(_RUN)}
    stems = [[prefix.removesuffix(".")] if prefix else ["manifest", "metadata"] for prefix in sorted(prefixes)]
    return [Names.of(f"{stem}.jsonl") for some in stems for stem in some]


def read_run(folder: Folder, name: str) -> dict[str, Any] | None:
    """Return run.json's content; None when there is none of ours. Raises Stopped when it cannot be read."""
    content = None
    none_of_ours = contextlib.suppress(FileNotFoundError, NotADirectoryError, ValueError, RecursionError)
    with stopping(folder.location_of(name)), none_of_ours, folder.open_own(name) as file:
        content = json.load(file)
    if not isinstance(content, dict) or "noisecli" not in content:
        return None
    # whatever somebody made of it, what should be a table is one
    tables = ("settings", "survival", "totals", "versions")
    return {**content, **{key: {} for key in tables if not isinstance(content.get(key), dict)}}


def is_finished(run: dict[str, Any]) -> bool:
    """Whether run.json is that of a run that came to its end; versions that did not record it count as finished."""
    return run.get("finished", True) is True


def refuse_odd_files(destination: str, names: Names) -> None:
    """Refuse folders, links and pipes where noisecli's own files belong: they are neither followed nor waited for."""
    folder = folder_at(destination)
    for name in names:
        with contextlib.suppress(OSError):
            found = folder.look(name)
            if found is not None and not stat.S_ISREG(found.st_mode):
                shown = escape_name(folder.location_of(name))
                raise Refused(f"{shown}: is no regular file, and noisecli writes one there; move it away")


def require_ours(destination: str, names: Names, kind: str, *, force: bool, has_force: bool = True) -> None:
    """Refuse a folder that holds files, but no sign of noisecli, or another kind's run under the same names.

    Where the command `has_force`, that is named as a way out.
    """
    folder = folder_at(destination)
    try:
        present = set(folder.names())
    except FileNotFoundError:
        return
    except OSError as error:
        raise Refused(f"{destination}: {error.strerror}; name a folder for the outputs") from error
    if not present or force:
        return
    previous = read_run(folder, names.run)
    if previous and previous.get("kind") != kind:
        words = f"give this one --manifest {kind}.jsonl, or another folder"
        raise Refused(f"{destination}: holds a run of noisecli {previous.get('kind')}; {words}")
    if names.journal in present or any(_journals_of_siblings(present, names)):
        return
    if any(name.endswith("run.json") and read_run(folder, name) for name in present):
        return
    if names.manifest in present:
        raise Refused(
            f"{destination}: its {names.run} is gone or damaged, which shows that the folder is noisecli's; if its "
            f"{names.manifest} is one of noisecli's, {'add --force' if has_force else 'make that run again'}"
        )
    if any(not name.startswith(".") for name in present):
        way_out = "choose a new folder" + ", or add --force" * has_force
        raise Refused(f"{destination}: holds files that noisecli did not make; {way_out}")


def _journals_of_siblings(present: Iterable[str], names: Names) -> Iterator[str]:
    """Yield the journals of other shards of the same run that are going on in a folder."""
    whole, shard = split_manifest(names.manifest)
    if shard is not None:
        for name in present:
            stem = name.removeprefix(".").removesuffix(_JOURNAL)
            other, sibling = split_manifest(f"{stem}jsonl") if name.endswith(_JOURNAL) else ("", None)
            if sibling is not None and (other, sibling.of) == (whole, shard.of):
                yield name
