"""Worker processes on this machine: an engine shaped like map, in which a dead worker costs one chunk.

Every worker has a pipe of its own and nothing is shared between them, no lock and no queue. So a worker that is killed
at any instant, in mid-message too, can neither block nor confuse the others; a pool that shares one pipe can.
"""

import signal
from collections import deque
from collections.abc import Iterable, Iterator
from multiprocessing.connection import Connection, wait
from typing import Any, Self

from noisecli.engines import Job, Lost, forkserver
from noisecli.engines.process import Raised, Unsent, serve
from noisecli.engines.resources import available_cpus
from noisecli.errors import Stopped
from noisecli.settings import Running

Chunk = list[Any]

QUEUED = 2
"""Chunks a worker holds: one being done, the next one there already."""
_JOIN_SECONDS = 5.0
_ROOM = "raise ulimit -u or -n, or free memory; then run again to go on"
_NO_SERVER = "the server that starts workers ended: it was killed, or has no room for another process; " + _ROOM


class _Worker:
    """One process, its pipe, and the chunks it was given and has not answered."""

    def __init__(self, job: Job) -> None:
        self.pipe: Connection
        try:
            context = forkserver.warm_up(job.modules)
            self.pipe, theirs = context.Pipe()
            self.process = context.Process(target=serve, args=(theirs, job), daemon=True)
            self.process.start()
        except (EOFError, ConnectionError) as error:
            raise Stopped(_NO_SERVER) from error
        except OSError as error:
            raise Stopped(f"no worker can be started: {error.strerror or error}; {_ROOM}") from error
        theirs.close()
        self.given: deque[Chunk] = deque()

    def give(self, chunk: Chunk) -> None:
        """Send a chunk. A worker that died meanwhile is noticed when it is listened to."""
        self.given.append(chunk)
        try:
            self.pipe.send(chunk)
        except OSError:
            return

    def answer(self) -> Any:
        """Receive what it says of the chunk it was given first; None when it died."""
        try:
            return self.pipe.recv()
        except (EOFError, OSError):
            return None

    def end(self, *, kill: bool) -> None:
        """End it; an idle worker goes when its pipe closes."""
        self.pipe.close()
        if not kill:
            self.process.join(_JOIN_SECONDS)
        if self.process.is_alive():
            self.process.kill()
        self.process.join()


class LocalEngine:
    """Processes of this machine; see noisecli.engines.Engine."""

    def __init__(self, job: Job, running: Running, jobs: int) -> None:
        self._job, self._timeout = job, running.timeout
        self._name = "" if job.place is None else job.place.name
        self._workers: list[_Worker] = []
        self._wanted = min(jobs, forkserver.most_workers())

    @staticmethod
    def default_jobs() -> int:
        """Return the CPUs allowed; see noisecli.engines.Engine."""
        return available_cpus()

    @staticmethod
    def warm_up(modules: tuple[str, ...]) -> None:
        """Start the server that workers are forked from; see noisecli.engines.Engine."""
        forkserver.warm_up(modules)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        # all of them first: they end at the same time, not one after the other
        for worker in self._workers:
            if kind is not None:
                worker.process.kill()
            worker.pipe.close()
        for worker in self._workers:
            worker.end(kill=kind is not None)

    def run(self, chunks: Iterable[Chunk], *, alone: bool = False) -> Iterator[tuple[Chunk, Any | Lost]]:
        """Yield each chunk with what became of it, as they come; see noisecli.engines.Engine."""
        workers, queued = (1, 1) if alone else (self._wanted, QUEUED)
        source = iter(chunks)
        again: deque[Chunk] = deque()
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
                    yield chunk, Lost(answer.reason, answer.message, f"{self._name}{worker.process.pid}", answer.trace)
                else:
                    yield chunk, answer

    def _hand_out(self, again: deque[Chunk], source: Iterator[Chunk], workers: int, queued: int) -> None:
        """Fill up every worker, one chunk each in turn, starting processes as there is work for them."""
        for filled in range(1, queued + 1):
            for place in range(workers):
                if place < len(self._workers) and len(self._workers[place].given) >= filled:
                    continue
                chunk = again.popleft() if again else next(source, None)
                if chunk is None:
                    return
                if place >= len(self._workers):
                    self._workers.append(_Worker(self._job))
                self._workers[min(place, len(self._workers) - 1)].give(chunk)

    def _bury(self, worker: _Worker) -> Lost:
        self._workers.remove(worker)
        worker.process.join()
        worker.pipe.close()
        exitcode, name = worker.process.exitcode, f"{self._name}{worker.process.pid}"
        if exitcode == -signal.SIGALRM:
            limit = f"took longer than --timeout {self._timeout:g} s and one second per MB"
            return Lost("timeout", f"{limit}; it hangs its decoder, or needs a higher limit", name)
        message = f"ended its worker ({_ending(exitcode)}); it is broken, or needs more memory than there is"
        return Lost("worker-died", message, name)


def _ending(exitcode: int) -> str:
    try:
        return signal.Signals(-exitcode).name
    except ValueError:
        return f"exit status {exitcode}"
