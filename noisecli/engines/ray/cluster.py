"""The cluster: connecting to it, or starting one of this machine alone; the one page that imports Ray."""

import logging
import os
import signal
import socket
from typing import Any

from noisecli.errors import Refused, one_line

_NOT_INSTALLED = "--engine ray needs Ray, which is not installed: pip install ray"
_CLIENT = "is a Ray Client's address, which has no CPUs of this machine's; start it by ray job submit -- noisecli ..."
_LONGEST = 300


def load_ray() -> Any:
    """Return Ray. Refused where it is not installed."""
    try:
        import ray
    except ImportError:
        raise Refused(_NOT_INSTALLED) from None
    return ray


def connect() -> Any:
    """Return Ray, connected to the cluster of RAY_ADDRESS, to one on this machine, or to one started now.

    Raises Refused.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    ray = load_ray()
    if ray.is_initialized():
        return ray
    address = os.environ.get("RAY_ADDRESS", "")
    _refuse_address(address)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        ray.init(include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    except Exception as error:
        where = f"the Ray cluster at {address} cannot be reached" if address else "Ray cannot be started"
        raise Refused(f"--engine ray: {where}: {one_line(str(error), _LONGEST)}") from error
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    _keep_quiet()
    return ray


def _refuse_address(address: str) -> None:
    """Refuse an address where nobody answers: Ray would try it for minutes, and say so in lines of its own."""
    if address.startswith("ray://"):
        raise Refused(f"RAY_ADDRESS {address}: {_CLIENT}")
    host, _, port = address.rpartition(":")
    if port.isdecimal():
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()
        except OSError as error:
            said = one_line(str(error.strerror or error), _LONGEST)
            raise Refused(f"--engine ray: the Ray cluster at {address} cannot be reached: {said}") from None


def _keep_quiet() -> None:
    """Ray prints of every lost worker on standard output, where the summary goes: the run says what became of it."""
    from ray._private import worker

    if hasattr(worker, "print_to_stdstream"):
        worker.print_to_stdstream = lambda *arguments, **options: None


def on_node(remote: Any, node: str, **options: Any) -> Any:
    """Return what runs a remote function or class on one machine, whatever its CPUs do."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    return remote.options(num_cpus=0, scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False), **options)
