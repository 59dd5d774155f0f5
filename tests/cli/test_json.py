"""--json: one object on standard output however a command ends, and nothing else there."""

import errno
import json
import os
import signal
import subprocess
import sys

import pytest

COMMON = ["command", "version", "exit_status", "source", "destination", "error"]


@pytest.fixture
def told(accept):
    """Check what a command printed; return it."""

    def check(done, status):
        assert done.status == status, done
        assert done.out.count("\n") == 1
        summary = done.summary
        assert list(summary)[: len(COMMON)] == COMMON
        assert summary["exit_status"] == status
        accept("summary", summary["command"] or "none", summary)
        return summary

    return check


def test_a_refusal(told, noisy, images, pictures, destination):
    for done in (images("--json", to=pictures / "below"), noisy("images", "nowhere", "dst", "--std", "5", "--json")):
        summary = told(done, 2)
        assert done.err == f"noisecli: {summary['error']}\n"
        assert (summary["command"], summary["made"], summary["problems"]) == ("images", 0, [])
    assert (summary["source"], summary["destination"]) == ("nowhere", "dst")
    for words in (["verify"], ["export", "--to", "hf"]):
        summary = told(noisy(*words, pictures, "--json"), 2)
        assert (summary["command"], summary["destination"]) == (words[0], os.fspath(pictures))
        assert "noisecli" in summary["error"]


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ("images SRC DST --json", "images"),
        ("images SRC DST --std 5 --sigma 3 --json", "images"),
        ("images --json SRC DST --std 5 --jobs none", "images"),
        ("latents DST --json", "latents"),
        ("export DST --json", "export"),
        ("preview SRC OUT.gif --std 5 --json", "preview"),
        ("pictures SRC DST --json", None),
        ("--json images SRC DST", None),
    ],
)
def test_words_that_cannot_be_read(told, noisy, words, command):
    done = noisy(*words.split())
    summary = told(done, 2)
    assert summary["command"] == command
    assert done.err == f"noisecli: {summary['error']}\n"


def test_json_behind_two_dashes_is_a_name(noisy):
    done = noisy("images", "--std", "5", "--", "nowhere", "--json")
    assert (done.status, done.out) == (2, "")


@pytest.mark.parametrize("words", ["images SRC/a.png -", "export DST --to csv", "preview SRC -"])
def test_standard_output_is_not_shared(told, images, noisy, pictures, destination, words):
    assert images().status == 0
    given = words.replace("SRC", os.fspath(pictures)).replace("DST", os.fspath(destination)).split()
    level = () if given[0] == "export" else ("--std", "5")
    summary = told(noisy(*given, *level, "--json"), 2)
    assert "name a file" in summary["error"]


def test_a_run_that_stops(told, images, pictures):
    (pictures / "a.png").write_bytes(b"")
    summary = told(images("--on-error", "stop", "-j", "1", "--json"), 3)
    assert summary["error"] == f"stopped: {summary['stopped']}"
    assert summary["failed"] == 1


def test_problems_are_in_one_order_for_any_number_of_jobs(told, images, pictures, tmp_path):
    for number in range(12):
        (pictures / f"{number * 7 % 12}.png").write_bytes(b"\x89PNG" * (number % 2))
        (pictures / f"{number}.jxl").touch()
    found = [told(images("-j", jobs, "--json", to=tmp_path / str(jobs)), 1) for jobs in (1, 3)]
    sources = [problem["source"] for problem in found[0]["problems"]]
    assert sources == sorted(sources)
    assert len(sources) == 24
    size = sum(path.stat().st_size for path in pictures.rglob("*.png"))
    assert found[0]["input_bytes"] == size
    for summary in found:
        del summary["destination"]
    assert found[0] == found[1]


def test_another_run_holds_the_destination(told, spawn, images, pictures, destination, wait_until, faulty, fill):
    fill(pictures, "wait-read.png")
    process = faulty.start("images", pictures, destination, "--std", "25", "--json", "-j", "2")
    wait_until(lambda: faulty.reached("read"), "its worker")
    summary = told(images("--json"), 3)
    assert "another run is writing there" in summary["error"]
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate()
    assert process.returncode == 143
    summary = json.loads(out)
    assert (summary["exit_status"], summary["planned"], summary["error"] in err.decode()) == (143, 6, True)
    assert "SIGTERM" in summary["error"]
    assert out.count(b"\n") == 1


def test_an_error_of_ours_and_of_the_system(told, noisy, images, monkeypatch):
    from noisecli.run import pipeline

    def fails(error):
        def failing(*_, **__):
            raise error

        return failing

    for error, words in [(ValueError("odd"), "please report it"), (OSError(errno.EMFILE, "too many"), "ulimit")]:
        monkeypatch.setattr(pipeline, "find_sources", fails(error))
        assert words in told(images("--json"), 3)["error"]
    monkeypatch.setattr(pipeline, "find_sources", fails(KeyboardInterrupt()))
    assert "SIGINT" in told(images("--json"), 130)["error"]


def test_names_that_a_log_would_obey(told, images, pictures):
    name = "##[error]x\n::warning::y.png"
    (pictures / name).write_bytes(b"")
    done = images("--json")
    assert told(done, 1)["problems"][0]["source"] == name
    assert "##[" not in done.out
    assert not done.out.startswith("::")


def test_paths_are_as_typed(told, images, pictures, destination, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    summary = told(images("--json", source="./src/", to=b"d\xff"), 0)
    assert (summary["source"], summary["destination"]) == ("./src/", "d%FF")
    summary = told(images("--json", source="src/a.png", to="dst/"), 0)
    assert (summary["source"], summary["destination"]) == ("src/a.png", "dst/")


def test_export_tells_what_it_wrote(told, images, noisy, pictures, destination, tmp_path):
    (pictures / "broken.png").write_bytes(b"")
    assert images("--with-clean").status == 1
    for form, rows in (("pairs", 5), ("labels", 10), ("csv", 5)):
        table = os.fspath(tmp_path / f"{form}.csv")
        summary = told(noisy("export", destination, "--to", form, "-o", table, "--json"), 0)
        assert (summary["files"], summary["rows"], summary["left_out"]) == ([table], rows, 1)
    summary = told(noisy("export", destination, "--to", "hf", "--json"), 0)
    assert (summary["kind"], summary["to"], summary["rows"]) == ("images", "hf", 10)
    assert all(os.path.exists(path) for path in summary["files"])
    assert len(summary["files"]) == 2


def test_standard_output_that_is_full_or_closed_changes_no_refusal(pictures):
    words = [
        sys.executable,
        "-m",
        "noisecli",
        "images",
        os.fspath(pictures),
        os.fspath(pictures),
        "--std",
        "5",
        "--json",
    ]
    for stream in (">&-", *([">/dev/full"] if os.path.exists("/dev/full") else [])):
        line = f'exec "$@" {stream}'
        done = subprocess.run(["bash", "-c", line, "bash", *words], check=False, capture_output=True, timeout=600)
        assert (done.returncode, done.stderr.count(b"\n")) == (2, 1)
