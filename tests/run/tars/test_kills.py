"""Workers and runs that are killed while they write tars."""

import hashlib
import json
import os
import signal

import pytest

from noisecli.manifest.destination import Names


@pytest.fixture
def undisturbed(noisy, tree, tmp_path):
    def make(source, *words):
        noisy("images", source, tmp_path / "undisturbed", "--std", "25", *words)
        return tree(tmp_path / "undisturbed")

    return make


@pytest.fixture
def with_sample(shards, write_tar, members, png):
    """Add a sample to the shard in the middle."""

    def add(name):
        key = name.partition(".")[0]
        write_tar(shards / "000001.tar", *members(shards / "000001.tar"), (f"{key}.cls", b"9"), (name, png(9)))
        return shards

    return add


def test_a_run_that_is_killed_goes_on_to_the_same_bytes(
    faulty, with_sample, destination, undisturbed, tree, wait_until, session_of
):
    shards = with_sample("wait-write.png")
    process = faulty.start("images", shards, destination, "--std", "25", "-j", "2")
    wait_until(lambda: faulty.reached("write"), "a worker in mid-tar")
    journal = destination / Names.of("manifest.jsonl").journal
    wait_until(lambda: journal.read_bytes().count(b'{"file_name": "000000.tar/') == 4, "the first tar's rows")
    assert not (destination / "000001.tar").exists()
    os.kill(process.pid, signal.SIGKILL)
    wait_until(lambda: not session_of(process.pid), "all processes of the run are gone")
    assert [name for name in os.listdir(destination) if name.startswith(".noisecli-tmp")]
    faulty.gate.touch()
    done = faulty.run("images", shards, destination, "--std", "25", "--json")
    assert done.status == 0
    assert done.summary["kept"] >= 4
    assert tree(destination) == undisturbed(shards)


def test_a_tar_in_place_whose_rows_were_lost_is_ours_and_made_again(noisy, shards, destination, tree):
    noisy("images", shards, destination, "--std", "25")
    journal = [{"temporaries": ".noisecli-tmp-0-"}]
    whole = tree(destination)
    names = {f"000001.tar/1{n}.png": None for n in range(4)}
    digest = hashlib.sha256(whole["000001.tar"]).hexdigest()
    journal += [{"intended": names}, {"placing": {"000001.tar": digest}}]
    (destination / Names.of("manifest.jsonl").journal).write_text("".join(json.dumps(line) + "\n" for line in journal))
    rows = [line for line in whole["manifest.jsonl"].splitlines(keepends=True) if b"000001.tar/" not in line[:40]]
    (destination / "manifest.jsonl").write_bytes(b"".join(rows))
    done = noisy("images", shards, destination, "--std", "25", "--json")
    assert (done.status, done.summary["made"], done.summary["kept"]) == (0, 4, 8), done
    assert tree(destination) == whole


def test_a_killed_worker_costs_no_sample(faulty, with_sample, destination, undisturbed, tree):
    shards = with_sample("kill-once.png")
    done = faulty.run("images", shards, destination, "--std", "25", "-j", "2")
    assert done.status == 0, done
    assert tree(destination) == undisturbed(shards)


def test_a_sample_that_always_kills_is_left_out_alone(faulty, with_sample, destination, errors, members, rows):
    shards = with_sample("kill-always.png")
    done = faulty.run("images", shards, destination, "--std", "25", "-j", "2")
    assert done.status == 1
    assert {source: entry["reason"] for source, entry in errors(destination).items()} == {
        "000001.tar/kill-always.png": "worker-died"
    }
    assert len(rows(destination)) == 12
    assert [name for name, _ in members(destination / "000001.tar")][-1] == "13.json"
    assert not [name for name in os.listdir(destination) if name.startswith(".")]


def test_a_sample_that_hangs_is_left_out_alone(faulty, with_sample, destination, errors, rows):
    done = faulty.run("images", with_sample("hang.png"), destination, "--std", "25", "-j", "1", "--timeout", "60")
    assert done.status == 1
    assert errors(destination)["000001.tar/hang.png"]["reason"] == "timeout"
    assert len(rows(destination)) == 12


def test_an_interrupted_run_leaves_no_tar_without_rows(
    faulty, noisy, with_sample, destination, wait_until, rows, members, undisturbed, tree
):
    shards = with_sample("wait-write.png")
    process = faulty.start("images", shards, destination, "--std", "25", "-j", "2")
    wait_until(lambda: faulty.reached("write"), "a worker in mid-tar")
    os.kill(process.pid, signal.SIGINT)
    process.communicate()
    assert process.returncode == 130
    listed = {name.partition("/")[0] for name in rows(destination)}
    assert {name for name in os.listdir(destination) if name.endswith(".tar")} == listed
    faulty.gate.touch()
    assert noisy("images", shards, destination, "--std", "25").status == 0
    assert tree(destination) == undisturbed(shards)


def test_a_shard_that_is_replaced_while_the_run_goes_on_is_not_read_by_half(
    faulty, noisy, shards, destination, members, write_tar, png, wait_until, errors, undisturbed, tree
):
    """An image that was not there when it was listed would go along as if it were a label."""
    write_tar(shards / "000000.tar", ("wait-read.png", png(1)))
    process = faulty.start("images", shards, destination, "--std", "25", "-j", "1")
    wait_until(lambda: faulty.reached("read"), "the worker in the first tar")
    write_tar(shards / "new", *members(shards / "000001.tar"), ("new.png", png(5)))
    (shards / "new").rename(shards / "000001.tar")
    write_tar(shards / "new", *members(shards / "000002.tar")[3:])
    (shards / "new").rename(shards / "000002.tar")
    faulty.gate.touch()
    process.communicate()
    assert process.returncode == 1
    found = {source: entry["reason"] for source, entry in errors(destination).items()}
    assert found == {"000001.tar": "changed", "000002.tar": "changed"}
    assert not (destination / "000001.tar").exists()
    assert noisy("images", shards, destination, "--std", "25").status == 0
    assert tree(destination) == undisturbed(shards)
