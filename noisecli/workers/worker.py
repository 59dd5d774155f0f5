"""The job of making outputs: one source -> its outputs; how they are made is the kind's own affair."""

import errno
import itertools
import os
import signal
import sys
from collections.abc import Callable, Iterator

import numpy as np

from noisecli import codecs
from noisecli.engines import worker_prefix
from noisecli.engines.process import place, time_limit, worker_name
from noisecli.engines.resources import keep_freed_memory, limit_memory, memory_share
from noisecli.errors import Refused
from noisecli.kinds import KINDS, load
from noisecli.manifest.entries import placing
from noisecli.manifest.lock import hold_as_worker
from noisecli.model import Outcome, Task
from noisecli.settings import Settings
from noisecli.storage import is_url
from noisecli.workers import Done, Maker, WorkerContext, open_file
from noisecli.workers.problems import problem_of
from noisecli.workers.tar.making import TarMaking

AnyCodec = codecs.Codec | codecs.ArraysCodec


class Making:
    """Makes outputs in one worker process; known to later runs by its lock, its temporary files by their prefix.

    Parameters
    ----------
    journal
        Its path, and which file that is; None where the run keeps none.
    run_prefix
        How the names of the run's temporary files begin.
    announce
        What notes an output elsewhere than in a journal; see WorkerContext.
    """

    def __init__(
        self,
        settings: Settings,
        journal: tuple[str, tuple[int, int]] | None,
        run_prefix: str,
        announce: Callable[[str, str], None] | None = None,
    ) -> None:
        self._journal = None if journal is None else _hold(*journal, settings.destination)
        prepare_process(settings.running.jobs)
        self._settings, self._codec = settings, load_codec(settings.kind)
        prefix = worker_prefix(run_prefix, worker_name())
        self._maker = maker_of(settings, prefix, self._codec, announce or self._announce)
        self._tars = TarMaking(settings, prefix, announce or self._announce, self._do_source)

    def work(self, tasks: list[Task]) -> Done:
        """Do a chunk of tasks, sources in a row together. Raises what no source can be blamed for."""
        outcomes: list[Outcome] = []
        if tasks[0].tar is not None:
            return Done(self._tars.work(tasks), self._versions)
        for _, group in itertools.groupby(tasks, key=lambda task: task.origin):
            outcomes.extend(self._do_source(list(group)))
        return Done(outcomes, self._versions)

    @property
    def _versions(self) -> dict[str, str]:
        return {"numpy": np.__version__, **self._codec.versions()}

    def _announce(self, name: str, digest: str) -> None:
        """Note in the journal what is about to take its place, so that it is known as ours whatever happens next."""
        line, here = placing(name, digest), place()
        if here is not None and here.relay is not None:
            here.relay(line)
        elif self._journal is not None and os.write(self._journal, line) != len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _do_source(self, tasks: list[Task]) -> Iterator[Outcome]:
        """Yield an outcome for each task, or what was made before the problem, and the problem once."""
        running = self._settings.running
        seconds = running.timeout * len(tasks)
        try:
            with (
                time_limit(seconds + tasks[0].size / 1e6),
                open_file(self._settings.source, tasks[0].source, running.limits.max_bytes) as file,
                self._maker.open(file) as opened,
            ):
                if opened.size > tasks[0].size:
                    signal.setitimer(signal.ITIMER_REAL, seconds + opened.size / 1e6)
                for task in tasks:
                    yield self._maker.make(task, opened)
        except Exception as error:
            yield problem_of(tasks[0].origin, error)


def _hold(path: str, identity: tuple[int, int], destination: str) -> int | None:
    """Hold the journal as a worker; None where it is on another machine, and a URL's, whose lease is held there."""
    here = place()
    if here is None or not here.is_elsewhere:
        return hold_as_worker(path, identity)
    return hold_as_worker(path, identity, is_elsewhere=True) if not is_url(destination) else None


def prepare_process(jobs: int) -> None:
    """Make this process one of so many workers: its memory is limited to a share."""
    # what overflows is in its file's row, not in a warning of numpy's
    np.seterr(all="ignore")
    keep_freed_memory()
    here = place()
    limit_memory(memory_share(jobs if here is None else here.beside))


def load_codec(kind: str) -> AnyCodec:
    """Load the codec of a kind. Raises Refused, naming what is to be installed."""
    try:
        codec: AnyCodec = load(KINDS[kind].codec)
    except (ImportError, OSError) as error:
        raise Refused(f"{KINDS[kind].install} ({error})") from None
    keep_opencv_to_one_thread()
    return codec


def keep_opencv_to_one_thread() -> None:
    """Let this process, and what is forked from it, work on its own processor; the first call looks for plug-ins."""
    if "cv2" in sys.modules:
        sys.modules["cv2"].setNumThreads(1)


def maker_of(
    settings: Settings,
    prefix: str,
    codec: AnyCodec,
    announce: Callable[[str, str], None] = lambda name, digest: None,
) -> Maker:
    """Return what makes the outputs of a request."""
    maker: Maker = load(KINDS[settings.kind].maker)(WorkerContext(settings, prefix, codec, announce))
    return maker
