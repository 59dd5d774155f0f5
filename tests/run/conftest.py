"""noisecli as somebody who may not read everything."""

import os
import shutil

import pytest

WITHOUT_PRIVILEGES = """
import os, sys
words = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else ["env"]
os.execvp(words[0], [*words, sys.executable, "-m", "noisecli", *sys.argv[1:]])
"""


@pytest.fixture
def unprivileged(spawned):
    """Run noisecli without root's right to read every file."""
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        pytest.skip("root may read every file, and setpriv is missing: apt-get install util-linux")
    return lambda *arguments: spawned(*arguments, command=("-c", WITHOUT_PRIVILEGES))
