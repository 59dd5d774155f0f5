"""A worker's share of memory: what asks for more fails as one file, before the system kills something at random."""

from __future__ import annotations

import contextlib
import ctypes
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
        with contextlib.suppress(OSError, ValueError), open(path, encoding="ascii") as file:
            total = min(total, int(file.read()))
    return max(total // jobs, SMALLEST_SHARE)


def keep_freed_memory() -> None:
    """Let glibc reuse what one picture frees for the next, not give it back and fault it in again page by page.

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
