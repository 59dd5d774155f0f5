"""Rows of adversarial runs -> what differs: the step is taken once more, in the process that has the model."""

import itertools
import os
import pickle
from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from noisecli.engines.process import time_limit
from noisecli.errors import FileProblem
from noisecli.kinds.adversarial import AdversarySettings
from noisecli.model import Task
from noisecli.settings import Settings, own_settings
from noisecli.storage import SourceFile, escape_name
from noisecli.verify.report import Check, Checked, Row
from noisecli.verify.worker import Checking
from noisecli.workers import open_file, worker
from noisecli.workers.adversarial.alike import are_alike_but_for_signs
from noisecli.workers.adversarial.maker import AdversarialMaker
from noisecli.workers.adversarial.pictures import Stepping
from noisecli.workers.adversarial.stage import BatchItem


class _Waiting(NamedTuple):
    """An output to be recomputed with the others of its batch."""

    check: Check
    task: Task
    label: int | None
    slot: int


class CheckingSteps(Checking):
    """Looks at the files of rows as Checking does; what is sound in a batch takes its step together."""

    _doubt = "; on another machine the last bits of a gradient may be others"

    def __init__(self, settings: Settings, recorded: dict[str, str]) -> None:
        super().__init__(settings, recorded)
        self._waiting: list[_Waiting] = []
        self._stepping: tuple[Settings, Stepping] | None = None
        self._used: Mapping[str, str] = {}

    def work(self, checks: list[Check]) -> Checked:
        """Look at the files of one batch, and recompute its outputs."""
        self._waiting = []
        super().work(checks)
        if self._waiting:
            self._step()
        return self._found

    def _compare_all(self, checks: list[Check], source: str, file: SourceFile | None) -> None:
        """Have the outputs of a source wait for the rest of the batch."""
        for check in checks:
            if (recorded := self._recorded_of(check, source, file)) is None:
                continue
            task, noise = recorded
            try:
                label, slot = _seat(check, source)
            except (KeyError, TypeError, ValueError):
                message = "its row does not record its place in a batch; make it again with --redo"
                self._differ(check.row["file_name"], "bad-row", message)
                continue
            # by its suffix an archive is known
            end = f"-{len(self._waiting)}{os.path.splitext(source)[1] if label is None else ''}"
            clean = task.clean_output and task.clean_output + end
            task = task._replace(output=task.output + end, clean_output=clean, extra=pickle.dumps(noise))
            self._waiting.append(_Waiting(check, task, label, slot))

    def _step(self) -> None:
        settings = cast(Settings, self._waiting[0].check.settings)
        if self._stepping is None or self._stepping[0].key != settings.key:
            self._stepping = settings, Stepping(settings)
        items = []
        for source, group in itertools.groupby(self._waiting, key=lambda waiting: waiting.task.source):
            outputs = list(group)
            tasks = tuple(waiting.task for waiting in outputs)
            items.append(BatchItem(source, outputs[0].label, outputs[0].slot, tasks))
        stepped = self._stepping[1].work(items)
        self._used = stepped.versions
        by_output = {waiting.task.output: waiting.check for waiting in self._waiting}
        for task in stepped.tasks:
            self._write(by_output.pop(task.output), task)
        told = {problem.source: problem.message for problem in stepped.problems}
        for check in by_output.values():
            message = told.get(escape_name(str(check.row["source"])), told.get(str(check.row["source"]), "no step"))
            self._differ(check.row["file_name"], "not-remade", f"cannot be recomputed: {message}")

    def _write(self, check: Check, task: Task) -> None:
        """Write one output, and compare it."""
        running, name = self._settings.running, check.row["file_name"]
        settings = cast(Settings, check.settings)
        try:
            with (
                time_limit(2 * running.timeout + task.size / 1e6),
                open_file(settings.source, task.source, running.limits.max_bytes) as file,
                worker.maker_of(settings, "", self._codec).open(file) as opened,
            ):
                self._compare(check, task, None, opened)
        except FileProblem as problem:
            self._differ(name, "not-remade", f"cannot be recomputed: {problem.message}")
        except OSError as error:
            self._differ(name, "not-remade", f"cannot be recomputed: {error.strerror or error}; check the disk")

    def _versions(self) -> Mapping[str, str]:
        return {library: version for library, version in self._used.items() if library != "numpy"}

    def _are_same(self, row: Row, settings: Settings, made: str, theirs: str) -> bool:
        """Whether the samples are the same, but for the sign of a gradient that was almost 0."""
        if super()._are_same(row, settings, made, theirs):
            return True
        if theirs != row["file_name"]:
            return False
        maker, member = cast(AdversarialMaker, self._maker), row.get("member")
        with self._open(settings, made) as one, self._open(self._settings, theirs) as other:
            return are_alike_but_for_signs(maker.stepped(one, member), maker.stepped(other, member), float(row["eps"]))


def _seat(check: Check, source: str) -> tuple[int | None, int]:
    """Return the label and the slot of a source. Raises KeyError, TypeError or ValueError where there is none."""
    own = own_settings(cast(Any, check.settings), AdversarySettings)
    if source.lower().endswith(".npz"):
        return None, 0
    place, label = check.row["place"], own.classes.index(source.partition("/")[0])
    if isinstance(place, bool) or not 0 <= place < own.batch_size:
        raise ValueError(f"place {place}")
    return label, place
