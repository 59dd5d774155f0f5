"""Loaded first in the workers' server: modules are no garbage, and looking for some among them takes 10 ms.

Each worker collects again, but not what was loaded here; see noisecli.run.worker_entry.
"""

import gc

gc.disable()
