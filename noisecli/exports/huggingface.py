"""metadata.jsonl as Hugging Face's imagefolder and audiofolder read it: one in every split folder, with labels."""

import json
import os
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from noisecli.errors import Refused
from noisecli.exports import Written
from noisecli.exports.labels import class_of, part_of
from noisecli.kinds import KINDS
from noisecli.manifest.entries import Row
from noisecli.manifest.finished import FinishedRun
from noisecli.storage import escape_name, file_sha256
from noisecli.storage.scratch import ScratchFolder

FILE = "metadata.jsonl"
_LINES_HELD = 1000


def write(run: FinishedRun, *, force: bool) -> Written:
    """Write the files; return their paths, sorted.

    A root file beside train/ and test/ would be ignored silently, so each split folder gets its own. Every line has
    every key, none is null, and the label is one of them, as folder names are ignored where there is metadata.

    Raises Refused before anything is written: for an archive, or a metadata.jsonl that is not ours.
    """
    written = 0
    with ScratchFolder() as scratch:
        spool = _Spool(scratch)
        for row in run.rows():
            _refuse_archive(run, row)
            for folder, entry in _entries(row):
                spool.add(folder, json.dumps(entry, ensure_ascii=False))
                written += 1
        files = spool.close()
        names = {os.path.join(folder, FILE): path for folder, path in sorted(files.items())}
        for name, path in names.items():
            _refuse_foreign(run, name, path, force=force)
        for name, path in names.items():
            with open(path, "rb") as lines:
                run.files.write_own(name, lines)
    paths = [escape_name(run.files.location_of(name)) for name in names]
    return Written(paths, written, f'read them with load_dataset("{KINDS[run.kind].builder}", data_dir=...)')


def _refuse_archive(run: FinishedRun, row: Row) -> None:
    if row.get("format") == "npz":
        path = escape_name(run.files.location_of(row["file_name"]))
        raise Refused(f"{path}: is an archive of arrays; Hugging Face datasets read folders of images or audio files")


def _entries(row: Row) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the folder whose metadata.jsonl lists a file, and its line there; the clean file's first."""
    name, clean = row["file_name"], row.get("clean_file_name")
    if clean is not None:
        yield _entry(row, clean, noisy=False)
    # an adversarial file has a step of eps, with noise or without
    yield _entry(row, name, noisy=bool(row.get("applied", True) or row.get("eps")))


def _entry(row: Row, name: str, *, noisy: bool) -> tuple[str, dict[str, Any]]:
    """Return a file's folder and line. A column has one type in all files, or they could not be loaded together."""
    source = str(row.get("source") or "")
    # above the source's own folders: the level's, clean/ or noisy/
    tree = os.path.dirname(name).removesuffix(os.path.dirname(source)).rstrip("/")
    folder = os.path.join(tree, part_of(row)[0]).rstrip("/")
    entry: dict[str, Any] = {
        "file_name": os.path.relpath(name, folder) if folder else name,
        "label": class_of(row),
        "noisy": noisy,
        "level": str(row.get("level", "")),
        "copy": int(row.get("copy") or 1),
        "source": source,
    }
    for key in ("std", "std_fraction", "measured_std"):
        entry[key] = float(row.get(key) or 0) if noisy else 0.0
    return folder, entry


_KEYS = {"file_name", "label", "noisy", "level", "copy", "source", "std", "std_fraction", "measured_std"}


def _refuse_foreign(run: FinishedRun, name: str, path: str, *, force: bool) -> None:
    """Never overwrite captions that were copied as side files."""
    target = run.files.location_of(name)
    if run.files.leads_out(name):
        raise Refused(f"{escape_name(target)}: its folder is a symbolic link out of {run.folder}; remove the link")
    if name == run.manifest:
        raise Refused(
            f"{escape_name(target)}: is the run's manifest, which Hugging Face datasets read as it is; for labels "
            "make the run with another --manifest"
        )
    if force or not run.files.has(name):
        return
    if not run.files.is_file(name) or not (run.files.sha256(name) == file_sha256(path) or _is_ours(run, name)):
        raise Refused(f"{escape_name(target)}: already exists and was not written by noisecli; move it, or add --force")


def _is_ours(run: FinishedRun, name: str) -> bool:
    with run.files.open_own(name) as file:
        try:
            entry = json.loads(file.readline())
        except (ValueError, RecursionError):
            return False
    return isinstance(entry, dict) and set(entry) == _KEYS


class _Spool:
    """Lines for many files, of which one is open at a time: a sweep may have thousands of folders."""

    def __init__(self, scratch: str) -> None:
        self._scratch = scratch
        self._paths: dict[str, str] = {}
        self._held: defaultdict[str, list[str]] = defaultdict(list)

    def add(self, folder: str, line: str) -> None:
        self._held[folder].append(line)
        if len(self._held[folder]) >= _LINES_HELD:
            self._write(folder)

    def _write(self, folder: str) -> None:
        path = self._paths.setdefault(folder, os.path.join(self._scratch, str(len(self._paths))))
        with open(path, "a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in self._held.pop(folder))

    def close(self) -> dict[str, str]:
        """Return the path of each folder's lines."""
        for folder in list(self._held):
            self._write(folder)
        return self._paths
