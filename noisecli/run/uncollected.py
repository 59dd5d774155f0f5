"""Loaded first in the workers' server: modules are no garbage, and looking for some among them takes 10 ms.

Each worker collects again, but not what was loaded here; see noisecli.run.worker_entry.
"""

import gc
import sys
from types import TracebackType

gc.disable()


def _say_nothing(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """No room for another process, or for the libraries: the process that asked for a worker says so in one line."""
    if not issubclass(kind, (OSError, MemoryError)):
        sys.__excepthook__(kind, error, trace)


sys.excepthook = _say_nothing
