"""How many processors this process may use."""

from __future__ import annotations

import math
import os


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
