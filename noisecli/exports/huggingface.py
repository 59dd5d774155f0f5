"""metadata.jsonl as Hugging Face's imagefolder and audiofolder read it: one in every split folder, with labels."""

import json
import os
import posixpath
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from noisecli.errors import Refused
from noisecli.exports import Written
from noisecli.exports.labels import class_of, is_noisy, part_of, said_in
from noisecli.exports.source_metadata import SourceMetadata, map_files
from noisecli.kinds import KINDS
from noisecli.manifest.entries import Row, read_line
from noisecli.manifest.finished import FinishedRun
from noisecli.storage import escape_name, file_sha256, is_inside
from noisecli.storage.scratch import ScratchFolder

FILE = "metadata.jsonl"
_OTHER_FORMS = ("metadata.csv", "metadata.parquet")
"""What Hugging Face datasets refuse to read beside it."""
_LINES_HELD = 1000
_KEYS = ("file_name", "noisy", "level", "copy", "source", "std", "std_fraction", "measured_std")
"""What every line has, beside label and drawn where a run has them."""
_STRENGTHS = ("shot", "speckle", "photons", "amount", "slope")
"""How strong noises are that are not white, by the keys of their rows."""


def write(run: FinishedRun, *, force: bool, metadata: str | None = None) -> Written:
    """Write the files, and return their paths, sorted, and what to know of them.

    A root file beside train/ and test/ would be ignored silently, so each split folder gets its own. Every line has
    the same keys; the label is one of them, as folder names are ignored where there is metadata.

    Parameters
    ----------
    metadata
        The sources' folder, or a metadata file of it. What it says of a file is in the lines of its outputs, under its
        keys: a label replaces ours, no other key does.

    Raises Refused before anything is written: for an archive, or a metadata file that is not ours.
    """
    written = 0
    theirs = None if metadata is None else SourceMetadata(metadata)
    with ScratchFolder() as scratch:
        lines = Lines(run, theirs)
        spool = _Spool(scratch)
        for folder, entry in lines.entries():
            spool.add(folder, entry)
            written += 1
        files = spool.close()
        if theirs is not None:
            theirs.refuse_unused()
        names = {os.path.join(folder, FILE): path for folder, path in sorted(files.items())}
        _refuse_other_forms(run)
        for name, path in names.items():
            _refuse_foreign(run, name, path, spool.keys, force=force)
        for name, path in names.items():
            with open(path, "rb") as content:
                run.files.write_own(name, content)
    paths = [escape_name(run.files.location_of(name)) for name in names]
    how = f'read them with load_dataset("{KINDS[run.kind].builder}", data_dir=...)'
    return Written(paths, written, (*lines.notes(), *spool.notes(), how))


class Lines:
    """The lines of a run, and where each goes."""

    def __init__(self, run: FinishedRun, metadata: SourceMetadata | None = None) -> None:
        self._run, self._metadata = run, metadata
        self._said = said_in(run)
        self._without_entry = 0
        self._without_file = set[str]()

    def entries(self) -> Iterator[tuple[str, Row]]:
        """Yield the folder whose metadata.jsonl lists a file, and its line there; the clean file's first."""
        for row in self._run.rows():
            self._refuse_archive(row)
            theirs = self._theirs(row)
            for name, noisy in ((row.get("clean_file_name"), False), (row["file_name"], is_noisy(row))):
                if name is not None:
                    yield self._entry(row, name, theirs, noisy=noisy)

    def notes(self) -> list[str]:
        """Return what the source's metadata did not say, or said in vain."""
        if self._metadata is None:
            return []
        shown, ours = self._metadata.shown, [key for key in self._metadata.columns if key in self._ours]
        told = [
            (self._without_entry, "output has", "outputs have", f"no entry in {shown}, and null under its keys"),
            (self._metadata.unused, "entry names", "entries name", f"no source of this run, in {shown}"),
            (
                len(self._without_file),
                "file is",
                "files are",
                f"named in {shown} and not beside the outputs: --sidecars copy",
            ),
        ]
        notes = [f"{number:,} {one if number == 1 else many} {rest}" for number, one, many, rest in told if number]
        return notes + [f"{', '.join(ours)} of {shown} left out: noisecli writes keys of these names"] * bool(ours)

    @property
    def _ours(self) -> set[str]:
        return {*_KEYS, *["drawn"] * self._said.drawn}

    def _refuse_archive(self, row: Row) -> None:
        if row.get("format") == "npz":
            path = escape_name(self._run.files.location_of(row["file_name"]))
            raise Refused(
                f"{path}: is an archive of arrays; Hugging Face datasets read folders of images or audio files"
            )

    def _theirs(self, row: Row) -> Row:
        if self._metadata is None:
            return {}
        found = self._metadata.of(row.get("source"))
        if found is None:
            self._without_entry += 1
            found = dict.fromkeys(self._metadata.columns)
        return {key: value for key, value in found.items() if key not in self._ours}

    def _entry(self, row: Row, name: str, theirs: Row, *, noisy: bool) -> tuple[str, Row]:
        """Return a file's folder and line. A column has one type in all files, or they could not be loaded together."""
        source = str(row.get("source") or "")
        # above the source's own folders: the level's, clean/ or noisy/
        tree = os.path.dirname(name).removesuffix(os.path.dirname(source)).rstrip("/")
        folder = os.path.join(tree, part_of(row)[0]).rstrip("/")
        entry: Row = {"file_name": os.path.relpath(name, folder) if folder else name}
        if self._said.classes or "label" in theirs:
            entry["label"] = class_of(row)
        # those of a clean file are its noisy one's
        entry |= {"noisy": noisy, "level": str(row.get("level", ""))}
        if self._said.drawn:
            entry["drawn"] = None if row.get("drawn") is None else float(row["drawn"])
        entry |= {"copy": int(row.get("copy") or 1), "source": source}
        for key in ("std", "std_fraction", "measured_std", *(key for key in _STRENGTHS if key in row)):
            entry[key] = float(row.get(key) or 0) if noisy else 0.0
        return folder, entry | {
            key: map_files(key, value, self._placing(tree, folder)) for key, value in theirs.items()
        }

    def _placing(self, tree: str, folder: str) -> Any:
        """Return what maps a file beside the source to its copy beside the output, where there is one."""

        def place(name: str) -> str | None:
            copied = posixpath.normpath(posixpath.join(tree, name))
            if is_inside(copied) and self._run.looks.is_file(copied):
                return os.path.relpath(copied, folder or ".")
            self._without_file.add(name)
            return None

        return place


def is_ours(entry: Row) -> bool:
    """Whether a line was written by this page."""
    return entry.keys() >= {*_KEYS}


def _refuse_other_forms(run: FinishedRun) -> None:
    for listed in run.files.files():
        if posixpath.basename(listed.name) in _OTHER_FORMS:
            path = escape_name(run.files.location_of(listed.name))
            raise Refused(
                f"{path}: Hugging Face datasets read no other form beside {FILE}; move it away. "
                "--metadata SRC writes what the source's says into every line"
            )


def _refuse_foreign(run: FinishedRun, name: str, path: str, keys: set[str], *, force: bool) -> None:
    """Never overwrite captions that were copied as side files, or written into ours."""
    target = escape_name(run.files.location_of(name))
    if run.files.leads_out(name):
        raise Refused(f"{target}: its folder is a symbolic link out of {run.folder}; remove the link")
    if name == run.manifest:
        raise Refused(
            f"{target}: is the run's manifest, which Hugging Face datasets read as it is; for labels "
            "make the run with another --manifest"
        )
    if force or not run.files.has(name):
        return
    if run.files.is_file(name) and run.files.sha256(name) == file_sha256(path):
        return
    first = _first_line(run, name) if run.files.is_file(name) else {}
    if not is_ours(first):
        raise Refused(
            f"{target}: already exists and was not written by noisecli; move it, or add --force "
            "(--metadata SRC merges what the source's says)"
        )
    if lost := [key for key in first if key not in keys and key not in ("label", "drawn", *_STRENGTHS)]:
        raise Refused(f"{target}: has {', '.join(lost)} too, which would be lost; add --metadata SRC, or --force")
    if (number := _edited_line(run, name, path)) is not None:
        raise Refused(
            f"{target}: line {number} was added or edited since it was exported, or its output is gone; move it, or "
            "add --force to replace it"
        )


def _edited_line(run: FinishedRun, name: str, path: str) -> int | None:
    """Return the first line that is of no file of the run, or says what no run's values change: its label, its source.

    Levels and what was measured are another request's where they differ.
    """
    with open(path, "rb") as file:
        new = {entry["file_name"]: entry for entry in map(read_line, file)}
    with run.files.open_own(name) as file:
        for number, line in enumerate(file, 1):
            entry = read_line(line)
            now = new.get(str(entry.get("file_name")))
            if now is None or not is_ours(entry) or _is_edited(entry, now):
                return number
    return None


def _is_edited(entry: Row, now: Row) -> bool:
    kept = entry.keys() - {"label", "noisy", "drawn", "level", "std", "std_fraction", "measured_std", *_STRENGTHS}
    # the label of the folder gives way to that of --metadata
    labels = (now.get("label"), class_of(now))
    return entry.get("label") not in labels or any(entry[key] != now.get(key) for key in kept)


def _first_line(run: FinishedRun, name: str) -> Row:
    with run.files.open_own(name) as file:
        try:
            entry = json.loads(file.readline())
        except (ValueError, RecursionError):
            return {}
    return entry if isinstance(entry, dict) else {}


class _Spool:
    """Lines for many files, of which one is open at a time: a sweep may have thousands of folders.

    `keys` are those of the lines.
    """

    def __init__(self, scratch: str) -> None:
        self._scratch = scratch
        self._paths: dict[str, str] = {}
        self._held: defaultdict[str, list[str]] = defaultdict(list)
        self._filled: defaultdict[str, set[str]] = defaultdict(set)
        self.keys: set[str] = set()

    def add(self, folder: str, entry: Row) -> None:
        self._held[folder].append(json.dumps(entry, ensure_ascii=False, allow_nan=False))
        self._filled[folder].update(key for key, value in entry.items() if value is not None)
        self.keys.update(entry)
        if len(self._held[folder]) >= _LINES_HELD:
            self._write(folder)

    def notes(self) -> list[str]:
        """Return which folders have nothing at all under keys that other folders have values for."""
        filled = set().union(*self._filled.values())
        return [
            f"{os.path.join(folder, FILE)}: {', '.join(sorted(filled - own))} null in every line; Hugging Face "
            "datasets load this folder only by itself"
            for folder, own in sorted(self._filled.items())
            if filled - own
        ]

    def _write(self, folder: str) -> None:
        path = self._paths.setdefault(folder, os.path.join(self._scratch, str(len(self._paths))))
        with open(path, "a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in self._held.pop(folder))

    def close(self) -> dict[str, str]:
        """Return the path of each folder's lines."""
        for folder in list(self._held):
            self._write(folder)
        return self._paths
