"""In a Ray worker: the one process that works for a run, and what notes for it on the run's own machine."""

import contextlib
import multiprocessing
import os
import pickle
import secrets
import threading
from importlib import import_module
from multiprocessing.connection import Connection
from typing import Any

from noisecli.engines import Lost, Place
from noisecli.engines.local import LocalEngine
from noisecli.engines.process import Raised, WorkerBug
from noisecli.engines.ray.cluster import load_ray
from noisecli.engines.resources import available_cpus
from noisecli.errors import NoisecliError

Chunk = list[Any]


class Desk:
    """On the run's own machine: what appends to its journal for workers that do not have it."""

    def __init__(self, folder: str, factory: str, arguments: tuple[Any, ...]) -> None:
        os.chdir(folder)
        module, _, name = factory.partition(":")
        self._append = getattr(import_module(module), name)(*arguments)

    def append(self, line: bytes) -> int:
        """Append a line; return 0, or the system's error number."""
        try:
            self._append(line)
        except OSError as error:
            return error.errno or -1
        return 0


class _Relay:
    """In a worker process: has a line appended elsewhere, and waits until it is."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def __call__(self, line: bytes) -> None:
        self._pipe.send_bytes(line)
        if number := int(self._pipe.recv_bytes()):
            raise OSError(number, os.strerror(number))


class _Here:
    """In a Ray worker: the one process that works for a run."""

    def __init__(self, token: str, kept: Any, desk: Any) -> None:
        ray = load_ray()
        job, running, own, cpus, jobs = pickle.loads(ray.get(kept))
        node = ray.get_runtime_context().get_node_id()
        self.token, self._theirs, relay = token, None, None
        if node != own and desk is not None:
            ours, self._theirs = multiprocessing.Pipe()
            threading.Thread(target=_pass_on, args=(ours, desk), daemon=True).start()
            relay = _Relay(self._theirs)
        place = Place(secrets.token_hex(4), min(jobs, cpus.get(node) or available_cpus()), node != own, relay)
        self.engine = LocalEngine(job._replace(place=place), running, 1)

    def close(self) -> None:
        """End the process."""
        self.engine.__exit__(None)
        if self._theirs is not None:
            self._theirs.close()


_here: list[_Here] = []


def work_here(folder: str, token: str, kept: Any, desk: Any, chunk: Chunk) -> Any:
    """Do a chunk in this Ray worker's process for the run, which is started unless it is there."""
    try:
        if _here and _here[0].token != token:
            _here.pop().close()
        if not _here:
            with contextlib.suppress(OSError):
                os.chdir(folder)
            _here.append(_Here(token, kept, desk))
        [(_, answer)] = _here[0].engine.run([chunk])
    except NoisecliError as error:
        return Raised(error.exit_status, str(error))
    except WorkerBug as error:
        return Raised(None, str(error))
    if isinstance(answer, Lost):
        # what it was saying may be cut off, and the next process has a pipe of its own
        _here.pop().close()
    return answer


def _pass_on(pipe: Connection, desk: Any) -> None:
    """Pass lines on to the desk until the worker process is gone."""
    get = load_ray().get
    with contextlib.suppress(EOFError, OSError):
        while True:
            line = pipe.recv_bytes()
            pipe.send_bytes(b"%d" % get(desk.append.remote(line)))
