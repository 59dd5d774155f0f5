"""The measuring programs find what they measure: their numbers are right in a run that nobody compares, too."""

import json
import subprocess
import sys
from pathlib import Path


def test_every_part_of_a_file_s_way_through_a_worker_has_its_clock(sample_data, tmp_path):
    command = [sys.executable, "-P", Path(__file__).parent / "bench/stages.py", "images", sample_data / "images"]
    done = subprocess.run(
        [*command, tmp_path, "--level", "25"], check=True, capture_output=True, text=True, timeout=600
    )
    told = json.loads(done.stdout)
    assert (told["missing"], told["files"]) == ([], 12)
    assert all(seconds > 0 for seconds in told["us"].values())
