"""Whatever one source's decoding, drawing or encoding raises costs that source; only what no source is to blame for
ends a run."""

import json
import os
import shutil
import subprocess
import sys

import pytest

PLACES = ["open", "blocks", "create", "write", "finish", "close"]
KINDS = [
    *("ValueError", "KeyError", "RecursionError", "AssertionError", "SystemError", "StopIteration", "BufferError"),
    *("ZeroDivisionError", "NotImplementedError", "UserWarning", "RuntimeWarning", "cv2error", "Unsendable"),
]


def _leftovers(folder):
    return [name for _, _, names in os.walk(folder) for name in names if name.startswith(".noisecli")]


@pytest.mark.parametrize("jobs", [1, 3])
def test_any_error_anywhere_costs_its_source(faulty, fill, pictures, rows, errors, destination, tmp_path, jobs):
    names = [f"bug-{PLACES[n % len(PLACES)]}-{kind}.png" for n, kind in enumerate(KINDS)]
    names += [f"bug-{place}-ValueError.png" for place in PLACES] + ["bug-abort-KeyError.png"]
    fill(pictures, *names)
    done = faulty.run("images", pictures, destination, "--std", "5,10", "--with-clean", "-j", jobs, "--json")
    assert (done.status, "Traceback" in done.err) == (1, False), done.err
    found = errors(destination)
    assert found.keys() == set(names)
    assert {entry["reason"] for entry in found.values()} == {"internal-error"}
    for entry in found.values():
        assert "please report it" in entry["message"]
        assert entry["message"].isprintable()
    assert "OverflowError: what went wrong first" in found["bug-abort-KeyError.png"]["message"]
    assert {problem["reason"] for problem in done.summary["problems"]} == {"internal-error"}
    sound = [row for row in rows(destination).values() if not row["source"].startswith("bug-")]
    assert len(sound) == 10
    assert not _leftovers(destination)


def test_errors_are_the_same_bytes_for_any_number_of_jobs(faulty, fill, pictures, tmp_path):
    fill(pictures, *(f"bug-{place}-{kind}.png" for place in ("open", "finish") for kind in KINDS))
    for jobs in (1, 3):
        assert faulty.run("images", pictures, tmp_path / f"j{jobs}", "--std", "5", "-j", jobs).status == 1
    one, three = ((tmp_path / f"j{jobs}/errors.jsonl").read_bytes() for jobs in (1, 3))
    assert one == three


def test_a_run_goes_on_once_the_file_is_gone(faulty, images, fill, pictures, tree, destination, tmp_path):
    fill(pictures, "bug-finish-StopIteration.png", "bug-close.png")
    assert faulty.run("images", pictures, destination, "--std", "25").status == 1
    for name in ("bug-finish-StopIteration.png", "bug-close.png"):
        (pictures / name).unlink()
    assert images("--prune").status == 0
    assert images(to=tmp_path / "undisturbed").status == 0
    assert tree(destination) == tree(tmp_path / "undisturbed")


@pytest.mark.parametrize("place", PLACES)
def test_one_file_to_one_file(faulty, fill, tmp_path, place):
    source = fill(tmp_path / "in", f"bug-{place}-RecursionError.png")
    done = faulty.run("images", source / f"bug-{place}-RecursionError.png", tmp_path / "out.png", "--std", "25")
    assert (done.status, "please report it" in done.err, "Traceback" in done.err) == (1, True, False)
    assert not _leftovers(tmp_path)


@pytest.mark.parametrize("place", ["open", "blocks"])
@pytest.mark.parametrize("recompute", [False, True])
def test_verify_names_the_file_and_goes_on(faulty, images, fill, pictures, destination, place, recompute):
    fill(pictures, f"bug-{place}-AssertionError.png")
    assert images().status == 0
    words = ["verify", destination, "--json", *(["--recompute", pictures] if recompute else [])]
    done = faulty.run(*words)
    assert (done.status, "Traceback" in done.err) == (1, False), done.err
    [difference] = json.loads(done.out)["differences"]
    assert (difference["file_name"], difference["reason"]) == (f"bug-{place}-AssertionError.png", "internal-error")
    assert difference.keys() == {"file_name", "reason", "message"}
    if recompute:
        assert "Traceback" in faulty.run(*words, "-v").err


@pytest.mark.parametrize("key", ["copy", "key", "std", "warnings", "settings", "bytes"])
def test_an_edited_row_costs_itself_in_verify(noisy, images, pictures, destination, key):
    assert images("--limit", "2").status == 0
    path = destination / "manifest.jsonl"
    first, second = map(json.loads, path.read_text().splitlines())
    for value in (1e999, "1", [], {}, None, "9" * 5000):
        path.write_text(json.dumps({**first, key: value}) + "\n" + json.dumps(second) + "\n")
        done = noisy("verify", destination, "--recompute", pictures, "--json")
        assert "Traceback" not in done.err, value
        assert {entry["file_name"] for entry in json.loads(done.out)["differences"]} <= {first["file_name"]}, value
        assert "internal-error" not in done.out, value


def test_a_preview_shows_the_others(faulty, fill, pictures, tmp_path):
    for name in ("cats/c.png", "cats/d.png", "b.png"):
        (pictures / name).unlink()
    fill(pictures, "bug-blocks.png")
    done = faulty.run("preview", pictures, tmp_path / "look.png", "--std", "25")
    assert (done.status, "Traceback" in done.err) == (1, False), done.err
    assert (tmp_path / "look.png").exists()


# A worker whose answers cannot be sent, or who raises outside a source, as its file's name says.
ANSWERS = """
import builtins
import threading

from noisecli.errors import Refused, Stopped


class Odd(Stopped):
    def __init__(self, lock):
        super().__init__("an odd stop")
        self.lock = lock


class Answers:
    def work(self, chunk):
        for word in chunk:
            if word == "unsendable":
                return threading.Lock()
            if word == "memory":
                return Unsendable()
            if word == "odd":
                raise Odd(threading.Lock())
            if word == "refused":
                raise Refused("for a reason")
            if word in ("KeyboardInterrupt", "SystemExit", "ValueError"):
                raise getattr(builtins, word)("oh")
        return list(chunk)


class Unsendable:
    def __reduce__(self):
        raise MemoryError
"""


@pytest.fixture
def pool(tmp_path, monkeypatch):
    from noisecli.engines import Job, open_engine
    from noisecli.settings import Running

    (tmp_path / "answers").mkdir()
    (tmp_path / "answers/odd_answers.py").write_text(ANSWERS)
    monkeypatch.syspath_prepend(tmp_path / "answers")

    with open_engine(Job("odd_answers:Answers", (), ()), Running(jobs=2)) as opened:
        yield opened


@pytest.mark.parametrize(("word", "reason"), [("unsendable", "internal-error"), ("memory", "out-of-memory")])
def test_an_answer_that_cannot_be_sent_costs_its_chunk_only(pool, word, reason):
    answers = dict(zip("abc", (answer for _, answer in pool.run([["a"], [word], ["c"]])), strict=True))
    [lost] = [answer for answer in answers.values() if not isinstance(answer, list)]
    assert lost.reason == reason
    assert lost.problem_of("x.png").source == "x.png"
    assert sorted(answer for answer in answers.values() if isinstance(answer, list)) == [["a"], ["c"]]


@pytest.mark.parametrize(
    ("word", "kind", "words"),
    [
        ("odd", "Stopped", "an odd stop"),
        ("refused", "Refused", "for a reason"),
        *((word, "WorkerBug", f"{word}: oh") for word in ("KeyboardInterrupt", "SystemExit", "ValueError")),
    ],
)
def test_what_ends_a_run_arrives_whatever_it_is(pool, word, kind, words):
    with pytest.raises(Exception, match=words) as raised:
        list(pool.run([[word]]))
    assert type(raised.value).__name__ == kind


@pytest.mark.parametrize("error", [BlockingIOError(11, "Resource temporarily unavailable"), OSError(12, "No memory")])
def test_a_worker_that_cannot_be_started_is_one_line(images, destination, monkeypatch, error):
    def refuse(self):
        raise error

    monkeypatch.setattr("multiprocessing.context.ForkServerProcess.start", refuse)
    done = images()
    assert (done.status, done.err.count("no worker can be started"), "Traceback" in done.err) == (3, 1, False)
    monkeypatch.undo()
    assert images().status == 0


def test_a_server_that_cannot_be_started_is_one_line(noisy, fill, pictures, tmp_path, monkeypatch):
    def refuse():
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr("multiprocessing.forkserver.ensure_running", refuse)
    done = noisy("images", pictures / "a.png", tmp_path / "out.png", "--std", "5")
    assert (done.status, "no worker can be started" in done.err, "Traceback" in done.err) == (3, True, False)
    shutil.rmtree(pictures)


@pytest.mark.parametrize(("error", "lines"), [("BlockingIOError(11, 'fork')", 0), ("MemoryError", 0), ("KeyError", 1)])
def test_the_workers_server_leaves_the_words_to_us(error, lines):
    program = f"import noisecli.engines.preload; raise {error}"
    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True, timeout=600)
    assert done.stderr.count("Traceback") == lines
    assert done.returncode == 1
