"""Two machines and one destination: who may write, who goes on, and what the other's journal is worth then."""

import json
import os
import signal

import pytest

from tests.fixtures.running import HASTY

pytestmark = pytest.mark.slow

SOURCES = 240
VALID = "33"


@pytest.fixture
def sources(s3_server, bucket, pictures, png):
    for number in range(SOURCES):
        (pictures / f"n{number:03d}.png").write_bytes(png(number, 40, 30))
    s3_server.upload(pictures, f"{bucket}/in")
    return f"s3://{bucket}/in"


@pytest.fixture
def undisturbed(sources, pictures, destination, spawned, tree):
    assert spawned("images", pictures, destination, "--std", "25").status == 0
    return tree(destination)


@pytest.fixture
def machine(spawn, sources, bucket, tmp_path):
    """Start a run as one of two machines: each has journals of its own."""

    def start(name, *words):
        words = ("images", sources, f"s3://{bucket}/out", "--std", "25", "-j", "2", "--json", *words)
        environment = {**HASTY, "XDG_STATE_HOME": os.fspath(tmp_path / name), "HASTY_VALID": VALID}
        return spawn(*words, command=("-m", "hasty_noisecli"), environment=environment)

    return start


@pytest.fixture
def halfway(machine, s3_server, bucket, wait_until):
    """Start a run and return it when it is in its middle, and its journal is in the bucket too."""

    def start(name, *words):
        process = machine(name, *words)
        wait_until(lambda: len(s3_server.files().find(f"{bucket}/out")) > 90, "the middle of the run")
        assert process.poll() is None
        return process

    return start


def ended(process):
    out, err = process.communicate()
    return process.returncode, json.loads(out) if out else None, err.decode()


def kill(process):
    process.kill()
    process.communicate()


def test_another_machine_is_refused_while_the_run_goes_on(halfway, machine, s3_server, bucket, undisturbed):
    first = halfway("one")
    status, _, err = ended(machine("two"))
    assert (status, "another run is writing there, or was killed" in err) == (3, True)
    assert ended(first)[0] == 0
    assert s3_server.tree(f"{bucket}/out") == undisturbed


@pytest.mark.parametrize("how", ["expired", "force"])
def test_another_machine_goes_on_from_a_killed_run(how, halfway, machine, wait_until, s3_server, bucket, undisturbed):
    kill(halfway("one"))
    status, _, err = ended(machine("two"))
    assert (status, "was killed" in err) == (3, True)
    if how == "force":
        status, summary, err = ended(machine("two", "--force"))
    else:

        def goes_on():
            done = ended(machine("two"))
            return done if done[0] != 3 else None

        status, summary, err = wait_until(goes_on, "the end of the lease")
    assert status == 0, err
    assert 0 < summary["kept"] < SOURCES
    assert s3_server.tree(f"{bucket}/out") == undisturbed


def test_a_suspended_run_leaves_the_other_ones_work_alone(halfway, machine, s3_server, bucket, undisturbed):
    suspended = halfway("one", "--seed", "7")
    os.killpg(suspended.pid, signal.SIGSTOP)
    assert ended(machine("two", "--force"))[0] == 0
    published = s3_server.tree(f"{bucket}/out")
    os.killpg(suspended.pid, signal.SIGCONT)
    status, summary, _ = ended(suspended)
    assert status == 3
    assert "while this one went on" in summary["stopped"]
    assert s3_server.tree(f"{bucket}/out") == published == undisturbed


def test_the_first_machine_believes_the_bucket_not_its_old_journal(halfway, machine, s3_server, bucket, undisturbed):
    kill(halfway("one"))
    assert ended(machine("two", "--force", "--seed", "7"))[0] == 0
    status, summary, err = ended(machine("one"))
    assert (status, summary["kept"]) == (0, 0), err
    assert s3_server.tree(f"{bucket}/out") == undisturbed


def test_a_journal_taken_over_and_left_again_proves_nothing_on_the_first_machine(
    halfway, machine, s3_server, bucket, wait_until, undisturbed
):
    kill(halfway("one"))
    second = machine("two", "--force", "--seed", "7")
    first_output = s3_server.files().cat_file(f"{bucket}/out/a.png")
    wait_until(lambda: s3_server.files().cat_file(f"{bucket}/out/a.png") != first_output, "the second run's output")
    kill(second)
    status, summary, err = ended(machine("one", "--force"))
    assert (status, summary["failed"]) == (0, 0), err
    assert s3_server.tree(f"{bucket}/out") == undisturbed


@pytest.mark.parametrize("what", ["garbage", "gone"])
def test_somebody_meddles_with_the_lease_in_mid_run(what, halfway, machine, s3_server, bucket, undisturbed):
    process = halfway("one")
    lease = f"{bucket}/out/.noisecli-journal"
    files = s3_server.files()
    files.pipe_file(lease, b"\xff{[garbage") if what == "garbage" else files.rm_file(lease)
    status, summary, _ = ended(process)
    assert status == 3
    assert "its lease was removed" in summary["stopped"]
    assert ended(machine("one", "--force"))[0] == 0
    assert s3_server.tree(f"{bucket}/out") == undisturbed


def test_a_journal_in_the_bucket_that_is_garbage_costs_work_alone(halfway, machine, s3_server, bucket, undisturbed):
    kill(halfway("one"))
    files = s3_server.files()
    for name in files.find(f"{bucket}/out/.noisecli-journal.parts"):
        files.pipe_file(name, b'{"file_name": "\xff\0[[[\n{"placing": 3}\n')
    assert ended(machine("two", "--force"))[0] == 0
    assert s3_server.tree(f"{bucket}/out") == undisturbed
