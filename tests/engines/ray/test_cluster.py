"""Runs on a cluster of two nodes: the bytes of a run without it, whatever is killed meanwhile."""

import json
import os
import signal
from pathlib import Path

import pytest


@pytest.fixture
def ended():
    def wait(process):
        out, err = process.communicate()
        assert b"Traceback" not in err, err.decode()
        return process.returncode, out.decode(), err.decode()

    return wait


@pytest.fixture
def many(tmp_path, fill):
    return fill(tmp_path / "many", *(f"{n % 5}/{n:03}.png" for n in range(300)))


@pytest.fixture
def at_work(cluster, wait_until):
    """Wait until a worker is where a file's name has it wait."""

    def wait(process, where):
        mark = cluster.state / f"reached-{where}"
        wait_until(lambda: mark.exists() or process.poll() is not None, f"a worker that waits to {where}")
        assert mark.exists(), process.communicate()

    return wait


def no_temporaries(tree, folder):
    return not [name for name in tree(folder) if os.path.basename(name).startswith(".noisecli")]


def test_images_audio_and_verify_are_as_without_ray(on_ray, noisy, ended, tree, sample_data, tmp_path):
    """Every byte of every file, the manifest and run.json included; both nodes took part."""
    for kind, words in (("images", ["--std", "5,25", "--with-clean"]), ("audio", ["--snr-db", "10..30"])):
        here, there = tmp_path / f"{kind}-local", tmp_path / f"{kind}-ray"
        status, out, err = ended(on_ray(kind, sample_data / kind, there, *words, "--json"))
        assert noisy(kind, sample_data / kind, here, *words).status == status, err
        assert json.loads(out)["made"] > 0
        assert tree(there) == tree(here)
        again = on_ray(kind, sample_data / kind, there, *words, "--json")
        assert json.loads(ended(again)[1])["made"] == 0
        status, _, err = ended(on_ray("verify", there, "--recompute", sample_data / kind))
        assert (status, "nothing differs" in err) == (0, True), err


def test_tars_are_as_without_ray(on_ray, noisy, ended, tree, pictures, tmp_path):
    """Files into tars, and tars into tars, on folders that both nodes see."""
    packed, again = ("--tar", "2"), ()
    for number, (source, words) in enumerate(((pictures, packed), (tmp_path / "local-0", again))):
        here, there = tmp_path / f"local-{number}", tmp_path / f"ray-{number}"
        status, _, err = ended(on_ray("images", source, there, "--std", "25", *words))
        assert status == 0, err
        assert noisy("images", source, here, "--std", "25", *words).status == 0
        assert tree(there) == tree(here)
        status, _, err = ended(on_ray("verify", there, "--recompute", source))
        assert (status, "nothing differs" in err) == (0, True), err


def test_latents_are_as_without_ray(on_ray, noisy, ended, tree, tmp_path):
    words = ["--shape", "8x8", "--count", "100", "--per-file", "7"]
    assert ended(on_ray("latents", tmp_path / "ray", *words))[0] == 0
    assert noisy("latents", tmp_path / "local", *words).status == 0
    assert tree(tmp_path / "ray") == tree(tmp_path / "local")


def test_files_that_end_their_worker_fail_alone(
    cluster, on_ray, ended, fill, pictures, rows, errors, destination, tree
):
    """By SIGKILL each time, once only, by hanging, by memory: as on this machine alone."""
    fill(pictures, "cats/kill-always.png", "kill-once.png", "cats/hang.png", "out-of-memory.png")
    status, _, err = ended(on_ray("images", pictures, destination, "--std", "25", "--timeout", "30"))
    assert status == 1, err
    found = errors(destination)
    assert {source: entry["reason"] for source, entry in found.items()} == {
        "cats/kill-always.png": "worker-died",
        "cats/hang.png": "timeout",
        "out-of-memory.png": "out-of-memory",
    }
    assert "SIGKILL" in found["cats/kill-always.png"]["message"]
    assert "--timeout" in found["cats/hang.png"]["message"]
    assert len(rows(destination)) == 6
    assert no_temporaries(tree, destination)


@pytest.mark.parametrize("whose", ["worker", "ray's worker"])
def test_a_worker_killed_from_outside_costs_no_file(
    cluster, on_ray, noisy, ended, fill, pictures, kill, tree, at_work, writing, destination, tmp_path, whose
):
    fill(pictures, "cats/wait-write.png")
    process = on_ray("images", pictures, destination, "--std", "25", "--json")
    at_work(process, "write")
    [worker] = writing()
    kill(worker if whose == "worker" else ray_worker_of(worker))
    (cluster.state / "gate").touch()
    status, out, err = ended(process)
    assert (status, json.loads(out)["made"]) == (0, 6), err
    assert noisy("images", pictures, tmp_path / "local", "--std", "25").status == 0
    assert tree(destination) == tree(tmp_path / "local")


def test_a_killed_node_costs_no_file(
    cluster, on_ray, noisy, ended, many, tree, at_work, made_in, wait_until, destination, tmp_path
):
    """The second node goes while it works; what it had begun is made by the other, and nothing of it is left."""
    (many / "wait-read.png").write_bytes((many / "0" / "000.png").read_bytes())
    process = on_ray("images", many, destination, "--std", "25", "--json", "--with-clean")
    at_work(process, "read")
    wait_until(lambda: made_in(destination) > 60 or process.poll() is not None, "so many outputs")
    cluster.kill_node(1)
    (cluster.state / "gate").touch()
    status, out, err = ended(process)
    assert (status, json.loads(out)["made"]) == (0, 301), err
    assert noisy("images", many, tmp_path / "local", "--std", "25", "--with-clean").status == 0
    assert tree(destination) == tree(tmp_path / "local")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=str)
def test_an_ended_run_leaves_no_worker_and_the_next_goes_on(
    cluster, on_ray, noisy, ended, fill, many, kill, tree, at_work, wait_until, destination, tmp_path, number
):
    fill(many, "0/wait-write.png")
    process = on_ray("images", many, destination, "--std", "25")
    at_work(process, "write")
    kill(process.pid, number)
    process.communicate()
    assert process.returncode == (-number if number == signal.SIGKILL else 128 + number)
    if number != signal.SIGKILL:
        # it has waited for all of them before it took their temporary files away
        assert no_temporaries(tree, destination)
    (cluster.state / "gate").touch()
    status, _, err = ended(on_ray("images", many, destination, "--std", "25"))
    assert status == 0, err
    assert noisy("images", many, tmp_path / "local", "--std", "25").status == 0
    assert tree(destination) == tree(tmp_path / "local")
    wait_until(lambda: not cluster.workers(), "all workers are gone")


@pytest.mark.parametrize("hidden", ["src", "dst"])
def test_a_folder_that_another_machine_does_not_see_is_refused(cluster, on_ray, ended, pictures, destination, hidden):
    """A node with a file system of its own in the folder's place: empty, or with a file of the same name."""
    destination.mkdir()
    folder = pictures if hidden == "src" else destination
    if not cluster.add_node_without(folder):
        pytest.skip("no mount namespaces here")
    status, _, err = ended(on_ray("images", pictures, destination, "--std", "25"))
    assert (status, f"does not see the folder {folder}:" in err, err.count("\n")) == (2, True, 1), err
    assert list(destination.iterdir()) == []


def test_a_submitted_job_finds_its_cluster_by_itself(cluster, spawn, tree, noisy, pictures, destination, tmp_path):
    """What `ray job submit -- noisecli ...` does: the command on a node, with RAY_ADDRESS in its environment."""
    process = spawn(
        "images", pictures, destination, "--std", "25", "--engine", "ray", "-q", "--json",
        environment={**cluster.environment, "RAY_ADDRESS": cluster.address},
    )  # fmt: skip
    out, err = process.communicate()
    assert (process.returncode, err) == (0, b"")
    assert json.loads(out)["made"] == 5
    assert noisy("images", pictures, tmp_path / "local", "--std", "25").status == 0
    assert tree(destination) == tree(tmp_path / "local")


def ray_worker_of(worker):
    """Return the Ray worker above a worker and the server that it was forked from."""
    parent = lambda pid: int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])  # noqa: E731
    return parent(parent(worker))
