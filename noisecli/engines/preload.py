"""Loaded first in the workers' server, before all else that workers use.

Modules are no garbage, and looking for some among them takes 10 ms: each worker collects again, but not what was loaded
here; see noisecli.engines.process. Libraries' warnings are not shown unless they are asked for, and what the system
refuses the server is reported in a line by the process that it works for.
"""

import gc
import sys
import warnings
from types import TracebackType

gc.disable()

if not sys.warnoptions:
    warnings.simplefilter("ignore")


def _say_nothing(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """No room for another process, or for the libraries: the process that asked for a worker says so in one line."""
    if not issubclass(kind, (OSError, EOFError, MemoryError)):
        sys.__excepthook__(kind, error, trace)


sys.excepthook = _say_nothing
