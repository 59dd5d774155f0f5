"""Runs noisecli as its console script does, and writes what its parent process cost to the file named first.

Of this process alone: workers and the server they are forked from are other processes.
"""

import atexit
import json
import re
import resource
import sys
from pathlib import Path

from noisecli.cli import main

REPORT = Path(sys.argv.pop(1))


def report() -> None:
    """Write seconds of CPU and the peak of resident memory (VmHWM: of this program alone, unlike ru_maxrss)."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    kilobytes = int(peak[1]) if peak else 0
    REPORT.write_text(json.dumps({"cpu": used.ru_utime + used.ru_stime, "peak": kilobytes * 1024}))


atexit.register(report)
sys.argv[0] = "noisecli"
main()
