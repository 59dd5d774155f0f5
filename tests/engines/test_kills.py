"""Workers and runs that are killed, interrupted or hang: real processes, real signals, at chosen moments."""

import contextlib
import os
import random
import signal

import pytest

CHECKS = (["verify"], ["export", "--to", "csv"])


@pytest.fixture
def clean_tree(images, tree, tmp_path):
    """Return the tree of an undisturbed run on the same sources."""

    def make(*words):
        folder = tmp_path / "undisturbed"
        assert images(*words, to=folder).status == 0
        return tree(folder)

    return make


@pytest.fixture
def nobody_left(wait_until, session_of):
    def check(process):
        wait_until(lambda: not session_of(process.pid), "all processes of the run are gone")

    return check


@pytest.fixture
def no_temporaries(tree):
    def check(folder):
        assert not [name for name in tree(folder) if os.path.basename(name).startswith(".noisecli-tmp")]

    return check


def test_a_killed_worker_costs_no_file(faulty, fill, pictures, clean_tree, tree, destination):
    fill(pictures, "cats/kill-once.png")
    done = faulty.run("images", pictures, destination, "--std", "25", "-j", "2", "--json")
    assert done.status == 0, done
    assert done.summary["made"] == 6
    assert tree(destination) == clean_tree()


def test_a_worker_killed_from_outside_in_mid_write_costs_no_file(
    faulty, fill, pictures, clean_tree, tree, workers_of, wait_until, destination
):
    fill(pictures, "cats/wait-write.png")
    process = faulty.start("images", pictures, destination, "--std", "25", "-j", "1")
    wait_until(lambda: faulty.reached("write"), "a worker in mid-write")
    assert [name for name in os.listdir(destination / "cats") if name.startswith(".noisecli-tmp")]
    [worker] = workers_of(process.pid)
    os.kill(worker, signal.SIGKILL)
    faulty.gate.touch()
    process.communicate()
    assert process.returncode == 0
    assert tree(destination) == clean_tree()


def test_a_file_that_always_kills_fails_and_costs_no_other(faulty, fill, pictures, rows, errors, tree, destination):
    fill(pictures, "cats/kill-always.png", "kill-always-too.png")
    done = faulty.run("images", pictures, destination, "--std", "25", "-j", "2")
    assert done.status == 1
    assert {source: entry["reason"] for source, entry in errors(destination).items()} == {
        "cats/kill-always.png": "worker-died",
        "kill-always-too.png": "worker-died",
    }
    assert "SIGKILL" in errors(destination)["cats/kill-always.png"]["message"]
    assert len(rows(destination)) == 5
    assert tree(destination).keys() == {*rows(destination), "manifest.jsonl", "errors.jsonl", "run.json"}


@pytest.mark.slow
def test_a_file_that_hangs_fails_by_the_time_limit(faulty, fill, pictures, rows, errors, destination):
    fill(pictures, "cats/hang-whole.png")
    done = faulty.run("images", pictures, destination, "--std", "25", "-j", "2", "--timeout", "3")
    assert done.status == 1
    assert errors(destination)["cats/hang-whole.png"]["reason"] == "timeout"
    assert "--timeout" in errors(destination)["cats/hang-whole.png"]["message"]
    assert len(rows(destination)) == 5


def test_a_file_that_hangs_in_one_file_form(faulty, fill, tmp_path):
    source = fill(tmp_path / "in", "hang.png", "kill-always.png")
    for name in ("hang.png", "kill-always.png"):
        done = faulty.run("images", source / name, tmp_path / "out.png", "--std", "25", "--timeout", "60")
        assert done.status == 1
        assert not [entry for entry in os.listdir(tmp_path) if "out" in entry or entry.startswith(".")]


def test_memory_that_runs_out_fails_the_file(faulty, fill, pictures, rows, errors, destination):
    fill(pictures, "out-of-memory.png")
    assert faulty.run("images", pictures, destination, "--std", "25").status == 1
    assert errors(destination)["out-of-memory.png"]["reason"] == "out-of-memory"
    assert len(rows(destination)) == 5


@pytest.mark.parametrize("word", ["hang", "kill-always"])
def test_levels_of_a_file_that_ends_its_worker(faulty, fill, pictures, rows, tree, destination, word):
    """Every output that stands has a row, whatever the worker had made before it died."""
    fill(pictures, f"{word}.png")
    words = ["--std", "5,10,20", "--with-clean", "--timeout", "60", "-j", "2"]
    done = faulty.run("images", pictures, destination, *words, "--json")
    assert (done.status, done.summary["failed"]) == (1, 1)
    found = rows(destination)
    assert len(found) == 15
    named = {*found, *(row["clean_file_name"] for row in found.values())}
    assert tree(destination).keys() == named | {"manifest.jsonl", "errors.jsonl", "run.json"}


@pytest.mark.parametrize(
    ("number", "status", "where"),
    [
        (signal.SIGINT, 130, "write"),
        (signal.SIGTERM, 143, "read"),
        pytest.param(signal.SIGINT, 130, "read", marks=pytest.mark.slow),
        pytest.param(signal.SIGTERM, 143, "write", marks=pytest.mark.slow),
        pytest.param(signal.SIGHUP, 129, "read", marks=pytest.mark.slow),
        pytest.param(signal.SIGHUP, 129, "write", marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_a_signal_ends_all_processes_and_the_next_run_goes_on(
    faulty,
    noisy,
    images,
    fill,
    pictures,
    tree,
    rows,
    clean_tree,
    nobody_left,
    wait_until,
    destination,
    where,
    number,
    status,
):
    fill(pictures, f"cats/wait-{where}.png")
    process = faulty.start("images", pictures, destination, "--std", "25", "-j", "2")
    wait_until(lambda: faulty.reached(where), "a worker at work")
    os.kill(process.pid, number)
    _, err = process.communicate()
    assert process.returncode == status
    assert b"Traceback" not in err
    nobody_left(process)
    assert tree(destination).keys() == {*rows(destination), "manifest.jsonl", "run.json"}
    faulty.gate.touch()
    assert {noisy(*words, destination).status for words in CHECKS} == {2}
    assert images("-j", "2").status == 0
    assert {noisy(*words, destination).status for words in CHECKS} == {0}
    assert tree(destination) == clean_tree()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=str)
def test_what_a_second_signal_leaves_goes_with_the_next_run(
    faulty, images, fill, pictures, tree, clean_tree, nobody_left, wait_until, destination, number
):
    """Make sends a second SIGTERM to what it started, and people press ^C twice."""
    fill(pictures, "cats/wait-write.png")
    more = {"FAULT_AGAIN": str(int(number))}
    process = faulty.start("images", pictures, destination, "--std", "25", "-j", "2", more=more)
    wait_until(lambda: faulty.reached("write"), "a worker in mid-write")
    os.kill(process.pid, number)
    process.communicate()
    assert process.returncode == 128 + number
    nobody_left(process)
    assert [name for name in tree(destination) if ".noisecli-tmp" in name]
    assert images("-j", "2").status == 0
    assert tree(destination) == clean_tree()


def test_control_c_reaches_every_process_of_the_terminal(
    faulty, fill, pictures, tree, rows, nobody_left, wait_until, destination
):
    fill(pictures, "cats/wait-write.png")
    process = faulty.start("images", pictures, destination, "--std", "25", "-j", "3", "--with-clean")
    wait_until(lambda: faulty.reached("write"), "a worker in mid-write")
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate()
    assert process.returncode == 130
    assert b"Traceback" not in err
    nobody_left(process)
    found = rows(destination)
    named = {*found, *(row["clean_file_name"] for row in found.values())}
    assert tree(destination).keys() == named | {"manifest.jsonl", "run.json"}


def test_control_c_in_one_file_form_leaves_nothing(faulty, fill, nobody_left, wait_until, tmp_path):
    source = fill(tmp_path / "in", "wait-write.png")
    process = faulty.start("images", source / "wait-write.png", tmp_path / "out.png", "--std", "25")
    wait_until(lambda: faulty.reached("write"), "a worker in mid-write")
    os.kill(process.pid, signal.SIGINT)
    process.communicate()
    assert process.returncode == 130
    nobody_left(process)
    assert not [entry for entry in os.listdir(tmp_path) if "out" in entry or entry.startswith(".")]


def test_sighup_that_nohup_ignores_stays_ignored(faulty, fill, pictures, wait_until, destination):
    fill(pictures, "wait-read.png")
    ignore = lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)  # noqa: E731
    process = faulty.start("images", pictures, destination, "--std", "25", preexec_fn=ignore)
    wait_until(lambda: faulty.reached("read"), "a worker at work")
    os.kill(process.pid, signal.SIGHUP)
    faulty.gate.touch()
    process.communicate()
    assert process.returncode == 0


@pytest.mark.parametrize("more", [[], ["--with-std-map"]], ids=["", "with maps"])
@pytest.mark.parametrize("where", ["read", "write"])
def test_a_killed_run_takes_its_workers_along_and_the_next_goes_on(
    faulty, noisy, images, fill, pictures, tree, clean_tree, nobody_left, wait_until, destination, where, more
):
    fill(pictures, f"cats/wait-{where}.png")
    words = ("--std", "25", "--with-clean", "-j", "2", *more)
    process = faulty.start("images", pictures, destination, *words)
    wait_until(lambda: faulty.reached(where), "a worker at work")
    os.kill(process.pid, signal.SIGKILL)
    nobody_left(process)
    assert ".noisecli-journal" in os.listdir(destination)
    faulty.gate.touch()
    assert {noisy(*words, destination).status for words in CHECKS} == {2}
    done = images(*words, "--json")
    assert done.status == 0, done
    assert tree(destination) == clean_tree("--with-clean", *more)


def test_a_second_run_on_the_same_destination_is_refused(
    faulty, fill, noisy, pictures, tree, clean_tree, wait_until, destination
):
    fill(pictures, "wait-read.png")
    process = faulty.start("images", pictures, destination, "--std", "25", "-j", "1")
    wait_until(lambda: faulty.reached("read"), "a worker at work")
    journal = destination / ".noisecli-journal"
    wait_until(lambda: journal.read_bytes().count(b'{"file_name"') == 5, "the rows of all others")
    before = tree(destination)
    for words in (["--std", "25"], ["--std", "30", "--force"]):
        done = noisy("images", pictures, destination, *words)
        assert done.status == 3
        assert "another run" in done.err
    assert tree(destination) == before
    faulty.gate.touch()
    process.communicate()
    assert process.returncode == 0
    assert tree(destination) == clean_tree()


def test_a_second_run_beside_one_that_goes_on_from_a_journal_is_refused(
    faulty, fill, noisy, pictures, nobody_left, wait_until, destination
):
    """Reading the journal of a killed run does not let go of the lock on it."""
    fill(pictures, "wait-read.png")
    process = faulty.start("images", pictures, destination, "--std", "25", "-j", "1")
    wait_until(lambda: faulty.reached("read"), "a worker at work")
    os.kill(process.pid, signal.SIGKILL)
    nobody_left(process)
    os.unlink(faulty.gate.with_name("reached-read"))
    process = faulty.start("images", pictures, destination, "--std", "25", "-j", "1")
    wait_until(lambda: faulty.reached("read"), "the next run's worker at work")
    assert noisy("images", pictures, destination, "--std", "25").status == 3
    faulty.gate.touch()
    process.communicate()
    assert process.returncode == 0


def test_two_kinds_may_run_into_one_destination_at_once(
    faulty, fill, noisy, tmp_path, wait_until, rows, tree, destination
):
    source = fill(tmp_path / "in", "wait-read.png", "a.wav")
    process = faulty.start("images", source, destination, "--std", "25", "-j", "1")
    wait_until(lambda: faulty.reached("read"), "a worker at work")
    assert noisy("audio", source, destination, "--snr-db", "9", "--manifest", "sounds.jsonl").status == 0
    faulty.gate.touch()
    process.communicate()
    assert process.returncode == 0
    assert {*rows(destination), *rows(destination, "sounds.jsonl")} == {"wait-read.png", "a.wav"}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_kills_at_random_moments(spawn, spawned, fill, tree, session_of, wait_until, nobody_left, tmp_path, seed):
    """SIGKILL the parent, workers, or both after so many rows; at last the tree is that of an undisturbed run."""

    def size_of_journal():
        try:
            return os.stat(disturbed / ".noisecli-journal").st_size
        except FileNotFoundError:
            return 0

    source = fill(tmp_path / "in", *(f"{n % 5}/{n:03}.png" for n in range(60)))
    words = ("images", source, "--std", "5,25", "--with-clean", "-j", "2")
    undisturbed, disturbed = tmp_path / "undisturbed", tmp_path / "disturbed"
    assert spawned(*words[:2], undisturbed, *words[2:]).status == 0
    choose = random.Random(seed)
    for _ in range(6):
        wanted = size_of_journal() + choose.randrange(0, 120_000)
        process = spawn(*words[:2], disturbed, *words[2:], *choose.choice([[], ["--redo"]]))
        wait_until(lambda: size_of_journal() >= wanted or process.poll() is not None, "so many rows")  # noqa: B023
        living = session_of(process.pid)
        for pid in choose.sample(living, min(len(living), choose.randrange(1, 3))):
            with contextlib.suppress(ProcessLookupError):  # it ended first, of itself or with the one before
                os.kill(pid, signal.SIGKILL)
        process.communicate()
        nobody_left(process)
    assert spawned(*words[:2], disturbed, *words[2:]).status == 0
    assert tree(disturbed) == tree(undisturbed)
