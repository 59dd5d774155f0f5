"""Odd surroundings: each simply works, or is one true line and the exit status it means."""

import contextlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys

import pytest

FULL = "/dev/full"
NEEDS_FULL = pytest.mark.skipif(not os.path.exists(FULL), reason=f"{FULL}: needs Linux")
OTHER_LOCALES = [
    pytest.param({"LC_ALL": "C"}, marks=pytest.mark.slow),
    pytest.param({"LC_ALL": "POSIX", "PYTHONUTF8": "0"}, marks=pytest.mark.slow),
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
]


@pytest.fixture
def run(tmp_path):
    """Run noisecli behind a shell's words, in a folder with src/ and, where wanted, a finished run."""

    def run_it(line, **options):
        line = line.replace("noisecli", f"'{sys.executable}' -m noisecli")
        environment = {**os.environ, **options.pop("environment", {})}
        command = ["bash", "-c", line]
        return subprocess.run(
            command, check=False, capture_output=True, timeout=600, cwd=tmp_path, env=environment, **options
        )

    return run_it


@pytest.fixture
def src(tmp_path, fill):
    return fill(tmp_path / "src", "a.png", "b.png")


@pytest.fixture
def done(ready_made, noisy, src, tmp_path):
    words = ["images", src, tmp_path / "done", "--std", "5", "--with-clean", "-q"]
    return ready_made("surroundings", tmp_path / "done", lambda: noisy(*words))


@contextlib.contextmanager
def no_longer_than(seconds):
    """Raise where something waits for a writer that never comes."""

    def give_up(*_):
        raise TimeoutError("waits for a pipe")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def assert_one_line(finished, status):
    assert finished.returncode == status
    assert finished.stderr.count(b"\n") == 1
    assert finished.stderr.startswith(b"noisecli: ")


SLOWLY = [pytest.param(odd, marks=pytest.mark.slow) for odd in ("missing", "a file", "read-only")]


@pytest.mark.parametrize("odd", ["long", *SLOWLY])
def test_any_tmpdir(run, src, tmp_path, outputs, odd):
    folder = tmp_path / ("x" * 100)
    folder.mkdir()
    places = {"long": folder, "missing": tmp_path / "nowhere", "a file": src / "a.png", "read-only": "/proc"}
    environment = {"TMPDIR": os.fspath(places[odd])}
    assert run("noisecli images src dst --std 5", environment=environment).returncode == 0
    assert len(outputs(tmp_path / "dst")) == 2
    piped = run("noisecli images - - --std 5 <src/a.png", environment=environment)
    assert piped.returncode == 0
    assert piped.stdout.startswith(b"\x89PNG")
    assert run("noisecli verify dst --recompute src", environment=environment).returncode == 0
    assert os.listdir(folder) == []


@pytest.mark.parametrize("closed", ["2>&-", "<&-", ">&-", "<&- >&- 2>&-", "2>/dev/full", ">/dev/full 2>/dev/full"])
def test_standard_streams_that_are_closed_or_full(run, noisy, src, tmp_path, outputs, closed):
    """What a decoder prints must not land in a file that got the number of a closed stream."""
    (src / "broken.png").write_bytes((src / "a.png").read_bytes()[:-20])
    finished = run(f"noisecli images src dst --std 5 --progress always -v {closed}")
    assert finished.returncode == 1
    assert b"Traceback" not in finished.stderr
    assert noisy("images", src, tmp_path / "other", "--std", "5").status == 1
    assert outputs(tmp_path / "dst") == outputs(tmp_path / "other")
    for name in ("manifest.jsonl", "errors.jsonl"):
        assert (tmp_path / "dst" / name).read_bytes() == (tmp_path / "other" / name).read_bytes()


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("noisecli images src dst --std 5 --json >&-", 2),
        ("noisecli verify done --json >&-", 2),
        ("noisecli images - out.png --std 5 <&-", 2),
        ("noisecli images src dst --std 5 --files0-from - <&-", 2),
        ("noisecli images src/a.png - --std 5 >&-", 2),
        ("noisecli preview src - --std 5 >&-", 2),
        ("noisecli export done --to csv >&-", 2),
        pytest.param("noisecli images src dst --std 5 --json -q >/dev/full", 3, marks=NEEDS_FULL),
        pytest.param("noisecli verify done --json -q >/dev/full", 3, marks=NEEDS_FULL),
        pytest.param("noisecli export done --to pairs >/dev/full", 3, marks=NEEDS_FULL),
        pytest.param("noisecli images src/a.png - --std 5 >/dev/full", 3, marks=NEEDS_FULL),
        pytest.param("noisecli preview src - --std 5 >/dev/full", 3, marks=NEEDS_FULL),
        pytest.param("noisecli images --help >/dev/full", 3, marks=NEEDS_FULL),
        ("noisecli images src dst --std 5 --files0-from src", 2),
        ("noisecli images src dst --std 5 --files0-from /dev/zero", 2),
        ("mkdir gone; cd gone; rmdir ../gone; noisecli images ../src ../dst --std 5", 2),
        ("ulimit -n 16; noisecli images src dst --std 5", 2),
        ("ulimit -n 16; noisecli verify done", 2),
    ],
)
def test_one_true_line(run, done, line, status):
    assert_one_line(run(line), status)


def test_few_open_files_mean_fewer_workers(run, src, tmp_path, outputs):
    finished = run("ulimit -n 40; noisecli images src dst --std 5 --jobs 64")
    assert finished.returncode == 0
    assert len(outputs(tmp_path / "dst")) == 2


def test_files_that_may_not_grow(run, src, tmp_path):
    finished = run("ulimit -f 0; noisecli images src/a.png out.png --std 5")
    assert finished.returncode == 1
    assert b"a.png: failed: its output cannot be written: File too large" in finished.stderr
    assert sorted(os.listdir(tmp_path)) == ["src"]
    assert_one_line(run("ulimit -f 0; noisecli images src dst --std 5"), 3)


@pytest.mark.parametrize("out", ["pipe.png", "link.png"])
@pytest.mark.parametrize("words", ["export done --to csv --force -o", "preview src --std 5 --force"])
def test_what_is_no_file_is_never_replaced(run, done, tmp_path, out, words):
    """A pipe stands for a device, which would be gone for the whole machine."""
    os.mkfifo(tmp_path / "pipe.png")
    os.symlink("pipe.png", tmp_path / "link.png")
    assert_one_line(run(f"noisecli {words} {out}"), 2)
    assert (tmp_path / "pipe.png").is_fifo()
    assert (tmp_path / "link.png").is_symlink()


@pytest.mark.parametrize("name", ["run.json", "manifest.jsonl", "errors.jsonl", "other.run.json", "other.jsonl"])
@pytest.mark.parametrize(
    "words",
    [
        "images src done --std 5",
        "audio src done --std 1%",
        "arrays src done --std 5",
        "weights src done --std 5",
        "latents done --shape 2 --count 1",
        "verify done",
        "export done --to csv",
        "export done --to hf",
    ],
)
def test_nobody_waits_for_a_pipe_under_a_name_of_ours(noisy, done, tmp_path, monkeypatch, name, words):
    monkeypatch.chdir(tmp_path)
    (done / name).unlink(missing_ok=True)
    os.mkfifo(done / name)
    shutil.copy(done / "run.json", done / "other.run.json") if name == "other.jsonl" else None
    with no_longer_than(600):
        finished = noisy(*words.split())
    assert "Traceback" not in finished.err
    if name in ("run.json", "manifest.jsonl"):
        assert finished.status == 2
        assert finished.err.count("\n") == 1
        assert "is no regular file" in finished.err


@pytest.mark.parametrize("locale", OTHER_LOCALES, ids=lambda locale: " ".join(map("=".join, locale.items())))
def test_names_in_a_locale_that_cannot_spell_them(run, src, tmp_path, fill, rows, outputs, locale):
    """Names of outputs are the source's bytes, in any locale; what is printed can be printed there."""
    fill(src, "é日.png", "Ä/ß.png", "é日.txt")
    shutil.copy(src / "a.png", os.fsencode(src) + b"/raw\xff\xe9.png")
    (src / "leer日.png").write_bytes(b"")
    line = "noisecli images src {} --std 5 --with-clean --sidecars copy --name '{{stem}}-é日{{ext}}' --manifest ü.jsonl"
    here = run(line.format("here") + " --json")
    for kept in (0, 5):
        there = run(line.format("there") + " --json", environment=locale)
        assert json.loads(there.stdout)["kept"] == kept
    assert (here.returncode, there.returncode) == (1, 1)
    assert outputs(tmp_path / "here") == outputs(tmp_path / "there")
    assert (tmp_path / "there/noisy/é日-é日.png").exists()
    assert rows(tmp_path / "here", "ü.jsonl") == rows(tmp_path / "there", "ü.jsonl")
    for name in ("ü.jsonl", "ü.errors.jsonl"):
        assert (tmp_path / "here" / name).read_bytes() == (tmp_path / "there" / name).read_bytes()
    assert json.loads(there.stdout)["problems"][0]["source"] == "leer日.png"
    assert (b"leer\\u65e5.png" if "PYTHONUTF8" in locale else "leer日.png".encode()) in there.stderr
    assert run("noisecli verify there --manifest ü.jsonl --recompute src", environment=locale).returncode == 0
    assert json.loads(here.stdout)["problems"] == json.loads(there.stdout)["problems"]
    table = run("noisecli export there --manifest ü.jsonl --to pairs", environment=locale)
    assert "noisy/é日-é日.png" in table.stdout.decode()
    listed = run("printf 'é日.png\\0' | noisecli images src list --std 5 --files0-from -", environment=locale)
    assert listed.returncode == 0
    assert sorted(outputs(tmp_path / "list")) == ["é日.png"]
    assert run("noisecli preview 'src/é日.png' é.png --std 5", environment=locale).returncode == 0
    assert (tmp_path / "é.png").exists()


def test_what_a_killed_run_left_in_tmpdir_goes_with_the_next(run, src, tmp_path, spawn, wait_until):
    """And no folder of a run that lives, nor anybody's of a name like it."""
    temporary = tmp_path / "t"
    (temporary / "noisecli-scratch-mine").mkdir(parents=True)
    environment = {"TMPDIR": os.fspath(temporary)}
    living, killed = (
        spawn("images", "-", "-", "--std", "5", stdin=subprocess.PIPE, environment=environment) for _ in range(2)
    )
    wait_until(lambda: len(os.listdir(temporary)) >= 3, "their folders")
    before = set(os.listdir(temporary))
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert len(before) == 3
    assert run("noisecli images - - --std 5 <src/a.png", environment=environment).returncode == 0
    left = set(os.listdir(temporary))
    assert len(left) == 2
    assert left < before
    assert "noisecli-scratch-mine" in left
    out, _ = living.communicate((src / "a.png").read_bytes())
    assert out.startswith(b"\x89PNG")
    assert os.listdir(temporary) == ["noisecli-scratch-mine"]


def test_no_folder_for_temporary_files(noisy, src, tmp_path, monkeypatch):
    from noisecli.storage import scratch

    assert noisy("images", src, tmp_path / "dst", "--std", "5").status == 0
    monkeypatch.setattr(scratch, "temporary_folders", lambda: iter([os.fspath(src / "a.png")]))
    finished = noisy("verify", tmp_path / "dst")
    assert finished.status == 2
    assert finished.err.count("\n") == 1
    assert "set TMPDIR" in finished.err


def test_the_limit_of_open_files_is_raised_as_far_as_it_may_be(run, src):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 64:
        pytest.skip("ulimit -Hn: below 64 here")
    assert run("ulimit -Sn 20; noisecli images src dst --std 5").returncode == 0
