"""Rows -> what differs. It runs in worker processes, and recomputes outputs with the worker that made them."""

import contextlib
import itertools
import os
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from noisecli.engines.process import place, time_limit
from noisecli.errors import FileProblem, NoisecliError, message_of_bug, trace_of
from noisecli.kinds import KINDS
from noisecli.levels import parse_label
from noisecli.model import Task
from noisecli.model.files import BESIDE, OUTPUT, STD_MAP, ListedFile, listed_files
from noisecli.settings import Settings
from noisecli.storage import SourceFile, folder_at, is_inside
from noisecli.storage.scratch import ScratchFolder
from noisecli.verify.report import Check, Checked, Difference, Reason, Row, size_of
from noisecli.workers import Maker, OpenSource, open_file, worker

_FILES = (OUTPUT, *BESIDE)
_NOT_COMPARED = (*(keys.name for keys in _FILES), "level")
_NEW = ("drawn",)
"""Keys that rows of earlier versions lack, and that say nothing an output depends on."""
_DIGESTS = frozenset(key for keys in _FILES for key in (keys.sha256, keys.bytes))


class Checking:
    """Looks at the files of rows in one worker process.

    Parameters
    ----------
    settings
        They name the destination, and the sources' folder where outputs are recomputed.
    recorded
        The versions that made its files.
    """

    _doubt = ""
    """What is said besides where the bytes are others."""

    def __init__(self, settings: Settings, recorded: dict[str, str]) -> None:
        worker.prepare_process(settings.running.jobs)
        self._settings, self._recorded = settings, recorded
        self._codec = worker.load_codec(settings.kind)
        self._maker = worker.maker_of(settings, "", self._codec)
        self._found = Checked()
        self._recomputing: tuple[Settings, Maker] | None = None
        here = place()
        # the run's own is on its machine
        self._scratch = ScratchFolder() if here is not None and here.is_elsewhere else None

    def work(self, checks: list[Check]) -> Checked:
        """Look at the files of some rows, those of one source in a row together."""
        self._found = Checked()
        if self._scratch is not None:
            checks = [check._replace(settings=self._into(self._scratch, check.settings)) for check in checks]
        for _, group in itertools.groupby(checks, key=lambda check: check.row.get("source")):
            self._check_source(list(group))
        return self._found

    def _into(self, scratch: ScratchFolder, settings: Settings | None) -> Settings | None:
        return None if settings is None else replace(settings, destination=scratch.path)

    def _check_source(self, checks: list[Check]) -> None:
        timeout = self._settings.running.timeout * len(checks) * (1 if checks[0].settings is None else 2)
        with time_limit(timeout + sum(size_of(check.row) for check in checks) / 1e6):
            sound = [check for check in checks if self._files_hold(check.row) and check.settings is not None]
            if sound:
                self._recompute(sound)

    def _note_bug(self, name: str, error: Exception) -> None:
        """One hostile file, or row, costs itself."""
        if isinstance(error, NoisecliError):
            raise error
        self._found.differences.append(Difference(name, "internal-error", message_of_bug(error), trace_of(error)))

    def _differ(self, name: str, reason: Reason, message: str) -> None:
        self._found.differences.append(Difference(name, reason, message))

    def _files_hold(self, row: Row) -> bool:
        """Look at a row's output, and at what is beside it."""
        before = len(self._found.differences)
        for listed in listed_files(row):
            self._check_file(listed, row)
        return len(self._found.differences) == before

    def _check_file(self, listed: ListedFile, row: Row) -> None:
        name = listed.name
        try:
            with self._open(self._settings, name) as file:
                if file.size != listed.bytes:
                    message = f"has {file.size:,} bytes, its row says {listed.bytes}; run the same command again"
                    self._differ(name, "size-differs", message)
                elif file.sha256() != listed.sha256:
                    self._differ(
                        name, "digest-differs", "has other content; run the same command again with --checksum"
                    )
                else:
                    self._decode(listed, row, file)
        except FileProblem as problem:
            gone = problem.reason == "gone"
            message = "is gone; run the same command again" if gone else problem.message
            self._differ(name, "gone" if gone else "unreadable", message)
        except OSError as error:
            self._differ(name, "unreadable", f"cannot be read: {error.strerror or error}; check the disk")
        except Exception as error:
            self._note_bug(name, error)

    def _open(self, settings: Settings, name: str) -> SourceFile:
        """Open an output: of the destination, or of the scratch folder."""
        return folder_at(settings.destination).open(name, self._settings.running.limits.max_bytes)

    def _decode(self, listed: ListedFile, row: Row, file: SourceFile) -> None:
        name = listed.name
        try:
            if listed.keys == STD_MAP:
                # it has neither the row's type nor alpha
                deque(self._maker.samples(file), maxlen=0)
                return
            for key, value, recorded in self._maker.mismatches(file, row):
                message = f"has {key} {value}, its row says {recorded}; run the same command again with --redo"
                self._differ(name, "row-differs", message)
        except FileProblem as problem:
            self._differ(name, "undecodable", f"cannot be decoded: {problem.message}")
        except MemoryError:
            self._differ(name, "out-of-memory", "needs more memory than there is; lower --max-pixels")

    def _recompute(self, checks: list[Check]) -> None:
        """Recompute the outputs of one source, and compare."""
        row, settings = checks[0].row, self._settings
        if KINDS[settings.kind].has_sources and not is_inside(row.get("source")):
            return self._differ_all(checks, "bad-row", "its row names no source; make it again with --redo")
        source = self._source_of(row)
        try:
            with open_file(settings.source, source, settings.running.limits.max_bytes) as file:
                checks = [check for check in checks if self._is_same_source(check.row, file)]
                if checks:
                    self._compare_all(checks, source, file)
        except FileProblem as problem:
            gone = problem.reason == "gone"
            words = "is gone" if gone else f"cannot be read: {problem.message}"
            self._differ_all(
                checks, "source-gone" if gone else "source-unreadable", f"its source {row['source']} {words}"
            )
        except OSError as error:
            words = f"cannot be read: {error.strerror or error}; check the disk"
            self._differ_all(checks, "source-unreadable", f"its source {row['source']} {words}")
        except MemoryError:
            self._differ_all(checks, "out-of-memory", "cannot be recomputed: needs more memory than there is")
        except Exception as error:
            for check in checks:
                self._note_bug(check.row["file_name"], error)
        return None

    def _differ_all(self, checks: list[Check], reason: Reason, message: str) -> None:
        for check in checks:
            self._differ(check.row["file_name"], reason, message)

    def _source_of(self, row: Row) -> str:
        """Return the source's path as the file system spells it; empty where there is none."""
        name: str = row.get("source") or ""
        warnings = row.get("warnings")
        if not isinstance(warnings, list) or "name-not-utf8" not in warnings:
            return name
        return folder_at(self._settings.source).find(name) or name

    def _is_same_source(self, row: Row, file: SourceFile | None) -> bool:
        if file is None:
            return True
        try:
            same = file.sha256() == row.get("source_sha256")
        except OSError as error:
            self._differ(
                row["file_name"], "source-unreadable", f"its source {row['source']} cannot be read: {error.strerror}"
            )
            return False
        if not same:
            message = f"its source {row['source']} changed; run the same command again"
            self._differ(row["file_name"], "source-changed", message)
        return same

    def _compare_all(self, checks: list[Check], source: str, file: SourceFile | None) -> None:
        """Recompute the outputs of a source that is the same, and compare."""
        with self._maker.open(file) as opened:
            for check in checks:
                if (recorded := self._recorded_of(check, source, file)) is not None:
                    self._compare(check, *recorded, opened)

    def _recorded_of(self, check: Check, source: str, file: SourceFile | None) -> tuple[Task, Any] | None:
        """Return what made an output, and its noise; None where its row does not record them."""
        row, settings = check
        assert settings is not None
        try:
            return _task_of(row, settings, source, file), self._maker_of(settings).read_row(row)
        except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
            message = f"its row does not record its noise ({error}); make it again with --redo"
            self._differ(row["file_name"], "bad-row", message)
            return None

    def _maker_of(self, settings: Settings) -> Maker:
        """Return what recomputes the outputs of a request; it keeps what they have in common."""
        if self._recomputing is None or self._recomputing[0] != settings:
            self._recomputing = settings, worker.maker_of(settings, "", self._codec)
        return self._recomputing[1]

    def _compare(self, check: Check, task: Task, recorded: Any, opened: OpenSource) -> None:
        """Recompute one output in the scratch folder; what is made is removed again."""
        row, settings = check
        name = row["file_name"]
        assert settings is not None
        try:
            remade, lossy = self._maker_of(settings).recompute(task, opened, recorded)
            self._judge(check, task, remade, exact=not lossy)
        except FileProblem as problem:
            self._differ(name, "not-remade", f"cannot be recomputed: {problem.message}")
        except MemoryError:
            self._differ(name, "out-of-memory", "cannot be recomputed: needs more memory than there is")
        except OSError as error:
            self._differ(name, "not-remade", f"cannot be recomputed: {error.strerror or error}; check the disk")
        except Exception as error:
            self._note_bug(name, error)
        finally:
            for output in task.names:
                with contextlib.suppress(OSError):
                    folder_at(settings.destination).remove_own(output)

    def _versions(self) -> Mapping[str, str]:
        """Return the versions of the libraries that outputs depend on."""
        return self._codec.versions()

    def _judge(self, check: Check, task: Task, remade: Row, *, exact: bool) -> None:
        """Compare by bytes where the libraries are the same, else by samples where no loss is between."""
        versions = self._versions().items()
        if remade.get("mask_sha256") != check.row.get("mask_sha256"):
            message = f"its mask {remade.get('mask')} changed; run the same command again"
            self._differ(check.row["file_name"], "mask-changed", message)
        elif all(self._recorded.get(library) == version for library, version in versions):
            self._found.remade += 1
            self._judge_bytes(check.row, remade)
        elif exact:
            self._found.remade += 1
            self._judge_samples(check, task)
        else:
            self._found.not_comparable += 1

    def _judge_bytes(self, row: Row, remade: Row) -> None:
        compared = [key for key in remade if key not in _NOT_COMPARED and (key in row or key not in _NEW)]
        differing = [key for key in compared if remade[key] != row.get(key)]
        if any(key in _DIGESTS for key in differing):
            message = f"recomputed from {row['source']} it has other bytes{self._doubt}"
            self._differ(row["file_name"], "noise-differs", message)
        elif differing:
            key = differing[0]
            words = f"its row says {key} {row.get(key)}, recomputed it is {remade[key]}"
            self._differ(row["file_name"], "row-differs", f"{words}; run the same command again with --redo")

    def _judge_samples(self, check: Check, task: Task) -> None:
        row, settings = check
        assert settings is not None
        recomputed = {OUTPUT: task.output, **task.beside}
        for keys, theirs, *_ in listed_files(row):
            made = recomputed.get(keys)
            if made and not self._are_same(row, settings, made, theirs):
                self._differ(theirs, "noise-differs", f"recomputed from {row['source']} it has other samples")

    def _are_same(self, row: Row, settings: Settings, made: str, theirs: str) -> bool:
        """Whether a file that was recomputed has the samples of the row's own."""
        pairs = itertools.zip_longest(self._samples(settings, made), self._samples(self._settings, theirs))
        return all(one == other for one, other in pairs)

    def _samples(self, settings: Settings, name: str) -> Iterator[bytes]:
        with self._open(settings, name) as file:
            yield from self._maker.samples(file)


def _task_of(row: Row, settings: Settings, source: str, file: SourceFile | None) -> Task:
    """Return what made an output. Raises KeyError, TypeError or ValueError where the row does not say."""
    key = bytes.fromhex(row["key"])
    if len(key) != 16:
        raise ValueError(f"key {row['key']}")
    kind = KINDS[settings.kind]
    level = parse_label(str(row["level"]), kind.bare_unit, kind.severity_set)
    if row["noise"] != level.noise:
        raise ValueError(f"noise {row['noise']}")
    clean = f"{os.getpid()}-clean" if settings.output.with_clean else None
    std_map = f"{os.getpid()}-std-map" if settings.output.with_std_map else None
    size = 0 if file is None else file.size
    task = Task(source, f"{os.getpid()}-noisy", clean, level, int(row["copy"]), key, size)
    return task._replace(std_map_output=std_map)
