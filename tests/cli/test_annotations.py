"""--annotations github: workflow commands that no file name can forge, and a job summary that holds text alone."""

import os
import re
import subprocess
import sys

import pytest

HOSTILE = ["a|b`<img>%0A.png", "::error::x.png", "line\n::warning::y.png", "##[error]z.png", "a:b,c%.png"]
COMMAND = re.compile(r"::(error|warning|notice) (?:file=([^,:]*),)?title=([^,:]*)::(.*)")


@pytest.fixture
def on_github(tmp_path):
    """Run noisecli in a process of its own as a step of a job does; more variables may be given."""

    def run(*words, **variables):
        environment = {**os.environ, "GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": os.fspath(tmp_path), **variables}
        command = [sys.executable, "-m", "noisecli", *words]
        return subprocess.run(command, check=False, capture_output=True, cwd=tmp_path, env=environment, timeout=600)

    return run


def commands_in(finished):
    """Return what GitHub's runner takes for commands on both streams, decoded as it decodes them."""
    lines = (finished.stdout + b"\n" + finished.stderr).decode().splitlines()
    assert not any("##[" in line for line in lines if not line.startswith("::"))
    found = []
    for line in lines:
        if line.lstrip().startswith("::"):
            severity, path, title, message = COMMAND.fullmatch(line).groups()
            found.append((severity, decoded(path or ""), decoded(title), decoded(message)))
    return found


def decoded(text):
    for code, letter in (("%2C", ","), ("%3A", ":"), ("%0A", "\n"), ("%0D", "\r"), ("%25", "%")):
        text = text.replace(code, letter)
    return text


def cells_of(markdown):
    """Return the cells of all tables."""
    return [line.strip("|").split("|") for line in markdown.splitlines() if line.startswith("|")]


def test_every_problem_once_whatever_its_name(on_github, pictures, tmp_path):
    raw = os.fsencode(pictures) + b"/raw\xff.png"
    for path in [*(os.fsencode(pictures / name) for name in HOSTILE), raw]:
        open(path, "wb").close()
    (pictures / "photo.jxl").write_bytes(b"jxl")
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    done = on_github("images", "src", "dst", "--std", "25", "--json", "-j", "2", GITHUB_STEP_SUMMARY="summary.md")
    assert done.returncode == 1
    assert done.stdout.startswith(b'{"command": "images"')
    assert b"\n::" not in done.stdout
    found = commands_in(done)
    assert sorted(path for _, path, _, _ in found) == sorted(
        [*(f"src/{name}" for name in HOSTILE), "src/raw%FF.png", "src/photo.jxl"]
    )
    assert [path for severity, path, _, _ in found if severity == "warning"] == ["src/photo.jxl"]
    assert {title for severity, _, title, _ in found if severity == "error"} == {"noisecli images: failed empty"}
    text = summary.read_text()
    assert text.startswith("before\n### noisecli images")
    tables = cells_of(text)
    assert {len(cells) for cells in tables} == {4, 5}
    assert [cell.strip() for cell in tables[2][:4]] == ["5", "0", "6", "1"]
    assert "std=25" in tables[2][4].replace("&#58;", ":")
    assert len(tables) == 3 + 2 + 7
    assert not {"<", "`", "[", "*"} & set(text.partition("###")[2])


def test_as_many_as_github_shows(on_github, pictures, tmp_path):
    for number in range(25):
        (pictures / f"broken{number:02}.png").touch()
        (pictures / f"photo{number:02}.jxl").touch()
    done = on_github("images", "src", "dst", "--std", "5", "-q", GITHUB_STEP_SUMMARY=os.fspath(tmp_path / "s.md"))
    found = commands_in(done)
    assert [severity for severity, *_ in found] == ["error"] * 10 + ["warning"] * 10 + ["notice"]
    assert "15 more errors and 15 more warnings" in found[-1][3]
    assert len(cells_of((tmp_path / "s.md").read_text())) == 3 + 2 + 20
    assert "30 more" in (tmp_path / "s.md").read_text()


@pytest.mark.parametrize("words", [["--annotations", "none"], []])
def test_not_asked_for(on_github, pictures, tmp_path, words):
    (pictures / "::broken.png").touch()
    actions = {} if words else {"GITHUB_ACTIONS": "false"}
    done = on_github("images", "src", "dst", "--std", "5", *words, GITHUB_STEP_SUMMARY="s.md", **actions)
    assert b"title=" not in done.stderr
    assert (b"\n::broken" in b"\n" + done.stderr) == (not words)
    assert not (tmp_path / "s.md").exists()


def test_asked_for_anywhere(images, pictures):
    (pictures / "broken.png").touch()
    assert "::error file=" in images("--annotations", "github").err


@pytest.mark.parametrize("path", ["no/such/folder.md", "src", "pipe"])
def test_a_summary_that_cannot_be_written_changes_nothing(on_github, pictures, tmp_path, path):
    os.mkfifo(tmp_path / "pipe")
    done = on_github("images", "src", "dst", "--std", "5", GITHUB_STEP_SUMMARY=path)
    assert done.returncode == 0
    assert done.stderr.count(b"GITHUB_STEP_SUMMARY") == 1
    assert b"Traceback" not in done.stderr


def test_differences_and_refusals(noisy, images, pictures, destination, tmp_path, monkeypatch):
    assert images().status == 0
    (destination / "cats/c.png").write_bytes(b"edited")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "s.md")
    done = noisy("verify", "dst")
    assert done.status == 1
    assert "::error file=dst/cats/c.png,title=noisecli verify%3A differs size-differs::" in done.err
    assert cells_of((tmp_path / "s.md").read_text())[2][2].strip() == "1"
    (destination / "cats/c.png").unlink()
    (destination / "run.json").unlink()
    done = noisy("verify", "dst")
    assert done.status == 2
    assert done.err.splitlines()[1].startswith("::error title=noisecli verify::")
    (pictures / "a.png").touch()
    done = noisy("preview", "src", "sheet.png", "--std", "5", "--include", "*.png")
    assert done.status == 0
    (pictures / "a.png").write_bytes(b"")
    done = noisy("preview", "src/a.png", "other.png", "--std", "5")
    assert "::error file=src/a.png,title=noisecli preview%3A failed empty::" in done.err


def test_one_file(on_github, pictures):
    (pictures / "a.png").write_bytes(b"")
    done = on_github("images", "src/a.png", "out.png", "--std", "5")
    assert commands_in(done)[0][1] == "src/a.png"
    done = on_github("images", "src/a.png", "-", "--std", "5")
    assert (done.stdout, len(commands_in(done))) == (b"", 1)
