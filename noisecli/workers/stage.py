"""Between the plan and the workers that write. Light: a stage runs in the parent process."""

import itertools
from collections.abc import Generator, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from noisecli.engines import cut
from noisecli.model import Made, Problem, Task
from noisecli.settings import Settings


class Prepared(NamedTuple):
    """A chunk for the workers that write, and what became of sources on the way to it.

    Attributes
    ----------
    versions
        Of libraries that the outputs depend on, besides those of the workers.
    dropped
        How many outputs do not come, for their sources have problems.
    """

    tasks: list[Task]
    problems: Sequence[Problem] = ()
    versions: Mapping[str, str] = MappingProxyType({})
    dropped: int = 0


class Stage(Protocol):
    """What a kind does with tasks before workers make them; made of the request and all its sources, sorted."""

    def refuse(self) -> None:
        """Raise Refused for what cannot end well, before any work."""

    def is_current(self, task: Task, row: dict[str, Any]) -> bool:
        """Whether an output, else current, would be made the same again. Called once for each that is kept."""

    def prepare(self, tasks: Iterator[Task], expected: int) -> Generator[Prepared, None, None]:
        """Yield the tasks, prepared and cut into chunks; `expected` is about how many there are."""

    def note_made(self, made: Made) -> None:
        """Note an output that was made."""

    def answers(self) -> dict[str, float]:
        """Return what the summary says of all outputs made and kept."""


class PlainStage:
    """Hands tasks on as they are; see Stage."""

    def __init__(self, settings: Settings, sources: Sequence[str]) -> None:
        self._jobs = settings.running.jobs

    def refuse(self) -> None:
        """Refuse nothing."""

    def is_current(self, task: Task, row: dict[str, Any]) -> bool:
        """Return True."""
        return True

    def prepare(self, tasks: Iterator[Task], expected: int) -> Generator[Prepared, None, None]:
        """Cut the tasks into chunks; those of a tar are one."""
        tasks = iter(tasks)
        first = next(tasks, None)
        tasks = iter(()) if first is None else itertools.chain([first], tasks)
        if first is not None and first.tar is not None:
            for _, group in itertools.groupby(tasks, key=lambda task: task.tar):
                yield Prepared(list(group))
            return
        for chunk in cut(tasks, expected, self._jobs, lambda task: task.size):
            yield Prepared(chunk)

    def note_made(self, made: Made) -> None:
        """Note nothing."""

    def answers(self) -> dict[str, float]:
        """Return nothing."""
        return {}
