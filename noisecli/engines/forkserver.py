"""The server that workers are forked from. It loads numpy and the codecs once for all of them, beside this process."""

import atexit
import contextlib
import multiprocessing
import os
import resource
import signal
import socket
import sys
from importlib.machinery import ModuleSpec
from multiprocessing import forkserver, process, resource_tracker
from typing import Any

from noisecli.errors import NoisecliError, Refused
from noisecli.storage.scratch import NAME_LENGTH, ScratchFolder, temporary_folders

_LONGEST_FOLDER = 100 - NAME_LENGTH - len("/listener-12345678/")
"""A socket's path ends at 104 bytes on some systems, at 108 on Linux."""
_OWN_FILES, _FILES_A_WORKER, _MANY_FILES = 32, 4, 65_536
"""Descriptors of a process with workers, and for each of them; the latter is a limit that serves any run."""
_NO_WORK = {"-h", "--help", "--dry-run", "ray", "--engine=ray"}
"""Words of command lines that need no server here."""


def start_early(words: list[str], modules: tuple[str, ...]) -> None:
    """Start the server for a command line that very likely needs it, before the modules that will read it are loaded.

    A wrong guess costs another core some 80 ms: the server goes with this process.

    Parameters
    ----------
    words
        SRC, DST and options.
    modules
        What the workers need.
    """
    if len(words) < 3 or not _NO_WORK.isdisjoint(words):
        return
    source, destination, *_ = words
    if os.path.isdir(source) and not os.path.exists(os.path.join(destination, "manifest.jsonl")):
        # what goes wrong here goes wrong again when workers are started, and is reported then
        with contextlib.suppress(OSError, NoisecliError):
            warm_up(modules)


def warm_up(modules: tuple[str, ...]) -> Any:
    """Start the server unless it is there, and return what starts workers; does not wait for it.

    Workers are not forked from this process: OpenCV's threads and fork do not mix.
    """
    for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(threads, "1")
    # a worker would import the main module again, and it is the whole command line
    main: Any = sys.modules["__main__"]
    if getattr(main, "__spec__", None) is None:
        main.__spec__ = ModuleSpec("noisecli.__main__", None)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["noisecli.engines.preload", *modules])
    _make_room_for_socket()
    resource_tracker.ensure_running()  # of its own accord it would unblock the signal again
    # blocked there from its first line on: ^C is for this process, which sees the workers out
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return context


def most_workers() -> int:
    """Return how many workers the limit of open files allows, raised as far as it may be. Refused where it allows none.

    Fewer workers make the same bytes.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and soft < min(hard, _MANY_FILES):
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, _MANY_FILES), hard))
            soft = min(hard, _MANY_FILES)
    if soft == resource.RLIM_INFINITY:
        return sys.maxsize
    if soft < _OWN_FILES + _FILES_A_WORKER:
        needed = _OWN_FILES + _FILES_A_WORKER
        raise Refused(f"only {soft} files may be open here, and a run needs {needed}; raise it: ulimit -n {needed}")
    return (soft - _OWN_FILES) // _FILES_A_WORKER


def _make_room_for_socket() -> None:
    """Give the server's socket a folder of ours, whose path is short enough for one: TMPDIR's may not be.

    An abstract socket would need none, but anybody on the machine could have workers run code of theirs through it.
    """
    config: dict[str, Any] = process.current_process()._config  # type: ignore[attr-defined]
    if os.path.isdir(config.get("tempdir") or ""):
        return
    folders = [*temporary_folders(), os.environ.get("XDG_RUNTIME_DIR", ""), "/dev/shm"]
    for folder in folders:
        if folder and len(os.fsencode(folder)) <= _LONGEST_FOLDER:
            with contextlib.suppress(Refused):
                scratch = ScratchFolder([folder])
                if _holds_sockets(scratch.path):
                    atexit.register(scratch.remove)
                    config["tempdir"] = scratch.path
                    return
                scratch.remove()
    raise Refused(
        "no folder for temporary files can be written and hold a socket; set TMPDIR to one that can, of "
        f"{_LONGEST_FOLDER} bytes at most"
    )


def _holds_sockets(folder: str) -> bool:
    path = os.path.join(folder, "probe")
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
        probe.bind(path)
        os.unlink(path)
        return True
    return False
