"""sidecars.jsonl: side files are on record, and nothing that is not provably ours is replaced."""

import hashlib
import json
import os
import signal
import subprocess
import sys

import pytest

from noisecli.model import SideFile


@pytest.fixture
def labelled(fill, tmp_path):
    """Return images with labels beside them, and a class list."""
    return fill(tmp_path / "labelled", "a.png", "a.txt", "b/c.png", "b/c.xml", "classes.txt")


@pytest.fixture
def record(destination):
    """Return the rows of sidecars.jsonl by file_name."""

    def read(name="sidecars.jsonl", folder=destination):
        rows = map(json.loads, (folder / name).read_text().splitlines())
        return {row["file_name"]: row for row in rows}

    return read


def forget_record(destination):
    """Make a destination that of a version which kept no record of side files."""
    (destination / "sidecars.jsonl").unlink()
    run = json.loads((destination / "run.json").read_text())
    del run["totals"]["sidecars"]
    time = (destination / "run.json").stat().st_mtime_ns
    (destination / "run.json").write_text(json.dumps(run, indent=2, sort_keys=True) + "\n")
    os.utime(destination / "run.json", ns=(time, time))


@pytest.mark.parametrize("how", ["copy", "link"])
def test_every_side_file_has_a_row(images, labelled, record, tree, destination, how):
    assert images("--sidecars", how, "--copies", "2", source=labelled).status == 0
    rows = record()
    sources = {"a-1.txt": "a.txt", "a-2.txt": "a.txt", "b/c-1.xml": "b/c.xml", "b/c-2.xml": "b/c.xml"}
    sources["classes.txt"] = "classes.txt"
    assert list(rows) == sorted(sources)
    for name, row in rows.items():
        data = (labelled / sources[name]).read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        expected = {"file_name": name, "source": sources[name], "how": how, "bytes": len(data), "sha256": digest}
        assert row == expected
    assert json.loads((destination / "run.json").read_text())["totals"]["sidecars"] == 5
    before = tree(destination)
    assert images("--sidecars", how, "--copies", "2", "-j", "3", "--checksum", source=labelled).status == 0
    assert tree(destination) == before


def test_a_run_without_side_files_has_none(images, labelled, destination):
    assert images(source=labelled).status == 0
    assert not (destination / "sidecars.jsonl").exists()
    assert "sidecars" not in json.loads((destination / "run.json").read_text())["totals"]


def test_another_manifest_has_a_record_of_its_own(images, labelled, record, destination):
    assert images(source=labelled).status == 0
    words = ["--sidecars", "copy", "--manifest", "other.jsonl", "--name", "{stem}_x{ext}"]
    assert images(*words, source=labelled).status == 0
    assert record("other.sidecars.jsonl").keys() == {"a_x.txt", "b/c_x.xml", "classes.txt"}
    assert not (destination / "sidecars.jsonl").exists()


@pytest.mark.parametrize("edit", ["same time", "older"])
def test_an_edited_side_file_is_refused_whatever_its_time(images, labelled, record, tree, destination, edit):
    assert images("--sidecars", "copy", source=labelled).status == 0
    status = (destination / "a.txt").stat()
    (destination / "a.txt").write_text("corrected by hand\n")
    time = status.st_mtime_ns if edit == "same time" else 0
    os.utime(destination / "a.txt", ns=(time, time))
    before = tree(destination)
    done = images("--sidecars", "copy", source=labelled)
    assert (done.status, "a.txt: was edited since noisecli put it there" in done.err) == (2, True)
    assert tree(destination) == before
    assert images("--sidecars", "copy", "--force", source=labelled).status == 0
    assert (destination / "a.txt").read_bytes() == (labelled / "a.txt").read_bytes()


def test_a_file_of_somebody_else_is_refused_though_it_is_older(images, labelled, tree, destination):
    assert images(source=labelled).status == 0
    (destination / "a.txt").write_text("of somebody else")
    os.utime(destination / "a.txt", ns=(0, 0))
    (destination / "b/c.xml").symlink_to("/etc/hostname")
    before = tree(destination)
    done = images("--sidecars", "copy", source=labelled)
    assert (done.status, "a.txt: already exists, and noisecli did not put it there" in done.err) == (2, True)
    (destination / "a.txt").unlink()
    assert images("--sidecars", "copy", source=labelled).status == 2
    before.pop("a.txt")
    assert tree(destination) == before
    assert os.readlink(destination / "b/c.xml") == "/etc/hostname"


def test_a_changed_label_is_carried_again_though_its_copy_is_newer(images, labelled, record, destination):
    """The record proves that the copy is ours: its time proves nothing."""
    assert images("--sidecars", "copy", source=labelled).status == 0
    os.utime(destination / "a.txt")
    (labelled / "a.txt").write_text("a new label")
    os.utime(labelled / "a.txt", ns=(10**9, 10**9))
    assert images("--sidecars", "copy", source=labelled).status == 0
    assert (destination / "a.txt").read_text() == "a new label"
    assert record()["a.txt"]["sha256"] == hashlib.sha256(b"a new label").hexdigest()


def test_without_a_record_what_equals_its_source_is_taken_into_one(images, labelled, record, tree, destination):
    assert images("--sidecars", "copy", source=labelled).status == 0
    whole = tree(destination)
    forget_record(destination)
    os.utime(destination / "b/c.xml")
    assert images("--sidecars", "copy", source=labelled).status == 0
    assert tree(destination) == whole
    forget_record(destination)
    (destination / "a.txt").write_text("of somebody else")
    os.utime(destination / "a.txt", (1, 1))
    done = images("--sidecars", "copy", source=labelled)
    assert (done.status, "noisecli did not put it there" in done.err) == (2, True)
    assert (destination / "a.txt").read_text() == "of somebody else"


@pytest.mark.parametrize("earlier", ["skip", "copy", "link"])
def test_a_link_to_nothing_is_somebodys(images, labelled, destination, earlier):
    assert images("--sidecars", earlier, source=labelled).status == 0
    (destination / "a.txt").unlink(missing_ok=True)
    (destination / "a.txt").symlink_to("/media/not/there/notes.txt")
    assert images("--sidecars", "copy", source=labelled).status == 2
    assert os.readlink(destination / "a.txt") == "/media/not/there/notes.txt"


@pytest.mark.parametrize("how", ["copy", "link"])
def test_one_that_appears_in_mid_run_stays(faulty, fill, labelled, tree, errors, record, wait_until, destination, how):
    fill(labelled, "0-wait-read.png")
    process = faulty.start("images", labelled, destination, "--std", "25", "--sidecars", how, "--json", "-j", "1")
    wait_until(lambda: faulty.reached("read"), "a worker at its first file")
    (destination / "a.txt").write_text("of somebody else")
    faulty.gate.touch()
    out, _ = process.communicate()
    assert (process.returncode, json.loads(out)["sidecars_copied"]) == (1, 2)
    assert (destination / "a.txt").read_text() == "of somebody else"
    assert errors(destination)["a.txt"]["reason"] == "foreign-file"
    assert record().keys() == {"b/c.xml", "classes.txt"}


# Runs noisecli, and kills it when its manifest is due.
KILLED = """import os, sys, noisecli.run.pipeline as pipeline
pipeline.publish = lambda *_, **__: os.kill(os.getpid(), 9)
from noisecli.cli import main
main()"""


def test_what_a_killed_run_put_in_place_is_known_as_ours(images, labelled, record, tree, destination, tmp_path):
    words = ["images", labelled, destination, "--std", "25", "--sidecars", "copy"]
    done = subprocess.run([sys.executable, "-c", KILLED, *map(str, words)], check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL
    assert not (destination / "sidecars.jsonl").exists()
    assert (destination / "a.txt").exists()
    (labelled / "a.txt").write_text("a new label")
    os.utime(labelled / "a.txt", ns=(10**9, 10**9))
    (labelled / "b/c.xml").unlink()
    (labelled / "b/c.png").unlink()
    assert images("--sidecars", "copy", source=labelled).status == 0
    assert (destination / "a.txt").read_text() == "a new label"
    assert record().keys() == {"a.txt", "b/c.xml", "classes.txt"}


def test_a_list_that_is_not_ours_is_neither_replaced_nor_removed(images, labelled, destination):
    assert images(source=labelled).status == 0
    (destination / "sidecars.jsonl").write_text('{"mine": 1}\n')
    assert images("--std", "5", source=labelled).status == 0
    done = images("--sidecars", "copy", source=labelled)
    assert (done.status, "move it away" in done.err) == (2, True)
    assert (destination / "sidecars.jsonl").read_text() == '{"mine": 1}\n'


def test_a_list_that_is_gone_is_made_anew(images, labelled, tree, destination):
    assert images("--sidecars", "copy", source=labelled).status == 0
    whole = tree(destination)
    (destination / "sidecars.jsonl").unlink()
    assert images("--sidecars", "copy", source=labelled).status == 0
    assert tree(destination) == whole


FORGED = '{"file_name": "%s", "source": "zz/%s.txt", "how": "copy", "bytes": %d, "sha256": "%s"}\n'


@pytest.mark.parametrize("words", [("--sidecars", "copy", "--prune"), ("--prune",)])
@pytest.mark.parametrize("edit", ["forged", "torn", "of somebody else", ""])
def test_an_edited_list_proves_nothing_and_stays(images, labelled, tree, destination, edit, words):
    assert images("--sidecars", "copy", source=labelled).status == 0
    (destination / "thesis.txt").write_text("thesis")
    path = destination / "sidecars.jsonl"
    if edit == "forged":
        names = ["thesis.txt", "manifest.jsonl", *(each.name for each in destination.glob("*.png"))]
        for name in names:
            data = (destination / name).read_bytes()
            row = FORGED % (name, name.partition(".")[0], len(data), hashlib.sha256(data).hexdigest())
            path.write_text(path.read_text() + row)
    else:
        path.write_text({"torn": path.read_text()[:-9]}.get(edit, edit))
    before = {name: data for name, data in tree(destination).items() if name != "run.json"}
    done = images(*words, source=labelled)
    assert (done.status, "or was edited" in done.err) == ((2, True) if "copy" in words else (0, False))
    assert {name: data for name, data in tree(destination).items() if name != "run.json"} == before
    path.rename(destination / "away")
    assert images("--sidecars", "copy", source=labelled).status == 0


@pytest.mark.parametrize("name", ["sidecars.jsonl", "masks/a.png"])
def test_names_that_are_outputs_or_ours_are_refused(images, fill, labelled, tree, destination, name):
    assert images(source=fill(labelled, "masks/a.png")).status == 0
    fill(labelled, name)
    before = tree(destination)
    done = images("--sidecars", "copy", "--exclude", "masks/**", source=labelled)
    words = "noisecli's own file" if name == "sidecars.jsonl" else "is an output of an earlier run"
    assert (done.status, words in done.err) == (2, True)
    assert tree(destination) == before


def test_an_excluded_image_that_had_noise_loses_its_row(images, noisy, fill, labelled, rows, record, destination):
    assert images(source=fill(labelled, "masks/a.png")).status == 0
    assert images("--sidecars", "copy", "--exclude", "masks/**", "--force", source=labelled).status == 0
    assert rows(destination).keys() == {"a.png", "b/c.png"}
    assert record()["masks/a.png"]["sha256"] == hashlib.sha256((labelled / "masks/a.png").read_bytes()).hexdigest()
    assert images("--force", source=labelled).status == 0
    assert "masks/a.png" in rows(destination)
    assert "masks/a.png" not in record()


def test_content_that_noisecli_makes(images, labelled, record, tree, destination, monkeypatch):
    """Files that name their images are written anew for each copy; they are on record as any other."""
    made = json.dumps({"images": ["a-1.png"]}).encode()

    def content():
        return made

    files = [SideFile("classes.txt", "all.json", content, ("a.txt",))]
    monkeypatch.setattr("noisecli.run.plan.Plan.sidecars", lambda self, own=False: iter(files))
    assert images("--sidecars", "copy", source=labelled).status == 0
    assert (destination / "all.json").read_bytes() == made
    digests = {name: hashlib.sha256((labelled / name).read_bytes()).hexdigest() for name in ("a.txt", "classes.txt")}
    expected = {"file_name": "all.json", "source": "classes.txt", "how": "rewritten", "bytes": len(made)}
    assert record() == {"all.json": {**expected, "sha256": hashlib.sha256(made).hexdigest(), "sources": digests}}
    before = tree(destination)
    assert images("--sidecars", "copy", source=labelled).status == 0
    assert tree(destination) == before
    made = b"{}"
    assert images("--sidecars", "copy", source=labelled).status == 0
    assert (destination / "all.json").read_bytes() == made
    (destination / "all.json").write_text("edited")
    assert images("--sidecars", "copy", source=labelled).status == 2
