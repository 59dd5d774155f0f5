"""A worker may use its share of memory, and asking for more is an error of one file."""

import hashlib
import subprocess
import sys
import tracemalloc

import pytest

from noisecli.engines import resources
from noisecli.storage import SourceFile


def test_shares_are_equal_and_never_useless():
    assert resources.memory_share(1) >= resources.memory_share(2) >= resources.SMALLEST_SHARE
    assert resources.memory_share(10**9) == resources.SMALLEST_SHARE


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux limits mapped memory")
def test_more_than_the_share_is_a_memory_error():
    code = (
        "import numpy\nfrom noisecli.engines.resources import limit_memory\nlimit_memory(1 << 30)\n"
        "numpy.ones(1 << 28, numpy.uint8)\n"
        "try: numpy.zeros(3 << 29, numpy.uint8)\nexcept MemoryError: print('refused')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "refused\n"


def test_a_long_content_is_let_go_of_and_its_digest_kept(tmp_path):
    path = tmp_path / "long"
    path.write_bytes(bytes(20 << 20))
    with SourceFile(str(path), 1 << 30) as file:
        tracemalloc.start()
        try:
            assert file.read() == bytes(20 << 20)
            file.forget()
            held, _ = tracemalloc.get_traced_memory()
            path.write_bytes(b"another")
            assert file.sha256() == hashlib.sha256(bytes(20 << 20)).hexdigest()
        finally:
            tracemalloc.stop()
    assert held < 1 << 20
