"""A worker process from its first line to its last. The arrays behind it load here, not in the parent process."""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import signal
import threading
import traceback
from dataclasses import dataclass
from importlib import import_module
from multiprocessing.connection import Connection, wait
from typing import Any, NamedTuple, NoReturn

from noisecli.errors import NoisecliError
from noisecli.model import Outcome


class Done(NamedTuple):
    """What a worker returns for one chunk."""

    outcomes: list[Outcome]
    versions: dict[str, str]


class WorkerBug(Exception):
    """An error of ours in a worker, with its traceback as text."""


@dataclass(frozen=True)
class Raised:
    """What ended a chunk, and ends the run."""

    error: NoisecliError | None
    trace: str

    def throw(self) -> NoReturn:
        """Raise it in the parent process."""
        raise self.error or WorkerBug(self.trace)


def serve(pipe: Connection, module: str, arguments: tuple[Any, ...]) -> None:
    """Do chunks until the pipe closes, with the module's start(*arguments) and work(chunk)."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    gc.freeze()
    gc.enable()
    threading.Thread(target=_follow_parent, daemon=True).start()
    try:
        worker = import_module(module)
        worker.start(*arguments)
        while True:
            chunk = pipe.recv()
            pipe.send(worker.work(chunk))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
    except NoisecliError as error:
        _tell(pipe, Raised(error, ""))
    except BaseException:
        _tell(pipe, Raised(None, traceback.format_exc()))


def _tell(pipe: Connection, raised: Raised) -> None:
    """Tell the parent process, unless it has gone on without us: then nobody wants a traceback either."""
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        pipe.send(raised)


def worker_prefix(run_prefix: str, pid: int) -> str:
    """Return how the names of one worker's temporary files begin."""
    return f"{run_prefix}{pid}-"


def _follow_parent() -> None:
    """End with the parent process, however it ends: nobody would write the row of what is made after it."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGKILL)
