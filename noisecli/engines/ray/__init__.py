"""Workers on all machines of a Ray cluster, or of a Ray started for the run: chunks are Ray Core tasks.

A Ray worker does no work of noisecli itself: it has a LocalEngine of one process. So a file that ends its worker, hangs
or takes too much memory is seen by exit code as it is without Ray, Ray's own process keeps its memory limits, and what
Ray loses was lost with its machine, or to Ray's memory monitor. Ray retries nothing (max_retries=0: its retries after
the monitor's kills have no end); noisecli.engines.run_all does.
"""

import os
import pickle
import secrets
from collections.abc import Iterable, Iterator
from queue import SimpleQueue
from typing import Any, Self

from noisecli.engines import Job, Lost
from noisecli.engines.process import Raised, WorkerBug
from noisecli.engines.ray import seen
from noisecli.engines.ray.cluster import connect, load_ray, on_node
from noisecli.engines.ray.worker import Desk
from noisecli.errors import Refused, Stopped, one_line
from noisecli.settings import Running

Chunk = list[Any]

_QUEUED = 2
"""Chunks for each worker: one being done, one that Ray has ready for it."""
_OUT_OF_MEMORY = "was ended with its worker by Ray, whose machine ran out of memory; use a lower -j, or more memory"
_LOST = "lost its Ray worker or its whole machine each time it was tried; see ray status, then run again"
_LONGEST = 300


class RayEngine:
    """Processes of all machines of a Ray cluster; see noisecli.engines.Engine."""

    def __init__(self, job: Job, running: Running, jobs: int) -> None:
        load_ray()
        self._job, self._running, self._jobs = job, running, jobs
        self._submit: Any = None
        self._has_lost = False

    @staticmethod
    def default_jobs() -> int:
        """Return the CPUs of the cluster; see noisecli.engines.Engine."""
        return max(1, int(connect().cluster_resources().get("CPU", 0)))

    @staticmethod
    def warm_up(modules: tuple[str, ...]) -> None:
        """Connect to the cluster, or start one of this machine alone."""
        connect()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._has_lost or (kind is not None and self._submit is not None):
            # with its driver, Ray ends all that works for it: what was lost is then gone for certain
            load_ray().shutdown()

    def run(self, chunks: Iterable[Chunk], *, alone: bool = False) -> Iterator[tuple[Chunk, Any | Lost]]:
        """Yield each chunk with what became of it, as they come; see noisecli.engines.Engine."""
        source, flying = iter(chunks), dict[int, Chunk]()
        # not ray.wait(): what a signal's handler raises would be lost there
        done: SimpleQueue[tuple[int, Any]] = SimpleQueue()
        number, most = 0, 1
        while True:
            while len(flying) < most and (chunk := next(source, None)) is not None:
                if self._submit is None:
                    self._start()
                most = 1 if alone else self._most
                flying[number] = chunk
                future = self._submit(pickle.dumps(chunk, pickle.HIGHEST_PROTOCOL))
                future.add_done_callback(lambda future, number=number: done.put((number, future)))
                number += 1
            if not flying:
                return
            ended, future = done.get()
            answer = _answer_of(future)
            self._has_lost |= isinstance(answer, Lost) and not answer.worker
            yield flying.pop(ended), answer

    def _start(self) -> None:
        """Connect, have every machine look whether it is fit, and prepare what tasks are told. Raises Refused."""
        ray = connect()
        alive = [node for node in ray.nodes() if node["Alive"]]
        cpus = {node["NodeID"]: int(node["Resources"].get("CPU", 0)) for node in alive}
        if not sum(cpus.values()):
            raise Refused("--engine ray: the cluster has no CPUs; see ray status")
        self._most = self._jobs if self._jobs < sum(cpus.values()) else self._jobs * _QUEUED
        own = ray.get_runtime_context().get_node_id()
        job, folder = self._job, os.getcwd()
        samples = seen.samples(job.reads)
        same = {"versions": seen.versions(), "folder": folder, "samples": samples}
        work, look = _remote_functions()
        with seen.probes(job.writes) as probes:
            _look(ray, look, alive, own, {**same, "samples": samples + probes})
        desk = None
        if job.desk is not None:
            desk = on_node(ray.remote(Desk), own, max_restarts=0).remote(folder, *job.desk)
        # put once, for it may hold the names of a million files
        kept = [ray.put(pickle.dumps((job, self._running, own, cpus, self._jobs)))]
        submitted, token = ray.remote(num_cpus=1, max_retries=0)(work), secrets.token_hex(8)
        self._submit = lambda chunk: submitted.remote(same, token, kept, [desk], chunk).future()


def _look(ray: Any, look: Any, nodes: list[dict[str, Any]], own: str, same: dict[str, Any]) -> None:
    """Have every machine compare itself with this one, which is the first. Raises Refused, naming machine and thing."""
    remote = ray.remote(max_retries=0)(look)
    nodes = sorted(nodes, key=lambda node: node["NodeID"] != own)
    futures = [(node, on_node(remote, node["NodeID"]).remote(same).future()) for node in nodes]
    for node, future in futures:
        try:
            problem = future.result()
        except ray.exceptions.RayTaskError as error:
            raise WorkerBug(str(error)) from error
        except ray.exceptions.RayError:
            # it is gone, or has no memory just now: a worker looks again before its first chunk
            continue
        if problem is not None:
            raise Refused(f"--engine ray: machine {node['NodeManagerAddress']} {problem}")


def _remote_functions() -> tuple[Any, Any]:
    """Return what tasks run. Ray sends the code of nested functions: noisecli may be missing there, or another one."""

    def look(same: dict[str, Any]) -> str | None:
        try:
            from noisecli.engines.ray import seen
        except ImportError as error:
            wanted = same["versions"]["noisecli"]
            return f"has no noisecli that Ray's Python finds ({error}): install version {wanted} there"
        return seen.difference(**same)

    def work(same: dict[str, Any], token: str, kept: Any, desk: Any, chunk: bytes) -> bytes:
        # a machine may have joined after the others were looked at
        if "noisecli.engines.ray.worker" not in sys.modules and (problem := look(same)) is not None:
            return pickle.dumps((True, problem))
        from noisecli.engines.ray.worker import work_here

        return pickle.dumps((False, work_here(same["folder"], token, kept[0], desk[0], pickle.loads(chunk))))

    import pickle
    import sys

    return work, look


def _answer_of(future: Any) -> Any | Lost:
    """Return a worker's answer, or what became of it; raise what ends the run."""
    errors = load_ray().exceptions
    try:
        is_unfit, answer = pickle.loads(future.result())
    except errors.OutOfMemoryError:
        return Lost("out-of-memory", _OUT_OF_MEMORY, "")
    except (errors.WorkerCrashedError, errors.NodeDiedError, errors.LocalRayletDiedError):
        return Lost("worker-died", _LOST, "", is_blameless=True)
    except errors.RayTaskError as error:
        raise WorkerBug(str(error)) from error
    except errors.RayError as error:
        raise Stopped(f"Ray ended the run: {one_line(str(error), _LONGEST)}; run again to go on") from error
    if is_unfit:
        raise Stopped(f"--engine ray: a machine that joined the cluster {answer}; run again to go on")
    if isinstance(answer, Raised):
        answer.throw()
    return answer
