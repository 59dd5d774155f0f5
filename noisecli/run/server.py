"""The server that workers are forked from. It loads numpy and the codecs once for all of them, beside this process."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from importlib.machinery import ModuleSpec
from multiprocessing import forkserver, resource_tracker
from typing import Any

from noisecli.kinds import CODECS, MAKERS

_BATCH = ("images", "audio", "arrays", "weights")
_NO_WORK = {"-h", "--help", "--dry-run"}


def start_early(words: list[str]) -> None:
    """Start the server for a command line that very likely needs it, before the modules that will read it are loaded.

    A wrong guess costs another core some 80 ms: the server goes with this process.
    """
    if len(words) < 4 or words[0] not in _BATCH or not _NO_WORK.isdisjoint(words):
        return
    _, source, destination, *_ = words
    if os.path.isdir(source) and not os.path.exists(os.path.join(destination, "manifest.jsonl")):
        warm_up(words[0])


def warm_up(kind: str) -> Any:
    """Start the server unless it is there, and return what starts workers; does not wait for it.

    Workers are not forked from this process: OpenCV's threads and fork do not mix.
    """
    for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(threads, "1")
    # a worker would import the main module anew, and it is the whole command line
    main: Any = sys.modules["__main__"]
    if getattr(main, "__spec__", None) is None:
        main.__spec__ = ModuleSpec("noisecli.__main__", None)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["noisecli.run.uncollected", "noisecli.run.worker", CODECS[kind], MAKERS[kind][0]])
    resource_tracker.ensure_running()  # of its own accord it would unblock the signal again
    # blocked there from its first line on: ^C is for this process, which sees the workers out
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return context
