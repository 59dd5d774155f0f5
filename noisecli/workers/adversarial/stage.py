"""noisecli adversarial: a stop at the model between the plan and the workers that write. Light: in the parent process.

One process has the model and works batch after batch; what it made travels with the tasks to the workers. Batches are
cut from the sorted list of all sources, whatever is done of them.
"""

import itertools
import json
import os
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from noisecli.engines import CHUNK_ITEMS, Job, Lost, open_engine, run_all
from noisecli.errors import Refused
from noisecli.kinds import KINDS
from noisecli.kinds.adversarial import AdversarySettings
from noisecli.model import Made, Problem, Task
from noisecli.settings import Settings, own_settings
from noisecli.storage import escape_name
from noisecli.workers.stage import Prepared

_NO_LABEL = "lies in no folder of a class that is known; move it there, or name all classes: --classes a,b,c"

_FEW_SAMPLES = 20
_NEAR_CHANCE = 0.2
"""What is a fifth above chance, or two standard errors, is no better than it."""


class BatchItem(NamedTuple):
    """A source in a batch.

    Attributes
    ----------
    label
        Index of its class; None for an archive, which is a batch by itself and has labels of its own.
    slot
        Its number in the batch.
    tasks
        What is to be made of it.
    """

    source: str
    label: int | None
    slot: int
    tasks: tuple[Task, ...]


class BatchResult(NamedTuple):
    """What became of a batch: tasks ready to be written, and sources that cannot be done; `classes`: the model's."""

    tasks: list[Task]
    problems: list[Problem]
    versions: dict[str, str]
    classes: int


class GradientStage:
    """Has the model take its step on every source; see noisecli.workers.stage.Stage."""

    def __init__(self, settings: Settings, sources: Sequence[str]) -> None:
        own = own_settings(settings, AdversarySettings)
        self._settings, self._sources = settings, sources
        self._labels = {name: number for number, name in enumerate(own.classes)}
        labelled = (source for source in sources if self._label(source) is not None)
        self._slots = {source: number % own.batch_size for number, source in enumerate(labelled)}
        # of archives, the model says how many there are
        self._classes = len(own.classes) if self._slots else 0
        self._tally = _Tally()

    def _label(self, source: str) -> int | None:
        folder, slash, _ = source.partition("/")
        return None if _is_archive(source) or not slash else self._labels.get(folder)

    def refuse(self) -> None:
        """Raise Refused where no source has a label, or --format is given for archives."""
        if self._sources and not self._slots and not any(map(_is_archive, self._sources)):
            raise Refused(
                f"{escape_name(self._settings.source)}: no image there lies in a folder of its class; name the "
                "folder above the class folders, or say what they are called: --classes a,b,c"
            )
        if self._settings.output.encoding.format and any(map(_is_archive, self._sources)):
            raise Refused("--format is of images, and SRC holds .npz files; omit one of the two with --exclude")

    def is_current(self, task: Task, row: dict[str, Any]) -> bool:
        """Whether an image still has the slot of a batch that its output was made in."""
        if row.get("place") != self._slots.get(task.source):
            return False
        self._tally.note(row)
        return True

    def prepare(self, tasks: Iterator[Task], expected: int) -> Generator[Prepared, None, None]:
        """Yield what the model has worked out, cut for the workers that write it."""
        modules = ("noisecli.workers.adversarial.pictures", *KINDS[self._settings.kind].modules)
        job = Job("noisecli.workers.adversarial.pictures:Stepping", (self._settings,), modules)
        unlabelled: list[Prepared] = []
        # with every engine on this machine: what the model worked out travels with the tasks
        with open_engine(job, replace(self._settings.running, engine="local"), jobs=1) as model:
            # a process that died over a batch: each of its sources alone in its slot, so that only the culprit is lost
            for items, result in run_all(model, self._batches(tasks, unlabelled), lambda items: [[i] for i in items]):
                yield from _emptied(unlabelled)
                if isinstance(result, Lost):
                    [item] = items
                    yield Prepared([], [result.problem_of(item.source)], dropped=len(item.tasks))
                else:
                    self._classes = result.classes
                    yield from self._cut(items, result)
        yield from _emptied(unlabelled)

    def _cut(self, items: list[BatchItem], result: BatchResult) -> Iterator[Prepared]:
        dropped = sum(len(item.tasks) for item in items) - len(result.tasks)
        yield Prepared([], result.problems, result.versions, dropped)
        by_source = sorted(result.tasks, key=lambda task: os.fsencode(task.source))
        most = max(1, min(CHUNK_ITEMS, len(by_source) // (2 * self._settings.running.jobs)))
        for start in range(0, len(by_source), most):
            yield Prepared(by_source[start : start + most])

    def _batches(self, tasks: Iterator[Task], unlabelled: list[Prepared]) -> Iterator[list[BatchItem]]:
        """Yield what is to be made, every source in the slot that it has in an undisturbed run."""
        items: list[BatchItem] = []
        for source, group in itertools.groupby(tasks, key=lambda task: task.source):
            wanted, label = tuple(group), self._label(source)
            if _is_archive(source):
                yield [BatchItem(source, None, 0, wanted)]
            elif label is None:
                problem = Problem(escape_name(source), "failed", "no-label", _NO_LABEL)
                unlabelled.append(Prepared([], [problem], dropped=len(wanted)))
            else:
                slot = self._slots[source]
                if items and slot <= items[-1].slot:
                    yield items
                    items = []
                items.append(BatchItem(source, label, slot, wanted))
        if items:
            yield items

    def note_made(self, made: Made) -> None:
        """Count how often the model is right."""
        self._tally.note(json.loads(made.row))

    def answers(self) -> dict[str, float]:
        """Return the shares of samples that the model answers rightly, over all outputs made and kept.

        Where it is hardly better than chance before the step, also the share that is right by "chance".
        """
        return self._tally.shares() | self._tally.chance(self._classes)


class _Tally:
    """How often the model is right."""

    def __init__(self) -> None:
        self._samples = 0.0
        self._right = dict.fromkeys(("before", "step", "after"), 0.0)

    def note(self, row: dict[str, Any]) -> None:
        """Add an output's row; one that somebody edited may not say."""
        recorded = [row.get(name) for name in ("samples", *(f"accuracy_{when}" for when in self._right))]
        numbers = [float(value) for value in recorded if isinstance(value, (int, float))]
        if len(numbers) == len(recorded):
            self._samples += numbers[0]
            for when, accuracy in zip(self._right, numbers[1:], strict=True):
                self._right[when] += numbers[0] * accuracy

    def shares(self) -> dict[str, float]:
        """Return the shares; nothing where there were no samples."""
        return {when: round(right / self._samples, 6) for when, right in self._right.items() if self._samples}

    def chance(self, classes: int) -> dict[str, float]:
        """Return the share that is right by chance; nothing where the model is surely better, or samples are few."""
        if not classes or self._samples < _FEW_SAMPLES:
            return {}
        chance = 1 / classes
        deviation = (chance * (1 - chance) / self._samples) ** 0.5
        near = self._right["before"] / self._samples < chance + max(2 * deviation, _NEAR_CHANCE * chance)
        return {"chance": round(chance, 6)} if near else {}


def _emptied(prepared: list[Prepared]) -> Iterator[Prepared]:
    while prepared:
        yield prepared.pop(0)


def _is_archive(source: str) -> bool:
    return source.lower().endswith(".npz")
