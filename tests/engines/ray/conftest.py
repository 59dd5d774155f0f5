"""A Ray cluster of two nodes of one CPU each, on this machine: real processes, ended by their ids."""

import contextlib
import importlib.util
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import program
import pytest

ROOT = Path(__file__).parents[3]
PROGRAMS = ROOT / "tests" / "programs"
ALWAYS = ("--block", "--num-cpus=1", "--object-store-memory=100000000", "--disable-usage-stats")


def pytest_collection_modifyitems(items):
    missing = importlib.util.find_spec("ray") is None
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.slow)
            if missing:
                item.add_marker(pytest.mark.skip(reason="ray is not installed"))


def open_files(pid):
    """Return what the descriptors of a process lead to; none where it is gone."""
    links = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for name in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                links.append(os.readlink(f"/proc/{pid}/fd/{name}"))
    return links


class Cluster:
    """Its nodes are sessions of processes; killing one is killing a machine."""

    def __init__(self, folder):
        self.folder, self.nodes, self.state, self.started = folder, [], folder / "state", 0
        self.state.mkdir()
        token = folder / "token"
        token.write_text(secrets.token_hex(32))
        self.environment = {
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN_PATH": os.fspath(token),
            "RAY_USAGE_STATS_ENABLED": "0",
            "FAULT_STATE": os.fspath(self.state),
        }
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{free.getsockname()[1]}"

    def start_node(self, *words, within=(), ready="Ray runtime started"):
        log = self.folder / f"node-{self.started}.log"
        self.started += 1
        paths = os.pathsep.join(map(os.fspath, (PROGRAMS / "ray_site", ROOT)))
        with open(log, "wb") as file:
            node = subprocess.Popen(
                [*within, Path(sys.executable).with_name("ray"), "start", *ALWAYS, *words],
                env={**os.environ, **self.environment, "PYTHONPATH": paths},
                stdout=file,
                stderr=file,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self.nodes.append(node)
        return lambda: ready in log.read_text() or node.poll() is not None

    def start(self):
        port = self.address.rpartition(":")[2]
        where = f"--temp-dir={self.folder}"
        head = ["--head", f"--port={port}", "--node-ip-address=127.0.0.1", "--include-dashboard=false", where]
        self.wait_until(self.start_node(*head), "the head node")
        self.add_node()

    def add_node(self):
        self.wait_until(self.start_node(f"--address={self.address}"), "another node")

    def add_node_without(self, folder):
        """Add a node that has an empty folder in this one's place; return whether that can be."""
        within = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none "$0" && exec "$@"', os.fspath(folder)]
        if subprocess.run([*within, "true"], check=False, capture_output=True).returncode:
            return False
        self.wait_until(self.start_node(f"--address={self.address}", within=within), "another node")
        return True

    def kill_node(self, number):
        node = self.nodes.pop(number)
        program.kill_session(node.pid)
        node.wait()

    def stop(self):
        for node in self.nodes:
            program.kill_session(node.pid)
            node.wait()

    def workers(self):
        """Return the processes that work for a run, and what notes for them, in the sessions of the nodes."""
        pids = [pid for node in self.nodes for pid in program.session(node.pid)]
        return [pid for pid in pids if any(link.endswith("noisecli-journal") for link in open_files(pid))]


@pytest.fixture(scope="session")
def first_cluster(wait_until):
    # a socket's path may not be long
    with tempfile.TemporaryDirectory(prefix="nr-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        made = Cluster(Path(folder))
        made.wait_until = wait_until
        try:
            made.start()
            yield made
        finally:
            made.stop()


@pytest.fixture
def cluster(first_cluster):
    """Return a running cluster of two nodes, of whose faults none is left."""
    for path in first_cluster.state.iterdir():
        path.unlink()
    while len(first_cluster.nodes) > 2:
        first_cluster.kill_node(2)
    if len(first_cluster.nodes) < 2:
        first_cluster.add_node()
    return first_cluster


@pytest.fixture
def on_ray(cluster, spawn):
    """Start noisecli on the cluster."""

    def start(*arguments, address=cluster.address, **options):
        more = {**cluster.environment, "RAY_ADDRESS": address}
        return spawn(*arguments, "--engine", "ray", environment=more, **options)

    return start


@pytest.fixture
def kill():
    def send(pid, number=signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)

    return send


@pytest.fixture
def writing(cluster):
    """Return the workers that are about to write an output."""
    return lambda: [pid for pid in cluster.workers() if any(".noisecli-tmp" in link for link in open_files(pid))]


@pytest.fixture
def made_in():
    """Count what a run has put in place so far; files come and go meanwhile."""
    return lambda folder: sum(not name.startswith(".") for _, _, names in os.walk(folder) for name in names)
