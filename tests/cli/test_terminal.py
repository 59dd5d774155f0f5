"""What comes from inside files, from names and from libraries cannot act on a terminal, nor pass for a line of ours."""

import json
import os
import pty
import re
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from noisecli.cli.terminal import say, say_block, visible

PACKAGE = Path(__file__).parent.parent.parent / "noisecli"
HOSTILE = "x\x1b[2J\nnoisecli: all is well\r\x9b\u202e\u2066\u2028\x7f"
ACTING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
HEADER = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"
NPY = b"\x93NUMPY\x01\x00v\x00" + HEADER.ljust(117) + b"\n."


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("photos/été 日本 – ß.png", "photos/été 日本 – ß.png"),
        ("\x1b[31m\n\r\t\0\x7f", r"\x1b[31m\n\r\t\x00\x7f"),
        ("\x9b\x85", r"\x9b\x85"),
        ("a\u202egnp.exe\u2069", r"a\u202egnp.exe\u2069"),
        ("one\u2028two\u2029", r"one\u2028two\u2029"),
        ("\ud800\udcff", r"\ud800\udcff"),
        ("tags\U000e0041", r"tags\U000e0041"),
        ("👩\u200d🔬", "👩\u200d🔬"),
    ],
)
def test_what_a_terminal_acts_on_is_spelled_and_letters_stay(text, shown):
    assert ascii(visible(text)) == ascii(shown)


def test_an_endless_line_keeps_its_beginning_and_its_end(capfd):
    say("begins " + "x" * 1_000_000 + " ends")
    err = capfd.readouterr().err
    assert len(err) < 5000
    assert err.startswith("begins ")
    assert err.endswith(" ends\n")


def test_lines_of_a_traceback_are_marked(capfd):
    say_block("Traceback:\n  File\nValueError: x\nnoisecli: all is well\x1b[2J\n")
    assert all(line.startswith("| ") for line in capfd.readouterr().err.splitlines())


def test_nothing_else_writes_to_standard_error():
    writes = re.compile(
        r"\bprint\(|err=True|print_exc|stderr\.(write|buffer)|file=sys\.stderr|import logging|warnings\.warn\("
        r"|secho\(|write\(2\b|style\("
    )
    found = {path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py") if writes.search(path.read_text())}
    # Ray's own logger is silenced there
    assert found == {"cli/terminal.py", "engines/ray/cluster.py"}
    stdout = re.compile(r"click\.echo\(|sys\.stdout\.(write|buffer)")
    found = {path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py") if stdout.search(path.read_text())}
    assert found == {"storage/stdout.py"}


def archive(path, *names, content=NPY):
    path.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w") as file:
        for name in names:
            file.writestr(name, content)


def tensors(path, header):
    path.parent.mkdir(exist_ok=True)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(8))


def odd_names(folder, fill):
    fill(folder, "a.png")
    for name in (HOSTILE, f"{HOSTILE}2"):
        (folder / f"{name}.png").write_bytes(b"")
    return ["images", folder, folder.parent / "dst", "--std", "5"]


def npz_member(folder, fill):
    archive(folder / "a.npz", f"{HOSTILE}.npy")
    return ["arrays", folder, folder.parent / "dst", "--std", "5"]


def npz_twice(folder, fill):
    archive(folder / "a.npz", f"{HOSTILE}.npy", "b.npy", content=NPY[:40])
    return ["arrays", folder, folder.parent / "dst", "--std", "5", "--key", HOSTILE]


def keras_member(folder, fill):
    archive(folder / "a.keras", "config.json", f"{HOSTILE}.h5", content=json.dumps({"class_name": HOSTILE}).encode())
    return ["weights", folder, folder.parent / "dst", "--std", "5"]


def tensor_dtype(folder, fill):
    tensors(folder / "a.safetensors", {HOSTILE: {"dtype": HOSTILE, "shape": [2], "data_offsets": [0, 8]}})
    return ["weights", folder, folder.parent / "dst", "--std", "5"]


def tensor_offsets(folder, fill):
    tensors(folder / "a.safetensors", {HOSTILE: {"dtype": "F32", "shape": [2], "data_offsets": [0, 99]}})
    return ["weights", folder, folder.parent / "dst", "--std", "5"]


def no_match(folder, fill):
    tensors(folder / "a.safetensors", {HOSTILE: {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}})
    return ["weights", folder, folder.parent / "dst", "--std", "5", "--tensors", f"no{HOSTILE}"]


def destination_name(folder, fill):
    fill(folder, "a.png")
    return ["images", folder, folder.parent / HOSTILE, "--std", "5"]


def one_file(folder, fill):
    return ["images", fill(folder, "a.png") / "a.png", folder / f"{HOSTILE}.png", "--std", "5"]


def words(*arguments):
    def case(folder, fill):
        fill(folder, "a.png")
        return [folder if word == "SRC" else folder.parent / "dst" if word == "DST" else word for word in arguments]

    return case


CASES = {
    "sources": odd_names,
    "npz member": npz_member,
    "npz members": npz_twice,
    "keras member": keras_member,
    "tensor's type": tensor_dtype,
    "tensor's place": tensor_offsets,
    "--tensors": no_match,
    "DST": destination_name,
    "one file": one_file,
    "SRC": words("images", HOSTILE, "DST", "--std", "5"),
    "command": words(HOSTILE),
    "option": words("images", "SRC", "DST", f"--{HOSTILE}"),
    "level": words("images", "SRC", "DST", "--std", HOSTILE),
    "--include": words("images", "SRC", "DST", "--std", "5", "--include", f"[z-a]{HOSTILE}"),
    "--name": words("images", "SRC", "DST", "--std", "5", "--name", f"{HOSTILE}{{stem}}{{ext}}"),
    "--manifest": words("images", "SRC", "DST", "--std", "5", "--manifest", f"{HOSTILE}.jsonl"),
    "--files0-from": words("images", "SRC", "DST", "--std", "5", "--files0-from", HOSTILE),
    "--model": words("adversarial", "SRC", "DST", "--model", f"{HOSTILE}.keras", "--eps", "1%", "--std", "5"),
    "--format": words("images", "SRC", "DST", "--std", "5", "--format", HOSTILE),
    "--shape": words("latents", "DST", "--shape", HOSTILE, "--count", "1"),
    "preview": words("preview", HOSTILE, "o.png", "--std", "5"),
    "export": words("export", HOSTILE, "--to", "csv"),
    "verify": words("verify", HOSTILE),
}


def assert_harmless(err):
    assert err
    assert ACTING.findall(err) == []
    assert "Traceback" not in err
    assert not any(line.startswith("noisecli: all is well") for line in err.splitlines())


@pytest.mark.parametrize("case", CASES)
def test_no_name_acts_on_a_terminal(noisy, fill, tmp_path, case):
    done = noisy(*CASES[case](tmp_path / "src", fill))
    assert done.status in (0, 1, 2)
    assert_harmless(done.err)


@pytest.mark.parametrize("key", ["file_name", "source", "bytes", "sha256", "shape", "settings", "unit", "key", "copy"])
@pytest.mark.parametrize("command", [["verify"], ["verify", "--recompute", "SRC"], ["export", "--to", "csv"]])
def test_no_value_of_a_manifest_acts_on_a_terminal(noisy, images, pictures, destination, key, command):
    assert images().status == 0
    manifest = destination / "manifest.jsonl"
    lines = [json.dumps({**json.loads(line), key: HOSTILE}) for line in manifest.read_text().splitlines()]
    manifest.write_text("".join(f"{line}\n" for line in lines))
    name, *rest = [pictures if word == "SRC" else word for word in command]
    done = noisy(name, destination, *rest)
    assert done.status in (0, 1, 2)
    if done.err:
        assert_harmless(done.err)


@pytest.mark.parametrize("key", ["noisecli", "kind", "stream"])
def test_no_value_of_run_json_acts_on_a_terminal(noisy, images, pictures, destination, key):
    assert images().status == 0
    run = destination / "run.json"
    run.write_text(json.dumps({**json.loads(run.read_text()), key: HOSTILE}))
    for words_ in (["verify", destination, "--recompute", pictures], ["export", destination, "--to", "hf"]):
        done = noisy(*words_)
        if done.err:
            assert_harmless(done.err)


def test_programs_still_get_the_name_itself(images, pictures):
    (pictures / f"{HOSTILE}.png").write_bytes(b"")
    done = images("--json")
    assert ACTING.findall(done.out) == []
    assert [problem["source"] for problem in done.summary["problems"]] == [f"{HOSTILE}.png"]


def test_a_table_on_a_terminal_shows_names_and_in_a_file_it_has_them(images, fill, spawn, tmp_path, destination):
    assert images(source=fill(tmp_path / "odd", "\x1b]0;title\x07.png")).status == 0
    ours, theirs = pty.openpty()
    process = spawn("export", destination, "--to", "csv", stdout=theirs)
    process.wait()
    os.close(theirs)
    shown = os.read(ours, 65536).decode()
    os.close(ours)
    assert "\x1b" not in shown
    assert r"\x1b]0;title\x07.png" in shown
    assert "\x1b]0;title\x07.png" in spawn("export", destination, "--to", "csv").communicate()[0].decode()


def test_a_traceback_of_ours_is_marked_and_the_last_line_says_what_to_do(fill, tmp_path):
    """A bug that is no single file's: here, in the command line itself."""
    script = (
        "import sys, noisecli.cli.request as b\n"
        "def fail(*a): raise ValueError('odd\\x1b[2J\\nnoisecli: all is well')\n"
        "b.request = fail\n"
        "from noisecli.cli import main; main()"
    )
    folder = fill(tmp_path / "src", "a.png")
    command = [sys.executable, "-c", script, "images", folder, tmp_path / "dst", "--std", "5"]
    done = subprocess.run(command, check=False, capture_output=True, timeout=600)
    err = done.stderr.decode()
    assert done.returncode == 3
    assert ACTING.findall(err) == []
    *trace, last = err.splitlines()
    assert all(line.startswith("| ") for line in trace)
    for word in ("ValueError", "noisecli images", "please report it", "Python 3"):
        assert word in last
