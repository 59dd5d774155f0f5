"""`ray job submit -- noisecli ...`, through the job server of a cluster."""

import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.engines.ray.conftest import ROOT, Cluster
from tests.fixtures.servers import free_ports

pytestmark = pytest.mark.skipif(find_spec("aiohttp_cors") is None, reason="ray's job server is not installed")


@pytest.fixture
def job_server(wait_until):
    """Return a cluster of one node that takes jobs, and where."""
    with tempfile.TemporaryDirectory(prefix="nr-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        cluster = Cluster(Path(folder))
        cluster.wait_until = wait_until
        port, where, agent = free_ports(3)
        words = ("--head", f"--port={port}", "--node-ip-address=127.0.0.1", f"--temp-dir={folder}")
        dashboard = ("--include-dashboard=true", "--dashboard-host=127.0.0.1", f"--dashboard-port={where}")
        # the agent of any other node on this machine has the usual port
        starts_jobs = f"--dashboard-agent-listen-port={agent}"
        try:
            wait_until(cluster.start_node(*words, *dashboard, starts_jobs), "the head node")
            yield cluster, f"http://127.0.0.1:{where}"
        finally:
            cluster.stop()


def test_a_job_makes_what_a_run_makes(job_server, wait_until, noisy, tree, pictures, destination, tmp_path):
    cluster, address = job_server
    command = [sys.executable, "-m", "noisecli", "images", pictures, destination, "--std", "25", "--engine", "ray"]
    submit = [Path(sys.executable).with_name("ray"), "job", "submit", "--address", address, "--"]

    def submitted():
        """Submit it; None where the server has nobody yet who would start it."""
        job = subprocess.run(
            [*submit, *map(os.fspath, command)],
            env={**os.environ, **cluster.environment, "PYTHONPATH": os.fspath(ROOT), "RAY_ADDRESS": ""},
            capture_output=True,
            text=True,
            check=False,
        )
        return None if "No available agent" in job.stderr else job

    done = wait_until(submitted, "an agent that starts jobs")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 images written" in done.stdout
    assert noisy("images", pictures, tmp_path / "local", "--std", "25").status == 0
    assert tree(destination) == tree(tmp_path / "local")
