"""Shards at once in real processes, one of them killed; merges that are killed wherever they write."""

import os
import shutil
import signal

import pytest

from noisecli.errors import NoisecliError
from noisecli.run.merge import merge
from noisecli.storage import renaming

WRITING = ("write", "unlink", "rename", "replace", "link", "symlink", "rmdir", "ftruncate", "mkdir")
SHM = "/dev/shm"


def test_three_at_once_one_killed_and_run_again(
    faulty, fill, pictures, images, noisy, tree, wait_until, session_of, tmp_path, destination
):
    fill(pictures, *(f"more/{number}.png" for number in range(30)), "more/wait-write.png", "notes.txt", "a.txt")
    words = ["--std", "25", "--sidecars", "copy", "-j", "2", "--json"]
    assert images("--sidecars", "copy", to=tmp_path / "whole").status == 0
    environment = {"SLURM_ARRAY_TASK_MIN": "0", "SLURM_ARRAY_TASK_MAX": "2", "SLURM_ARRAY_TASK_COUNT": "3"}

    def start(number):
        slurm = {**environment, "SLURM_ARRAY_TASK_ID": str(number)}
        return faulty.start("images", pictures, destination, *words, "--shard", "auto", more=slurm)

    shards = [start(number) for number in range(3)]
    wait_until(lambda: faulty.reached("write"), "a worker in mid-write")
    wait_until(lambda: sum(shard.poll() is not None for shard in shards) == 2, "the other shards have ended")
    [held] = [number for number, shard in enumerate(shards) if shard.poll() is None]
    running = noisy("merge", destination)
    assert running.status == 2
    assert f"shard {held + 1}/3 is still running: wait for it, then merge" in running.err
    os.kill(shards[held].pid, signal.SIGKILL)
    wait_until(lambda: not session_of(shards[held].pid), "all processes of the shard are gone")
    assert sorted(shard.returncode for shard in shards if shard.poll() != -signal.SIGKILL) == [0, 0]
    dead = noisy("merge", destination)
    assert dead.status == 2
    assert f"shard {held + 1}/3 was interrupted: run the same command again" in dead.err
    assert noisy("verify", destination, "--manifest", f"manifest.shard-{(held + 1) % 3 + 1}-of-3.jsonl").status == 0
    faulty.gate.touch()
    again = start(held)
    again.communicate()
    assert again.returncode == 0
    assert noisy("merge", destination).status == 0
    assert tree(destination) == tree(tmp_path / "whole")
    kept = images("--sidecars", "copy", "--json").summary
    assert (kept["kept"], kept["made"]) == (36, 0)


def test_shards_refuse_themselves_and_a_merge(faulty, fill, pictures, noisy, images, wait_until, destination):
    """The same shard twice; while it goes on, the others may, and a whole run may not."""
    fill(pictures, "more/wait-write.png")
    numbers = [number for number in (1, 2) if images("--shard", f"{number}/2", "--dry-run").status == 0]
    assert numbers == [1, 2]
    words = ["--std", "25", "-j", "1"]
    started = [faulty.start("images", pictures, destination, *words, "--shard", f"{number}/2") for number in numbers]
    wait_until(lambda: faulty.reached("write"), "a worker in mid-write")
    wait_until(lambda: any(shard.poll() is not None for shard in started), "the other shard has ended")
    [held] = [number for number, shard in zip(numbers, started, strict=True) if shard.poll() is None]
    twice = images("--shard", f"{held}/2")
    assert twice.status == 3
    assert "another run is writing there" in twice.err
    assert images("--shard", f"{3 - held}/2").status == 0
    assert images().status == 2
    faulty.gate.touch()
    for shard in started:
        shard.communicate()
        assert shard.returncode == 0
    assert noisy("merge", destination).status == 0


@pytest.fixture
def killed_at():
    """Merge in a process that kills itself before its n-th call that writes; return whether it came to its end."""

    def run(number, *arguments):
        pid = os.fork()
        if not pid:
            status = 2
            try:
                _kill_at(number)
                merge(*arguments)
                status = 0
            except NoisecliError:
                status = 1
            finally:
                os._exit(status)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        assert code in (0, -signal.SIGKILL)
        return code == 0

    return run


def _kill_at(number):
    calls = 0

    def counting(call):
        def counted(*arguments, **keywords):
            nonlocal calls
            if calls == number:
                os.kill(os.getpid(), signal.SIGKILL)
            calls += 1
            return call(*arguments, **keywords)

        return counted

    for name in WRITING:
        setattr(os, name, counting(getattr(os, name)))
    renaming._rename = counting(renaming._rename)
    renaming._system_call.cache_clear()


@pytest.fixture
def whole_and_parts(images, fill, pictures, tmp_path):
    """Return the folder of a whole run, and those of its two shards, apart or one."""

    def make(*folders):
        fill(pictures, "a.txt", "cats/c.txt")
        (pictures / "broken.png").write_bytes(b"broken")
        (pictures / "broken-too.png").write_bytes(b"broken")
        words = ["--with-clean", "--sidecars", "copy"]
        assert images(*words, to=tmp_path / "whole").status == 1
        for number, folder in enumerate(folders, 1):
            assert images(*words, "--shard", f"{number}/2", to=folder).status in (0, 1)
        return tmp_path / "whole"

    return make


@pytest.mark.slow
@pytest.mark.parametrize("where", ["one folder", "apart", "another file system"])
def test_a_killed_merge_is_run_again(killed_at, whole_and_parts, noisy, tree, tmp_path, where):
    """At each of its calls that change anything: then a second kill, a few calls on; then to its end."""
    made, work = tmp_path / "made", tmp_path / "work"
    if where == "another file system":
        if not os.path.isdir(SHM) or os.stat(SHM).st_dev == os.stat(tmp_path).st_dev:
            pytest.skip(f"{SHM} is no other file system here")
        made = f"{SHM}/noisecli-test-{os.getpid()}"
    try:
        folders = [f"{made}/dst"] * 2 if where == "one folder" else [f"{made}/1", f"{made}/2"]
        whole = tree(whole_and_parts(*folders))
        number, ended = 0, False
        while not ended:
            shutil.rmtree(work, ignore_errors=True)
            apart = work if where != "another file system" else f"{made}-work"
            shutil.rmtree(apart, ignore_errors=True)
            shutil.copytree(made, apart)
            parts = [] if where == "one folder" else [f"{apart}/1", f"{apart}/2"]
            ended = killed_at(number, f"{work}/dst", parts, "manifest.jsonl")
            killed_at(number % 7, f"{work}/dst", parts, "manifest.jsonl")
            done = noisy("merge", f"{work}/dst", *parts)
            assert done.status == 0, (number, done)
            assert tree(f"{work}/dst") == whole, number
            assert not [part for part in parts if os.path.exists(part)], number
            number += 1
        assert number > 20
    finally:
        if where == "another file system":
            shutil.rmtree(made, ignore_errors=True)
            shutil.rmtree(f"{made}-work", ignore_errors=True)


def test_what_is_copied_is_compared_before_the_first_one_goes(whole_and_parts, noisy, monkeypatch, tree, tmp_path):
    """Where no file can be renamed across; one whose bytes are not those of its row stops the merge."""
    whole = tree(whole_and_parts(tmp_path / "1", tmp_path / "2"))
    monkeypatch.setattr("noisecli.storage.local.rename_into", lambda *_: False)
    path = next(path for path in (tmp_path / "1").rglob("*.png"))
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    done = noisy("merge", tmp_path / "dst", tmp_path / "1", tmp_path / "2")
    assert done.status == 3
    assert "is not what its row says" in done.err
    assert path.exists()
    assert not list((tmp_path / "dst").rglob(path.name)) or path.name not in done.err
    path.write_bytes(content)
    done = noisy("merge", tmp_path / "dst", tmp_path / "1", tmp_path / "2", "--json")
    assert done.status == 0
    assert done.summary["copied"] > 0
    assert done.summary["moved"] == 0
    assert tree(tmp_path / "dst") == whole
