"""Worker processes on this machine: an engine shaped like map, in which a dead worker costs one chunk.

Every worker has a pipe of its own and nothing is shared between them, no lock and no queue. So a worker that is killed
at any instant, in mid-message too, can neither block nor confuse the others; a pool that shares one pipe can.
"""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Iterable, Iterator
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, NamedTuple, Self, TypeVar

from noisecli.engines.forkserver import most_workers, warm_up
from noisecli.engines.process import Done, Raised, Unsent, serve
from noisecli.errors import FailedReason, Stopped
from noisecli.model import Kind, Problem, Task
from noisecli.settings import Running, Settings
from noisecli.storage import escape_name

QUEUED = 2
"""Chunks a worker holds: one being done, the next one there already."""
_JOIN_SECONDS = 5.0
_ROOM = "raise ulimit -u or -n, or free memory; then run again to go on"
_NO_SERVER = "the server that starts workers ended: it was killed, or has no room for another process; " + _ROOM

Chunk = list[Task]
Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Lost(NamedTuple):
    """What became of a chunk whose worker died, or could not tell what became of it."""

    reason: FailedReason
    message: str
    pid: int
    trace: str = ""

    def problem_of(self, source: str) -> Problem:
        """Return what it means for the source of a chunk of one."""
        return Problem(escape_name(source), "failed", self.reason, self.message, self.trace)


class _Worker(Generic[Item, Answer]):
    """One process, its pipe, and the chunks it was given and has not answered."""

    def __init__(self, kind: Kind, arguments: tuple[Any, ...]) -> None:
        self.pipe: Connection
        try:
            context = warm_up(kind)
            self.pipe, theirs = context.Pipe()
            self.process = context.Process(target=serve, args=(theirs, *arguments), daemon=True)
            self.process.start()
        except (EOFError, ConnectionError) as error:
            raise Stopped(_NO_SERVER) from error
        except OSError as error:
            raise Stopped(f"no worker can be started: {error.strerror or error}; {_ROOM}") from error
        theirs.close()
        self.given: deque[list[Item]] = deque()

    def give(self, chunk: list[Item]) -> None:
        """Send a chunk. A worker that died meanwhile is noticed when it is listened to."""
        self.given.append(chunk)
        try:
            self.pipe.send(chunk)
        except OSError:
            return

    def answer(self) -> Answer | Raised | Unsent | None:
        """Receive what it says of the chunk it was given first; None when it died."""
        try:
            answer: Answer | Raised | Unsent = self.pipe.recv()
        except (EOFError, OSError):
            return None
        return answer

    def end(self, *, kill: bool) -> None:
        """See it out; its pipe closing is what tells an idle worker to go."""
        self.pipe.close()
        if not kill:
            self.process.join(_JOIN_SECONDS)
        if self.process.is_alive():
            self.process.kill()
        self.process.join()


class Pool(Generic[Item, Answer]):
    """Workers that take lists of items. A context manager; leaving it by an exception kills them at once.

    Parameters
    ----------
    kind
        Whose codecs are loaded once for all.
    module
        What the workers do: its start(*arguments) once in each, then work(chunk) -> Answer for every chunk.
    """

    def __init__(self, kind: Kind, running: Running, module: str, arguments: tuple[Any, ...]) -> None:
        self._timeout = running.timeout
        self._kind = kind
        self._arguments = (module, arguments)
        self._workers: list[_Worker[Item, Answer]] = []
        self._wanted = min(running.jobs, most_workers())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            for worker in self._workers:
                worker.process.kill()
        for worker in self._workers:
            worker.end(kill=kind is not None)

    def run(self, chunks: Iterable[list[Item]], *, alone: bool = False) -> Iterator[tuple[list[Item], Answer | Lost]]:
        """Yield each chunk with what became of it, as they come. Raises what a worker raised.

        With `alone`, nothing else runs beside a chunk.
        """
        workers, queued = (1, 1) if alone else (self._wanted, QUEUED)
        source = iter(chunks)
        again: deque[list[Item]] = deque()
        while True:
            self._hand_out(again, source, workers, queued)
            busy = {worker.pipe: worker for worker in self._workers if worker.given}
            if not busy:
                return
            for pipe in wait(list(busy)):
                worker = busy[pipe]  # type: ignore[index]
                answer = worker.answer()
                chunk = worker.given.popleft()
                if answer is None:
                    again.extend(worker.given)
                    yield chunk, self._bury(worker)
                elif isinstance(answer, Raised):
                    answer.throw()
                elif isinstance(answer, Unsent):
                    yield chunk, Lost(answer.reason, answer.message, worker.process.pid, answer.trace)
                else:
                    yield chunk, answer

    def _hand_out(self, again: deque[list[Item]], source: Iterator[list[Item]], workers: int, queued: int) -> None:
        """Fill up every worker, one chunk each in turn, starting processes as there is work for them."""
        for filled in range(1, queued + 1):
            for place in range(workers):
                if place < len(self._workers) and len(self._workers[place].given) >= filled:
                    continue
                chunk = again.popleft() if again else next(source, None)
                if chunk is None:
                    return
                if place >= len(self._workers):
                    self._workers.append(_Worker(self._kind, self._arguments))
                self._workers[min(place, len(self._workers) - 1)].give(chunk)

    def _bury(self, worker: _Worker[Item, Answer]) -> Lost:
        self._workers.remove(worker)
        worker.process.join()
        worker.pipe.close()
        exitcode, pid = worker.process.exitcode, worker.process.pid
        if exitcode == -signal.SIGALRM:
            limit = f"took longer than --timeout {self._timeout:g} s and one second per MB"
            return Lost("timeout", f"{limit}; it hangs its decoder, or needs a higher limit", pid)
        message = f"ended its worker ({_ending(exitcode)}); it is broken, or needs more memory than there is"
        return Lost("worker-died", message, pid)


class LocalEngine(Pool[Task, Done]):
    """Workers that make outputs."""

    def __init__(self, settings: Settings, journal: tuple[str, tuple[int, int]] | None, prefix: str) -> None:
        super().__init__(settings.kind, settings.running, "noisecli.workers.worker", (settings, journal, prefix))


def _ending(exitcode: int) -> str:
    try:
        return signal.Signals(-exitcode).name
    except ValueError:
        return f"exit status {exitcode}"
