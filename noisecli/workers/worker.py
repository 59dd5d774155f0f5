"""One source -> its outputs. It runs in worker processes; how outputs are made is the kind's own affair."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import signal
import sys
from collections.abc import Iterator
from importlib import import_module

import numpy as np

from noisecli import codecs
from noisecli.engines.process import Done, worker_prefix
from noisecli.engines.resources import keep_freed_memory, limit_memory, memory_share
from noisecli.errors import Refused
from noisecli.kinds import MAKERS
from noisecli.manifest.entries import placing
from noisecli.manifest.lock import hold_as_worker
from noisecli.model import Outcome, Task
from noisecli.settings import Settings
from noisecli.workers import Maker, WorkerContext, open_file
from noisecli.workers.problems import problem_of

_NO_OPENCV = (
    "OpenCV cannot be loaded here. Install what it needs: apt-get install libgl1 libglib2.0-0; "
    "or take the wheel without windows: pip uninstall -y opencv-python && pip install opencv-python-headless"
)
_WAYS_OUT = {
    "images": _NO_OPENCV,
    "adversarial": _NO_OPENCV,
    "audio": "libsndfile cannot be loaded here. Install it: apt-get install libsndfile1; "
    "or take a wheel that holds it: pip install --force-reinstall soundfile",
}


class _State:
    """Set once in each worker process."""

    settings: Settings
    prefix: str
    journal: int | None


_state = _State()


def start(settings: Settings, journal: tuple[str, tuple[int, int]] | None, run_prefix: str) -> None:
    """Make this process a worker: known to later runs by its lock, its temporary files by their prefix."""
    _state.journal = None if journal is None else hold_as_worker(*journal)
    # what overflows is told in its file's row, not by numpy in between
    np.seterr(all="ignore")
    keep_freed_memory()
    limit_memory(memory_share(settings.running.jobs))
    _state.settings, _state.prefix = settings, worker_prefix(run_prefix, os.getpid())


def load_codec(kind: str) -> codecs.Codec | codecs.ArraysCodec:
    """Load the codec of a kind. Raises Refused, naming what is to be installed."""
    try:
        codec = codecs.load(kind)
    except (ImportError, OSError) as error:
        raise Refused(f"{_WAYS_OUT.get(kind, 'a library cannot be loaded here')} ({error})") from None
    if "cv2" in sys.modules:
        sys.modules["cv2"].setNumThreads(1)
    return codec


def maker_of(settings: Settings, prefix: str, codec: codecs.Codec | codecs.ArraysCodec) -> Maker:
    """Return what makes the outputs of a request."""
    module, name = MAKERS[settings.kind]
    maker: Maker = getattr(import_module(module), name)(WorkerContext(settings, prefix, codec, _announce))
    return maker


def _announce(name: str, digest: str) -> None:
    """Note in the journal what is about to take its place, so that it is known as ours whatever happens next."""
    line = placing(name, digest)
    if _state.journal is not None and os.write(_state.journal, line) != len(line):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def work(tasks: list[Task]) -> Done:
    """Do a chunk of tasks, sources in a row together. Raises what no source can be blamed for."""
    codec = load_codec(_state.settings.kind)
    maker = maker_of(_state.settings, _state.prefix, codec)
    outcomes: list[Outcome] = []
    for _, group in itertools.groupby(tasks, key=lambda task: task.origin):
        outcomes.extend(_do_source(maker, list(group)))
    return Done(outcomes, {"numpy": np.__version__, **codec.versions()})


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


def _do_source(maker: Maker, tasks: list[Task]) -> Iterator[Outcome]:
    """Yield an outcome for each task, or what was made before the problem, and the problem once."""
    running = _state.settings.running
    seconds = running.timeout * len(tasks)
    try:
        with (
            time_limit(seconds + tasks[0].size / 1e6),
            open_file(_state.settings.source, tasks[0].source, running.limits.max_bytes) as file,
            maker.open(file) as opened,
        ):
            if opened.size > tasks[0].size:
                signal.setitimer(signal.ITIMER_REAL, seconds + opened.size / 1e6)
            for task in tasks:
                yield maker.make(task, opened)
    except Exception as error:
        yield problem_of(tasks[0].origin, error)
