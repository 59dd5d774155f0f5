"""What carries chunks of work out to workers and their answers back: one page an engine, one line of a table.

Light: the parent process loads no numpy.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from typing import Any, NamedTuple, Protocol, Self, TypeVar

from noisecli.errors import FailedReason
from noisecli.model import Problem
from noisecli.settings import Running
from noisecli.storage.names import escape_name

Item = TypeVar("Item")
Answer = TypeVar("Answer")

CHUNK_ITEMS = 32
CHUNK_BYTES = 600_000
_CHUNKS_A_WORKER = 8
_BLAMELESS_ROUNDS = 2
"""How often what was lost without blame is tried again as if nothing had been, before and while it is tried alone."""


class Place(NamedTuple):
    """Where a worker is that its run's own process did not start. Plain data.

    Attributes
    ----------
    name
        How its name begins, on all machines no other's.
    beside
        How many workers this machine may have.
    is_elsewhere
        Whether this is another machine than the run's.
    relay
        What has lines appended to the journal there; None on the run's own machine.
    """

    name: str
    beside: int
    is_elsewhere: bool
    relay: Callable[[bytes], None] | None


class Job(NamedTuple):
    """What workers do. Plain data: it is sent to them.

    Attributes
    ----------
    factory
        "module:Class"; each worker makes one Class(*arguments), whose work(chunk) returns the answer to a chunk.
    modules
        What the job needs loaded: an engine may load it once for all workers.
    reads
        Folders that workers read.
    writes
        Folders that they write into, each with a prefix of the run's temporary files there.
    desk
        What appends lines for workers on other machines, as factory and arguments; called with a line.
    place
        Filled in by an engine whose workers are elsewhere.
    """

    factory: str
    arguments: tuple[Any, ...]
    modules: tuple[str, ...]
    reads: tuple[str, ...] = ()
    writes: tuple[tuple[str, str], ...] = ()
    desk: tuple[str, tuple[Any, ...]] | None = None
    place: Place | None = None


class Lost(NamedTuple):
    """What became of a chunk whose worker died, or could not send its answer.

    Attributes
    ----------
    worker
        Its name, as worker_prefix() takes it; empty where nobody knows which one it was.
    trace
        Of a bug of ours, its traceback.
    is_blameless
        Whether it went with its machine, or was ended from outside: what it worked on is not suspected yet.
    """

    reason: FailedReason
    message: str
    worker: str
    trace: str = ""
    is_blameless: bool = False

    def problem_of(self, source: str) -> Problem:
        """Return what it means for the source of a chunk of one."""
        return Problem(escape_name(source), "failed", self.reason, self.message, self.trace)


class Engine(Protocol):
    """Workers that do one job. A context manager; leaving it by an exception ends them at once."""

    @staticmethod
    def default_jobs() -> int:
        """Return how many workers there are unless a request says so."""

    @staticmethod
    def warm_up(modules: tuple[str, ...]) -> None:
        """Begin what takes time before the first worker, without waiting for it: a job needs these modules."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def run(self, chunks: Iterable[list[Any]], *, alone: bool = False) -> Iterator[tuple[list[Any], Any | Lost]]:
        """Yield each chunk with its answer, as they come, taking new ones only as workers have room for them.

        With `alone`, nothing else runs beside a chunk. Raises what a worker raised: Refused, Stopped, WorkerBug.
        """


ENGINES = {
    "local": "noisecli.engines.local:LocalEngine",
    "ray": "noisecli.engines.ray:RayEngine",
}


def open_engine(job: Job, running: Running, jobs: int | None = None) -> Engine:
    """Return the engine that a request names, with so many workers; None: as many as it asks for."""
    engine: Engine = _class_of(running)(job, running, running.jobs if jobs is None else jobs)
    return engine


def default_jobs(engine: str) -> int:
    """Return how many workers an engine has unless it is told."""
    jobs: int = _class_named(engine).default_jobs()
    return jobs


def warm_up(modules: tuple[str, ...], running: Running) -> None:
    """Have the engine that a request names begin what takes time."""
    _class_of(running).warm_up(modules)


def _class_of(running: Running) -> Any:
    return _class_named(running.engine)


def _class_named(engine: str) -> Any:
    module, _, name = ENGINES[engine].partition(":")
    return getattr(import_module(module), name)


def cut(
    items: Iterable[Item], expected: int, jobs: int, size_of: Callable[[Item], int] = lambda item: 0
) -> Iterator[list[Item]]:
    """Yield items in chunks: small files together, few enough to keep every worker busy to the end.

    Parameters
    ----------
    expected
        About how many items there are.
    size_of
        Bytes to be read for an item.
    """
    most = max(1, min(CHUNK_ITEMS, expected // (jobs * _CHUNKS_A_WORKER)))
    chunk: list[Item] = []
    size = 0
    for item in items:
        chunk.append(item)
        size += size_of(item)
        if len(chunk) >= most or size >= CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def run_all(
    engine: Engine,
    chunks: Iterable[list[Item]],
    part: Callable[[list[Item]], Iterable[list[Item]]],
    lost: Callable[[list[Item], Lost], None] = lambda chunk, lost: None,
) -> Iterator[tuple[list[Item], Any | Lost]]:
    """Yield what became of all chunks. What was lost with its worker is tried once more, in parts and alone.

    So only the culprit is lost, not what ran beside it.

    Parameters
    ----------
    part
        Cuts a lost chunk into what is tried by itself; each is taken from it when the one before has its result.
    lost
        Called for each loss, the first of a chunk too.
    """
    suspects: list[list[Item]] = []
    for chunk, result in _blameless_again(engine, chunks, lost, alone=False):
        if isinstance(result, Lost):
            suspects.append(chunk)
        else:
            yield chunk, result
    yield from _blameless_again(engine, itertools.chain.from_iterable(map(part, suspects)), lost, alone=True)


def _blameless_again(
    engine: Engine, chunks: Iterable[list[Item]], lost: Callable[[list[Item], Lost], None], *, alone: bool
) -> Iterator[tuple[list[Item], Any | Lost]]:
    """Yield what became of chunks, of those lost without blame after so many more rounds."""
    for left in range(_BLAMELESS_ROUNDS, -1, -1):
        again: list[list[Item]] = []
        for chunk, result in engine.run(chunks, alone=alone):
            if isinstance(result, Lost):
                lost(chunk, result)
                if result.is_blameless and left:
                    again.append(chunk)
                    continue
            yield chunk, result
        if not again:
            return
        chunks = again


def worker_prefix(run_prefix: str, worker: str) -> str:
    """Return how the names of one worker's temporary files begin."""
    return f"{run_prefix}{worker}-"
