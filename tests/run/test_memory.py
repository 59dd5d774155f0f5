"""A worker may use its share of memory, and asking for more is an error of one file."""

import subprocess
import sys

import pytest

from noisecli.run import memory


def test_shares_are_equal_and_never_useless():
    assert memory.memory_share(1) >= memory.memory_share(2) >= memory.SMALLEST_SHARE
    assert memory.memory_share(10**9) == memory.SMALLEST_SHARE


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux limits mapped memory")
def test_more_than_the_share_is_a_memory_error():
    code = (
        "import numpy\nfrom noisecli.run.memory import limit_memory\nlimit_memory(1 << 30)\n"
        "numpy.ones(1 << 28, numpy.uint8)\n"
        "try: numpy.zeros(3 << 29, numpy.uint8)\nexcept MemoryError: print('refused')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "refused\n"
