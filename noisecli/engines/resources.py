"""What this machine, or its container, allows: processors, and memory.

What asks for more than a worker's share of memory fails as one file, before the system kills something at random.
"""

import contextlib
import ctypes
import math
import os
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""glibc's numbers for mallopt(3)."""
SMALLEST_SHARE = 1 << 30
_CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def memory_share(jobs: int) -> int:
    """Return the bytes one of so many workers may use: an equal share of the machine or container, 1 GiB at least."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for path in _CGROUP_LIMITS:
        with contextlib.suppress(OSError, ValueError), open(path, "rb") as file:
            total = min(total, int(file.read()))
    return max(total // jobs, SMALLEST_SHARE)


def keep_freed_memory() -> None:
    """Let glibc reuse what one image frees for the next, not give it back and fault it in again page by page.

    Blocks above 32 MB still come and go; at most 64 MB stay unused.
    """
    if not hasattr(ctypes.CDLL(None), "mallopt"):
        return
    for option, size in ((_TRIM_THRESHOLD, 64 << 20), (_MMAP_THRESHOLD, 32 << 20)):
        ctypes.CDLL(None).mallopt(option, size)


def limit_memory(share: int) -> None:
    """Hold this process's own data to `share` bytes; only Linux counts mapped memory in."""
    if not sys.platform.startswith("linux"):
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = share if hard == resource.RLIM_INFINITY else min(share, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


def available_cpus() -> int:
    """Return the processors allowed, by affinity and by the container's quota, at least 1."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _cgroup_quota()
    return max(1, min(affinity, math.ceil(quota) if quota else affinity))


def _cgroup_quota() -> float | None:
    """CPUs that the control group allows, version 2 or 1; None without a limit."""
    for read in (_version_2, _version_1):
        try:
            return read()
        except (OSError, ValueError):
            continue
    return None


def _version_2() -> float | None:
    with open("/sys/fs/cgroup/cpu.max", encoding="ascii") as file:
        quota, period = file.read().split()
    return None if quota == "max" else int(quota) / int(period)


def _version_1() -> float | None:
    folder = "/sys/fs/cgroup/cpu"
    with open(f"{folder}/cpu.cfs_quota_us", encoding="ascii") as file:
        quota = int(file.read())
    with open(f"{folder}/cpu.cfs_period_us", encoding="ascii") as file:
        return quota / int(file.read()) if quota > 0 else None
