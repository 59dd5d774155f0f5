"""A worker process from its first line to its last. The arrays behind it load here, not in the parent process."""

import contextlib
import gc
import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from multiprocessing.connection import Connection, wait
from typing import Any, NoReturn

from noisecli.engines import Job, Place
from noisecli.errors import FailedReason, NoisecliError, Refused, Stopped, message_of_bug, trace_of

_NOBODY_LISTENS = (EOFError, BrokenPipeError, ConnectionResetError)


_places: list[Place] = []
"""Where this process is, if its run's own process did not start it."""


class WorkerBug(Exception):
    """An error of ours in a worker, with its traceback as text."""


@dataclass(frozen=True)
class Raised:
    """What ended a chunk, and ends the run. Text alone: not every exception can be sent.

    Attributes
    ----------
    status
        The exit status of one of our errors; None where it is a bug of ours, with its traceback.
    """

    status: int | None
    text: str

    def throw(self) -> NoReturn:
        """Raise it in the parent process."""
        if self.status is None:
            raise WorkerBug(self.text)
        raise (Refused if self.status == Refused.exit_status else Stopped)(self.text)


@dataclass(frozen=True)
class Unsent:
    """An answer to a chunk that could not be sent: some item of it, done alone, is to blame."""

    reason: FailedReason
    message: str
    trace: str


def serve(pipe: Connection, job: Job) -> None:
    """Do chunks of a job until the pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    _leave_standard_output()
    if job.place is not None:
        _places.append(job.place)
    gc.freeze()
    gc.enable()
    threading.Thread(target=_follow_parent, daemon=True).start()
    try:
        module, _, name = job.factory.partition(":")
        work = getattr(import_module(module), name)(*job.arguments).work
        while True:
            _answer(pipe, work(pipe.recv()))
    except _NOBODY_LISTENS:
        return
    except NoisecliError as error:
        _say(pipe, Raised(error.exit_status, str(error)))
    except BaseException as error:
        _say(pipe, Raised(None, trace_of(error)))


def _leave_standard_output() -> None:
    """Send to nowhere what decoders print there (libsndfile, of broken ALAC): an output or the summary may go to it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def _answer(pipe: Connection, answer: Any) -> None:
    try:
        data = pickle.dumps(answer, pickle.HIGHEST_PROTOCOL)
    except MemoryError:
        data = pickle.dumps(Unsent("out-of-memory", "needs more memory than there is to report what became of it", ""))
    except Exception as error:
        data = pickle.dumps(Unsent("internal-error", message_of_bug(error), trace_of(error)))
    pipe.send_bytes(data)


def _say(pipe: Connection, last_words: Raised) -> None:
    with contextlib.suppress(*_NOBODY_LISTENS):
        pipe.send(last_words)


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """End this process after so many seconds.

    The default action of SIGALRM does it even where C code spins; the engine knows it by the exit code.
    """
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def worker_name() -> str:
    """Return this process's name as a worker, by which its engine names it when it is lost."""
    here = place()
    return f"{here.name if here else ''}{os.getpid()}"


def place() -> Place | None:
    """Return where this worker is; None where its run's own process started it."""
    return _places[-1] if _places else None


def _follow_parent() -> None:
    """End with the parent process, however it ends: nobody would write the row of what is made after it."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGKILL)
