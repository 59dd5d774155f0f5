"""A run replaces what a row tells to be noisecli's, and no other file, whenever it came and however it is spelled."""

import os
import shutil
import subprocess

import pytest

from noisecli.run import twins
from noisecli.storage import folder_at
from tests.fixtures.running import PROGRAMS


def test_two_runs_at_once_under_two_manifests_make_no_file_twice(
    faulty, fill, noisy, rows, pictures, tree, destination, wait_until
):
    fill(pictures, "0-wait-write.png")
    process = faulty.start("images", pictures, destination, "--std", "25", "-j", "1")
    wait_until(lambda: faulty.reached("write"), "a worker with its first output")
    done = noisy("images", pictures, destination, "--std", "50", "--manifest", "other.jsonl")
    assert done.status == 0
    faulty.gate.touch()
    _, err = process.communicate()
    assert process.returncode == 1
    assert b"--force" in err
    assert len(rows(destination, "other.jsonl")) == 6
    assert len(rows(destination)) == 0
    for words in ([], ["--manifest", "other.jsonl"]):
        found = noisy("verify", destination, *words)
        assert found.status == 0, found.err


@pytest.mark.parametrize("words", [[], ["--with-clean"]], ids=" ".join)
def test_a_file_that_comes_to_an_outputs_name_in_mid_run(
    faulty, fill, pictures, rows, errors, destination, wait_until, words
):
    fill(pictures, "0-wait-write.png")
    process = faulty.start("images", pictures, destination, "--std", "25", "-j", "1", *words)
    wait_until(lambda: faulty.reached("write"), "a worker with its first output")
    side = destination / "noisy" if words else destination
    (side / "e.png").write_bytes(b"of somebody else")
    os.symlink("nowhere", side / "b.png")
    faulty.gate.touch()
    process.communicate()
    assert process.returncode == 1
    assert (side / "e.png").read_bytes() == b"of somebody else"
    assert os.readlink(side / "b.png") == "nowhere"
    assert errors(destination).keys() == {"b.png", "e.png"}
    assert {row["source"] for row in rows(destination).values()} == {
        "0-wait-write.png",
        "a.png",
        "cats/c.png",
        "cats/d.png",
    }
    if words:
        assert not (destination / "clean/e.png").exists()


def test_one_file_does_not_replace_what_came_meanwhile(faulty, fill, tmp_path, wait_until):
    source = fill(tmp_path / "in", "wait-write.png") / "wait-write.png"
    process = faulty.start("images", source, tmp_path / "noisy.png", "--std", "25")
    wait_until(lambda: faulty.reached("write"), "a worker with its output")
    (tmp_path / "noisy.png").write_bytes(b"of somebody else")
    faulty.gate.touch()
    process.communicate()
    assert process.returncode == 1
    assert (tmp_path / "noisy.png").read_bytes() == b"of somebody else"
    assert sorted(os.listdir(tmp_path)) == ["in", "noisy.png", "state"]


def test_an_output_from_the_future_is_not_newer_than_a_change(images, pictures, png, rows, destination):
    assert images().status == 0
    before = rows(destination)["a.png"]["source_sha256"]
    os.utime(destination / "a.png", (4e9, 4e9))
    (pictures / "a.png").write_bytes(png(1))
    assert images("--json").summary["made"] == 1
    assert rows(destination)["a.png"]["source_sha256"] != before


@pytest.mark.parametrize(
    ("names", "refused"),
    [
        (["x.png", "X.png"], True),
        (["cats/x.png", "Cats/X.PNG"], True),
        (["caf\u00e9.png", "cafe\u0301.png"], True),
        (["stra\u00dfe.png", "STRASSE.png"], True),
        (["x.png", "x.png.d/y.png", "X.PNG.D/z.png"], False),
        (["x.png", "X.png/y.png"], True),
        (["Manifest.jsonl"], True),
        (["a.png", "b.png", "A/a.png"], False),
    ],
    ids=str,
)
def test_names_that_are_one_where_case_does_not_count(names, refused):
    def check():
        twins.refuse_twins(names, ["manifest.jsonl", "run.json"], "dst")

    if refused:
        with pytest.raises(twins.Refused, match="would be one file in dst"):
            check()
    else:
        check()


def test_twins_are_refused_before_any_work(images, fill, pictures, destination, monkeypatch):
    fill(pictures, "A.png")
    assert images("--limit", "1").status == 0
    shutil.rmtree(destination)
    monkeypatch.setattr("noisecli.storage.LocalFolder.folds_case", lambda folder, name: True)
    done = images()
    assert done.status == 2
    assert "A.png and a.png would be one file" in done.err
    assert not destination.exists()


@pytest.mark.parametrize("words", [[], ["--with-clean"]], ids=" ".join)
def test_where_there_are_no_hard_links(images, spawned, pictures, tree, destination, tmp_path, words):
    """FAT and some network file systems: the check and the rename are two steps there, and the bytes the same."""
    assert images(*words, to=tmp_path / "with-links").status == 0
    command, environment = ("-m", "without_links"), {"PYTHONPATH": PROGRAMS}
    done = spawned("images", pictures, destination, "--std", "25", *words, command=command, environment=environment)
    assert done.status == 0, done
    assert tree(destination) == tree(tmp_path / "with-links")


@pytest.fixture
def folding(tmp_path):
    """Mount a file system in which the case of letters does not count."""
    tools = [shutil.which(name) for name in ("mkntfs", "lowntfs-3g", "umount")]
    if os.geteuid() != 0 or None in tools or not os.path.exists("/dev/fuse"):
        pytest.skip("mounting needs root, FUSE and NTFS: apt-get install ntfs-3g")
    image, folder = tmp_path / "image", tmp_path / "folding"
    folder.mkdir()
    with open(image, "wb") as file:
        file.truncate(16 << 20)
    subprocess.run([tools[0], "-q", "-F", image], check=True, capture_output=True)
    if subprocess.run([tools[1], "-o", "ignore_case", image, folder], check=False, capture_output=True).returncode:
        pytest.skip("this machine mounts no file systems: a kernel with FUSE is needed")
    yield folder
    subprocess.run([tools[2], folder], check=True)


@pytest.mark.slow
def test_a_real_file_system_that_folds_case(images, fill, pictures, folding, tree, destination):
    destination = folding / "dst"
    assert folder_at(os.fspath(folding)).folds_case("never there") is False
    fill(pictures, "A.png")
    done = images(to=destination)
    assert done.status == 2
    assert "A.png and a.png would be one file" in done.err
    (pictures / "A.png").unlink()
    assert images(to=destination).status == 0
    before = tree(destination)
    assert images("--json", to=destination).summary["kept"] == 5
    assert images("--redo", to=destination).status == 0
    assert tree(destination) == before


@pytest.mark.parametrize("how", ["link", "rename"])
@pytest.mark.parametrize("words", [[], ["--sidecars", "copy"]], ids=" ".join)
def test_another_folder_takes_the_destinations_place_in_mid_run(
    faulty, fill, pictures, images, tree, tmp_path, wait_until, how, words
):
    mine = tmp_path / "mine"
    assert images("--std", "3", to=mine).status == 0
    (mine / "notes.txt").write_text("of somebody else")
    before = tree(mine)
    fill(pictures, "0-wait-write.png", "notes.txt")
    real, name = tmp_path / "real", tmp_path / "latest"
    real.mkdir()
    if how == "link":
        os.symlink("real", name)
    process = faulty.start("images", pictures, name, "--std", "25", "-j", "1", *words)
    wait_until(lambda: faulty.reached("write"), "a worker with its first output")
    if how == "link":
        os.symlink("mine", tmp_path / "new")
        (tmp_path / "new").rename(name)
    else:
        name.rename(tmp_path / "moved")
        mine.rename(name)
    faulty.gate.touch()
    _, err = process.communicate()
    assert process.returncode == 3
    assert b"another folder took its place" in err
    assert tree(mine if how == "link" else name) == before


def test_workers_append_to_the_journal_and_to_nothing_else(faulty, fill, pictures, destination, tmp_path, wait_until):
    fill(pictures, "0-wait-read.png", "1-kill-once.png")
    (tmp_path / "precious").write_text("precious")
    process = faulty.start("images", pictures, destination, "--std", "25", "-j", "1")
    wait_until(lambda: faulty.reached("read"), "a worker at its first file")
    (destination / ".noisecli-journal").unlink()
    os.symlink("../precious", destination / ".noisecli-journal")
    faulty.gate.touch()
    _, err = process.communicate()
    assert process.returncode == 3, err
    assert (tmp_path / "precious").read_text() == "precious"


def test_a_source_mounted_on_the_destination_is_refused(images, pictures, tree, destination, monkeypatch):
    """A bind mount has two names for one folder; the system alone tells that they are one."""
    destination.mkdir()
    before = tree(pictures)
    real = os.path.samefile
    names = {os.fspath(pictures), os.fspath(destination)}
    monkeypatch.setattr(os.path, "samefile", lambda *paths: set(paths) == names or real(*paths))
    done = images("--force")
    assert done.status == 2
    assert "lies inside" in done.err
    assert tree(pictures) == before


def test_a_side_file_does_not_take_another_runs_place(images, noisy, pictures, tree, destination, tmp_path):
    assert images().status == 0
    before = (destination / "manifest.jsonl").read_bytes()
    assert images("--std", "5", to=tmp_path / "middle").status == 0
    words = ["--std", "25", "--manifest", "other.jsonl", "--sidecars", "copy", "--name", "{stem}-again{ext}"]
    done = noisy("images", tmp_path / "middle", destination, *words)
    assert done.status == 2
    assert "would become" in done.err
    assert (destination / "manifest.jsonl").read_bytes() == before


def test_outputs_of_another_manifest_are_refused_by_name(images, tree, destination):
    assert images("--with-clean").status == 0
    before = tree(destination)
    for words in (["--std", "5"], []):
        done = images("--with-clean", "--manifest", "other.jsonl", *words)
        assert done.status == 2
        assert "is an output of another run, which manifest.jsonl lists" in done.err
        assert tree(destination) == before
