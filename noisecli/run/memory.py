"""A worker's share of memory: what asks for more fails as one file, before the system kills something at random."""

from __future__ import annotations

import contextlib
import os
import sys

SMALLEST_SHARE = 1 << 30
_CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def memory_share(jobs: int) -> int:
    """Return the bytes one of so many workers may use: an equal share of the machine or container, 1 GiB at least."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for path in _CGROUP_LIMITS:
        with contextlib.suppress(OSError, ValueError), open(path, encoding="ascii") as file:
            total = min(total, int(file.read()))
    return max(total // jobs, SMALLEST_SHARE)


def limit_memory(share: int) -> None:
    """Hold this process's own data to `share` bytes; only Linux counts mapped memory in."""
    if not sys.platform.startswith("linux"):
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = share if hard == resource.RLIM_INFINITY else min(share, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
