"""Loaded last in the server that workers are forked from: what each would do before its first file is done once."""

import multiprocessing.popen_forkserver  # noqa: F401
import resource  # noqa: F401

from noisecli.noise.models import gaussian, per_column  # noqa: F401
from noisecli.noise.quantile import make_tables
from noisecli.workers.worker import keep_opencv_to_one_thread

make_tables()
keep_opencv_to_one_thread()
