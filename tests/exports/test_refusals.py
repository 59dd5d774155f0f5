"""Half a table is worse than none."""

import json
import os

import pytest

from noisecli.exports import EXPORTS, Export

KINDS = list(EXPORTS)


@pytest.fixture
def finished(ready_made, images, destination):
    return ready_made("export", destination, lambda: images("--with-clean"))


def damage_missing(folder):
    (folder / "noisy/e.png").unlink()


def damage_missing_clean(folder):
    (folder / "clean/cats/c.png").unlink()


def damage_size(folder):
    with open(folder / "noisy/e.png", "ab") as file:
        file.write(b"more")


def damage_interrupted(folder):
    (folder / ".noisecli-journal").write_text("{}\n")


def damage_torn(folder):
    content = (folder / "manifest.jsonl").read_bytes()
    (folder / "manifest.jsonl").write_bytes(content[:-20])


def damage_short(folder):
    lines = (folder / "manifest.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "manifest.jsonl").write_bytes(b"".join(lines[:-1]))


def damage_leads_out(folder):
    content = (folder / "manifest.jsonl").read_text()
    (folder / "manifest.jsonl").write_text(content.replace('"noisy/e.png"', '"../noisy/e.png"'))


def damage_manifest(folder):
    (folder / "manifest.jsonl").unlink()


def damage_run(folder):
    (folder / "run.json").unlink()


ODD = {
    "source": ["../a.png", 5, ["a"], "\ud800/a.png"],
    "level": ["\udc80"],
    "copy": ["abc", [1]],
    "std": ["x", {"a": 1}, 10**400],
    "drawn": ["x", [1]],
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in ODD.items() for value in values])
def test_a_row_that_somebody_edited_is_refused(finished, export, kind, key, value):
    lines = (finished / "manifest.jsonl").read_text().splitlines()
    edited = json.dumps({**json.loads(lines[0]), key: value})
    (finished / "manifest.jsonl").write_text("\n".join([edited, *lines[1:], ""]))
    done = export("--to", kind)
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)


@pytest.mark.parametrize("command", ["export", "verify"])
def test_a_line_of_brackets_is_no_row(finished, noisy, command):
    with open(finished / "manifest.jsonl", "a") as file:
        file.write("[" * 200_000 + "]" * 200_000 + "\n")
    done = noisy(command, finished, *(["--to", "csv"] if command == "export" else []))
    assert done.status == (2 if command == "export" else 1)
    assert "Traceback" not in done.err


DAMAGES = {name: function for name, function in globals().items() if name.startswith("damage_")}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_not_whole_is_refused(finished, export, tree, tmp_path, kind, damage):
    DAMAGES[damage](finished)
    before = tree(finished)
    for words in [[], *([["-o", tmp_path / "table.csv"]] if kind != "hf" else [])]:
        done = export("--to", kind, *words)
        assert (done.status, done.out) == (2, "")
        assert done.err.count("\n") == 1
        assert "run the same command again" in done.err or "noisecli" in done.err
    assert tree(finished) == before
    assert sorted(os.listdir(tmp_path)) == ["dst", "src"]


@pytest.mark.parametrize("kind", ["pairs", "labels"])
def test_a_run_without_clean_files_says_what_to_do(images, export, kind):
    assert images().status == 0
    done = export("--to", kind)
    assert (done.status, done.out) == (2, "")
    assert "--with-clean" in done.err


def test_pairs_are_not_made_of_half_a_run(images, export, pictures, fill):
    """Rows of an earlier run without clean files stand beside those of this one."""
    assert images().status == 0
    fill(pictures, "z.png")
    assert images("--with-clean", "--include", "z.png").status == 0
    done = export("--to", "pairs")
    assert (done.status, done.out) == (2, "")


def test_a_library_that_is_missing_is_named(finished, export, monkeypatch):
    monkeypatch.setitem(EXPORTS, "pairs", Export("noisecli_of_tomorrow", "", install="tomorrow"))
    done = export("--to", "pairs")
    assert (done.status, done.out) == (2, "")
    assert "pip install tomorrow" in done.err


def test_a_file_that_stands_is_replaced_only_by_force(finished, export, tmp_path):
    table = tmp_path / "table.csv"
    table.write_text("precious")
    assert export("--to", "pairs", "-o", table).status == 2
    assert table.read_text() == "precious"
    assert export("--to", "pairs", "-o", table, "--force").status == 0
    assert table.read_text().startswith("clean,noisy\n")


def test_words_that_do_not_fit_are_refused(finished, export, tmp_path):
    assert export().status == 2
    assert export("--to", "xml").status == 2
    assert export("--to", "hf", "-o", tmp_path / "x").status == 2
    assert export("--to", "hf", "--absolute").status == 2
    assert export("--to", "csv", "-o", tmp_path / "none/x.csv").status == 2
    assert export("--to", "csv", folder=tmp_path / "none").status == 2
    assert sorted(os.listdir(tmp_path)) == ["dst", "src"]


def test_no_file_of_the_run_is_replaced_by_a_table(images, pictures, export, destination, tree):
    (pictures / "cats/note.txt").write_text("side")
    assert images("--sidecars", "copy").status == 0
    before = tree(destination)
    for name in ("manifest.jsonl", "run.json", "sidecars.jsonl", "a.png", "cats/note.txt"):
        done = export("--to", "csv", "-o", destination / name, "--force")
        assert (done.status, done.err.count("\n"), "a file of the run" in done.err) == (2, 1, True), name
    assert tree(destination) == before
