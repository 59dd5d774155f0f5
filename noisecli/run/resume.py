"""Work already done is not done again: by recorded outcome, never by a file being there."""

import os
import stat
import time
from typing import Any

from noisecli.errors import FileProblem
from noisecli.kinds import always_loses
from noisecli.manifest.reader import ManifestReader
from noisecli.model import Task
from noisecli.model.files import BESIDE, ListedFile, listed_files
from noisecli.settings import Settings
from noisecli.storage import Folder, escape_name, folder_at, is_url
from noisecli.workers.mask_files import MaskFiles
from noisecli.workers.stage import Stage

_SKEW = 15 * 60 * 10**9
"""Nanoseconds by which a store's clock may differ from ours: beyond that, stores refuse what is signed here."""
_ASKED = ("key", "settings", "level", "source")


class Resume:
    """Decides which outputs of earlier runs still hold; with `only_reads`, their permissions stay as they are."""

    def __init__(self, settings: Settings, stage: Stage, source: Folder, *, only_reads: bool = False) -> None:
        self._settings, self._key = settings, settings.key
        self._stage, self._only_reads = stage, only_reads
        self._source, self._destination = source, folder_at(settings.destination).survey()
        self._began = time.time_ns()
        self._skew = _SKEW if is_url(settings.source) != is_url(settings.destination) else 0
        self._links: dict[str, int] = {}
        self._masks = None if settings.noise.mask is None else MaskFiles(settings.noise.mask)
        choice = settings.choice
        self._is_partial = bool(choice.include or choice.names is not None or choice.limit is not None)

    def keeps(self, task: Task, recorded: ManifestReader) -> bool:
        """Whether what a destination records of a task's output holds, so that nothing is to be made."""
        # where all is as an earlier run left it, a part of it is not made again for the sake of its figures
        measures = task.measure_survival and (not self._is_partial or bool(recorded.begun.prefixes))
        if measures and task.output not in recorded.survival and always_loses(task.output):
            return False
        if task.output in recorded.intended:
            # a run that was killed may have replaced it after its row was written
            return False
        row = recorded.row(task.output)
        return row is not None and self.is_current(task, row) and self._stage.is_current(task, row)

    def is_current(self, task: Task, row: dict[str, Any]) -> bool:
        """Whether the output of this task is as its row says, made from the source as it is now."""
        if self._settings.running.redo:
            return False
        asked = (task.key.hex(), self._key, task.level.label, escape_name(task.source) or None)
        if asked != tuple(row.get(word) for word in _ASKED):
            return False
        beside = task.beside
        if any(row.get(keys.name) != beside.get(keys) for keys in BESIDE):
            return False
        shape = row.get("shape")
        if task.span is not None and (not isinstance(shape, list) or task.span != (row.get("first"), *shape[:1])):
            return False
        try:
            return self._files_hold(task, row)
        except (FileProblem, OSError):
            return False

    def _files_hold(self, task: Task, row: dict[str, Any]) -> bool:
        output = self._destination.look(task.output)
        if output is None or output.st_size != row.get("bytes"):
            return False
        checksum = self._settings.running.checksum
        if not task.source:
            return not checksum or self._destination.sha256(task.output) == row.get("sha256")
        source = self._source.look(task.source, follow=True)
        if source is None or source.st_size != row.get("source_bytes") or not stat.S_ISREG(output.st_mode):
            return False
        if not all(map(self._holds, listed_files(row)[1:])):
            return False
        for name in () if self._only_reads else task.names:
            self._destination.narrow(name, source.st_mode)
        if checksum and self._destination.sha256(task.output) != row.get("sha256"):
            return False
        # masks of another folder may be older, and as long: the content alone tells
        if self._masks is not None and not self._masks.is_same(task.source, row):
            return False
        # a change in the same tick of the clock looks equally old, and so may one by another clock; an output from the
        # future is newer than any change: there the content decides
        changed = max(source.st_mtime_ns, source.st_ctime_ns, self._newest_link(task.source))
        older = changed + self._skew < output.st_mtime_ns < self._began
        return (older and not checksum) or self._source.sha256(task.source) == row.get("source_sha256")

    def _newest_link(self, name: str) -> int:
        """Return when a symbolic link on the way to a file was made: since then it may lead to an older one."""
        folder = os.path.dirname(name)
        if folder and folder not in self._links:
            self._links[folder] = self._newest_link(folder)
        found = self._source.look(name)
        is_link = found is not None and stat.S_ISLNK(found.st_mode)
        own = max(found.st_mtime_ns, found.st_ctime_ns) if found and is_link else 0
        return max(own, self._links.get(folder, 0))

    def _holds(self, file: ListedFile) -> bool:
        if self._settings.running.checksum:
            return bool(self._destination.sha256(file.name) == file.sha256)
        found = self._destination.look(file.name)
        return found is not None and bool(found.st_size == file.bytes)
