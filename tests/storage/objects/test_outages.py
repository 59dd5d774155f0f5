"""A server that ends, hangs or comes back in mid-run: running again completes it, to the byte."""

import os
import signal
import time

import pytest

from tests.fixtures.running import HASTY

pytestmark = pytest.mark.slow

SOURCES = 240


@pytest.fixture
def server(own_s3_server, monkeypatch, tmp_path):
    for name, value in own_s3_server.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_STATE_HOME", os.fspath(tmp_path / "state"))
    return own_s3_server


@pytest.fixture
def undisturbed(server, pictures, destination, spawned, tree, png):
    """What a run on a disk makes of the sources that are in the bucket by then."""
    for number in range(SOURCES):
        (pictures / f"n{number:03d}.png").write_bytes(png(number, 40, 30))
    server.upload(pictures, "ready/in")
    assert spawned("images", pictures, destination, "--std", "25").status == 0
    return tree(destination)


@pytest.fixture
def begun(server, undisturbed, spawn, wait_until):
    """Start a run, and return it when it has come to its middle."""

    def begin(*words, patience=60):
        words = ("images", "s3://ready/in", "s3://ready/out", "--std", "25", "-j", "2", *words)
        # as long as for users: on a busy machine an outage and the waits between tries take their time
        environment = {**HASTY, "HASTY_PATIENCE": str(patience), "HASTY_VALID": "180"}
        process = spawn(*words, command=("-m", "hasty_noisecli"), environment=environment)
        wait_until(lambda: len(server.files().find("ready/out")) > 80, "the middle of the run")
        assert process.poll() is None
        return process

    return begin


@pytest.fixture
def completed(server, undisturbed, spawned):
    """Run again to the end, and look."""

    def complete(*words):
        done = spawned("images", "s3://ready/in", "s3://ready/out", "--std", "25", "--json", *words)
        assert (done.status, done.summary["failed"]) == (0, 0)
        assert server.tree("ready/out") == undisturbed
        return done.summary

    return complete


@pytest.mark.parametrize(("how", "back"), [("kill", "start"), ("pause", "go_on")])
def test_a_server_that_is_away_for_a_while_costs_nothing(how, back, server, begun, undisturbed):
    process = begun()
    getattr(server, how)()
    time.sleep(10)  # the outage
    getattr(server, back)()
    out, err = process.communicate()
    assert (process.returncode, out) == (0, b""), err
    assert server.tree("ready/out") == undisturbed


@pytest.mark.parametrize("how", ["kill", "pause"])
def test_an_outage_that_stays_stops_the_run_once(how, server, begun, completed):
    process = begun(patience=6)
    getattr(server, how)()
    began = time.monotonic()
    _, err = process.communicate()
    assert process.returncode == 3, err
    assert time.monotonic() - began < 60
    lines = [line for line in err.decode().splitlines() if "reached" in line]
    assert len(lines) == 1
    assert "; the run stops here, run it again to go on" in lines[0]
    assert b"failed" not in err
    server.start() if how == "kill" else server.go_on()
    assert 0 < completed()["kept"] < SOURCES


def test_a_probe_that_came_after_its_run_had_given_up_goes_with_the_next(server, undisturbed, completed):
    """A server that was halted carries out what it was asked for before."""
    server.files().pipe("ready/out/.noisecli-probes/0123abcd", bytes(4096))
    completed()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("how", ["pause", "kill"])
def test_a_signal_while_the_server_is_away_ends_the_run_soon(how, number, server, begun, completed):
    process = begun()
    getattr(server, how)()
    time.sleep(0.5)  # all of it waits for the server
    began = time.monotonic()
    process.send_signal(number)
    _, err = process.communicate()
    assert process.returncode == 128 + number, err
    assert time.monotonic() - began < 10
    server.start() if how == "kill" else server.go_on()
    assert 0 < completed()["kept"] < SOURCES


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_ended_goes_on_at_once(number, begun, completed):
    process = begun()
    process.send_signal(number)
    process.communicate()
    assert 0 < completed()["kept"] < SOURCES


def test_a_worker_that_is_killed_costs_nothing(begun, workers_of, server, undisturbed):
    process = begun()
    os.kill(workers_of(process.pid)[0], signal.SIGKILL)
    _, err = process.communicate()
    assert process.returncode == 0, err
    assert server.tree("ready/out") == undisturbed
