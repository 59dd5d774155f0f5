"""noisecli adversarial: the pipeline with a stop at the model between the plan and the workers that write.

One process has the model and works batch after batch; what it made travels with the tasks to the workers.
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from noisecli.engines.local import Chunk, Lost, Pool
from noisecli.engines.process import Done
from noisecli.errors import FailedReason, Refused
from noisecli.manifest.ledger import Ledger
from noisecli.model import Made, Problem, Task
from noisecli.run import pipeline
from noisecli.run.plan import Plan
from noisecli.run.resume import Resume
from noisecli.run.sources import Listing
from noisecli.run.summary import Summary
from noisecli.settings import Settings
from noisecli.storage import escape_name

_NO_LABEL = "lies in no folder of a class that is known; move it there, or name all classes: --classes a,b,c"


class BatchItem(NamedTuple):
    """A source in a batch.

    Attributes
    ----------
    label
        Index of its class; None for an archive, which is a batch by itself and has labels of its own.
    place
        Its number in the batch.
    tasks
        What is to be made of it.
    """

    source: str
    label: int | None
    place: int
    tasks: tuple[Task, ...]


class BatchResult(NamedTuple):
    """What became of a batch: tasks ready to be written, and sources that cannot be done."""

    tasks: list[Task]
    problems: list[Problem]
    versions: dict[str, str]


def run(
    settings: Settings, *, dry_run: bool = False, begin: Callable[[int], pipeline.Progress] | None = None
) -> Summary:
    """Carry out a request; see noisecli.run.pipeline.run."""
    return pipeline.run(settings, dry_run=dry_run, begin=begin, kind_of_run=AdversarialRun)


class AdversarialRun(pipeline.Run):
    """One run on one destination. Batches are cut from the sorted list of all sources, whatever is done of them."""

    def __init__(self, request: Settings, plan: Plan, found: Listing, ledger: Ledger, summary: Summary) -> None:
        super().__init__(request, plan, found, ledger, summary)
        assert request.adversary is not None
        self._labels = {name: number for number, name in enumerate(request.adversary.classes)}
        self._places = self._cut(request.adversary.batch_size)
        self._tally = _Tally()
        self._resume = _ResumeInBatches(request, self._places, self._tally)

    def _cut(self, batch_size: int) -> dict[str, int]:
        """Number the pictures that have a label; an archive is a batch by itself."""
        pictures = (source for source in self._found.sources if self._label(source) is not None)
        return {source: number % batch_size for number, source in enumerate(pictures)}

    def _label(self, source: str) -> int | None:
        folder, slash, _ = source.partition("/")
        return None if _is_archive(source) or not slash else self._labels.get(folder)

    def carry_out(self) -> None:
        """Do it; see noisecli.run.pipeline.Run."""
        sources = self._found.sources
        if sources and not self._places and not any(map(_is_archive, sources)):
            raise Refused(
                f"{escape_name(self._settings.source)}: no picture there lies in a folder of its class; name the "
                "folder above the class folders, or say what they are called: --classes a,b,c"
            )
        if self._settings.output.encoding.format and any(map(_is_archive, sources)):
            raise Refused("--format is of pictures, and SRC holds .npz files; leave one kind out with --exclude")
        super().carry_out()

    def _take(self, done: Done, chunk: Chunk) -> None:
        super()._take(done, chunk)
        for outcome in done.outcomes:
            if isinstance(outcome, Made):
                self._tally.note(json.loads(outcome.row))

    def _publish(self) -> None:
        self._summary.answers = self._tally.shares()
        super()._publish()

    def _make_all(self) -> None:
        running = replace(self._settings.running, jobs=1)
        module = "noisecli.workers.adversarial.pictures"
        with Pool[BatchItem, BatchResult](self._settings.kind, running, module, (self._settings,)) as self._model:
            super()._make_all()

    def _chunks(self) -> Iterator[Chunk]:
        """Yield what the model has worked out, cut for the workers that write it."""
        lost: list[list[BatchItem]] = []
        for items, result in self._model.run(self._batches()):
            if isinstance(result, Lost):
                # the process died over one of them: each alone in its place, so that only the culprit is lost
                lost.extend([item] for item in items)
            else:
                yield from self._stepped(items, result)
        for [item], result in self._model.run(lost, alone=True):
            if isinstance(result, Lost):
                self.progress(len(item.tasks))
                self._note(result.problem_of(item.source))
            else:
                yield from self._stepped([item], result)

    def _stepped(self, items: list[BatchItem], attacked: BatchResult) -> Iterator[Chunk]:
        self._ledger.note_versions(attacked.versions)
        for problem in attacked.problems:
            self._note(problem)
        self.progress(sum(len(item.tasks) for item in items) - len(attacked.tasks))
        by_source = sorted(attacked.tasks, key=lambda task: os.fsencode(task.source))
        most = max(1, min(pipeline.CHUNK_TASKS, len(by_source) // (2 * self._settings.running.jobs)))
        for start in range(0, len(by_source), most):
            yield self._intended(by_source[start : start + most])

    def _batches(self) -> Iterator[list[BatchItem]]:
        """Yield what is to be made, every source in the place it has in an undisturbed run."""
        items: list[BatchItem] = []
        for source, tasks in itertools.groupby(self._plan.tasks(), key=lambda task: task.source):
            wanted = tuple(task for task in tasks if not self._keep(task))
            label = self._label(source)
            if not wanted:
                continue
            if _is_archive(source):
                yield [BatchItem(source, None, 0, wanted)]
            elif label is None:
                self._fail(source, len(wanted), "no-label", _NO_LABEL)
            else:
                place = self._places[source]
                if items and place <= items[-1].place:
                    yield items
                    items = []
                items.append(BatchItem(source, label, place, wanted))
        if items:
            yield items

    def _fail(self, source: str, outputs: int, reason: FailedReason, message: str) -> None:
        self.progress(outputs)
        self._note(Problem(escape_name(source), "failed", reason, message))


class _Tally:
    """How often the model is right, over all outputs made and kept."""

    def __init__(self) -> None:
        self._samples = 0.0
        self._right = dict.fromkeys(("before", "step", "after"), 0.0)

    def note(self, row: dict[str, Any]) -> None:
        """Add an output's row; one that somebody edited may tell nothing."""
        told = [row.get(name) for name in ("samples", *(f"accuracy_{when}" for when in self._right))]
        numbers = [float(value) for value in told if isinstance(value, (int, float))]
        if len(numbers) == len(told):
            self._samples += numbers[0]
            for when, accuracy in zip(self._right, numbers[1:], strict=True):
                self._right[when] += numbers[0] * accuracy

    def shares(self) -> dict[str, float]:
        """Return the shares of samples answered rightly; nothing where there were none."""
        return {when: round(right / self._samples, 6) for when, right in self._right.items() if self._samples}


class _ResumeInBatches(Resume):
    """Keeps an output only where its picture still has the place in a batch that it was made in."""

    def __init__(self, settings: Settings, places: dict[str, int], tally: _Tally) -> None:
        super().__init__(settings)
        self._places, self._tally = places, tally

    def is_current(self, task: Task, row: dict[str, Any] | None) -> bool:
        """Whether the output stands as its row says, and would be made so again."""
        if row is None or row.get("place") != self._places.get(task.source) or not super().is_current(task, row):
            return False
        self._tally.note(row)
        return True


def _is_archive(source: str) -> bool:
    return source.lower().endswith(".npz")
