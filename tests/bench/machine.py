"""What the numbers were measured on, and with."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

from race import HERE

PACKAGES = [
    "noisecli",
    "numpy",
    "opencv-python",
    "opencv-python-headless",
    "soundfile",
    "click",
    "albumentations",
    "audiomentations",
]
PROGRAMS = {"ImageMagick": ["mogrify", "-version"], "SoX": ["sox", "--version"]}
HOW_TO_GET = {"ImageMagick": "apt-get install imagemagick", "SoX": "apt-get install sox"}


def versions() -> dict[str, str | None]:
    """Return a version for each, None for what is missing."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = None
    for name, command in PROGRAMS.items():
        found[name] = _first_line(command) if shutil.which(command[0]) else None
    return found


def describe() -> dict[str, object]:
    """Return CPU, how many of it this process may use, memory, system, and which noisecli."""
    return {
        "cpu": _in_file("/proc/cpuinfo", r"model name\s*: (.*)") or platform.processor(),
        "cpus": len(os.sched_getaffinity(0)),
        "memory": _in_file("/proc/meminfo", r"MemTotal:\s*(.*)"),
        "system": platform.system() + " " + platform.release(),
        "load before": os.getloadavg()[0],
        "revision": _revision(),
    }


def missing(found: dict[str, str | None]) -> list[str]:
    """Return a line for each peer that is not there."""
    lines = [f"{name}: no such program here ({HOW_TO_GET[name]}); left out" for name in PROGRAMS if not found[name]]
    peers = ("albumentations", "audiomentations")
    return lines + [f"{name}: could not be installed; left out" for name in peers if not found[name]]


def _in_file(path: str, pattern: str) -> str | None:
    match = re.search(pattern, Path(path).read_text()) if os.path.exists(path) else None
    return match[1].strip() if match else None


def _revision() -> str | None:
    if not shutil.which("git"):
        return None
    revision = _first_line(["git", "-C", str(HERE), "rev-parse", "HEAD"])
    changed = _first_line(["git", "-C", str(HERE), "status", "--porcelain", ":/noisecli"])
    return f"{revision} and changes" if revision and changed else revision


def _first_line(command: list[str]) -> str | None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    return lines[0].strip() if lines else None
