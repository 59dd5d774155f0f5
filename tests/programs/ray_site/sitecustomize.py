"""For the processes of a test's Ray: servers that workers are forked from have a codec that misbehaves.

It is faulty_noisecli's, which the workers of a run without Ray load as their main module.
"""

import os
import runpy
import sys

if "FAULT_STATE" in os.environ and any("multiprocessing.forkserver" in word for word in sys.orig_argv):
    program = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "faulty_noisecli.py")
    runpy.run_path(program, run_name="__mp_main__")
