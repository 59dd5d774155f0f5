"""Work already done is not done again: by recorded outcome, never by a file being there."""

from __future__ import annotations

import contextlib
import os
import stat
import time
from typing import Any

from noisecli.model import Task
from noisecli.settings import Settings
from noisecli.storage import escape_name, file_sha256

_OTHERS = stat.S_IRGRP | stat.S_IWGRP | stat.S_IROTH | stat.S_IWOTH
_ASKED = ("key", "settings", "level", "clean_file_name", "source")


class Resume:
    """Decides which outputs of earlier runs still hold."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._key = settings, settings.key
        self._began = time.time_ns()

    def is_current(self, task: Task, row: dict[str, Any] | None) -> bool:
        """Whether the output of this task stands as its row says, made from the source as it is now."""
        if row is None or self._settings.running.redo:
            return False
        asked = (task.key.hex(), self._key, task.level.label, task.clean_output, escape_name(task.source) or None)
        if asked != tuple(row.get(word) for word in _ASKED):
            return False
        shape = row.get("shape")
        if task.span is not None and (not isinstance(shape, list) or task.span != (row.get("first"), *shape[:1])):
            return False
        try:
            return self._files_hold(task, row)
        except OSError:
            return False

    def _files_hold(self, task: Task, row: dict[str, Any]) -> bool:
        output_path = f"{self._settings.destination}/{task.output}"
        if not task.source:
            same = os.lstat(output_path).st_size == row.get("bytes")
            return same and not (self._settings.running.checksum and file_sha256(output_path) != row.get("sha256"))
        source_path = f"{self._settings.source}/{task.source}"
        source, output = os.stat(source_path), os.lstat(output_path)
        if (
            not stat.S_ISREG(output.st_mode)
            or output.st_size != row.get("bytes")
            or source.st_size != row.get("source_bytes")
        ):
            return False
        if task.clean_output and not self._clean_holds(task.clean_output, row):
            return False
        for name in task.names:
            _narrow(f"{self._settings.destination}/{name}", source.st_mode)
        if self._settings.running.checksum:
            return file_sha256(output_path) == row.get("sha256") and file_sha256(source_path) == row.get(
                "source_sha256"
            )
        # a change in the same tick of the clock looks equally old, and an output from the future is newer than any
        # change: there the content decides
        older = max(source.st_mtime_ns, source.st_ctime_ns) < output.st_mtime_ns < self._began
        return older or file_sha256(source_path) == row.get("source_sha256")

    def _clean_holds(self, clean_output: str, row: dict[str, Any]) -> bool:
        path = os.path.join(self._settings.destination, clean_output)
        if self._settings.running.checksum:
            return file_sha256(path) == row.get("clean_sha256")
        return os.lstat(path).st_size == row.get("clean_bytes")


def _narrow(path: str, source_mode: int) -> None:
    """Take rights from an output that its source, by now, gives to nobody; where modes mean nothing, it stays."""
    mode = stat.S_IMODE(os.lstat(path).st_mode)
    wider = mode & ~source_mode & _OTHERS
    if wider:
        with contextlib.suppress(OSError):
            os.chmod(path, mode & ~wider)
