"""Nothing is written or removed outside of DST, whatever its folders become; outputs are as private as sources."""

import contextlib
import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys

import pytest

from noisecli.errors import FileFailed, Stopped
from noisecli.storage import OutputFile, open_folder, remove_recorded, remove_temporaries, write_whole


@pytest.fixture
def ground(tmp_path):
    """Return a root with folders, links inside of it and links out of it."""
    root, outside = tmp_path / "root", tmp_path / "outside"
    for folder in (root / "real/deep", outside / "deep"):
        folder.mkdir(parents=True)
    links = {"in": "real", "in-absolute": root / "real", "real/up": "..", "chain": "in", "self": "."}
    links |= {"out": outside, "out-relative": "../outside", "real/out": "../../outside", "chain-out": "real/out"}
    links |= {"beside": "../root-beside", "nowhere": "new/place"}
    for name, target in links.items():
        os.symlink(target, root / name)
    (tmp_path / "root-beside").mkdir()
    return root


@pytest.mark.parametrize(
    ("name", "place"),
    [
        *(("a", "a"), ("new/er/a", "new/er/a"), ("in/a", "real/a"), ("in-absolute/deep/a", "real/deep/a")),
        *(("real/up/real/a", "real/a"), ("chain/deep/a", "real/deep/a"), ("self/self/a", "a")),
        ("nowhere/a", "new/place/a"),
    ],
)
def test_links_inside_are_followed(ground, name, place):
    write_whole(name, [b"data"], root=os.fspath(ground))
    assert (ground / place).read_bytes() == b"data"
    assert not remove_recorded(os.fspath(ground), {name: ["0" * 64]})
    assert (ground / place).exists()
    assert remove_recorded(os.fspath(ground), {name: [hashlib.sha256(b"data").hexdigest()]})
    assert not (ground / place).exists()


@pytest.mark.parametrize(
    "name",
    [
        "out/a",
        "out-relative/deep/a",
        "real/out/a",
        "chain-out/new/a",
        "beside/a",
        "../a",
        "real/../../a",
        "in/up/out/a",
    ],
)
def test_links_out_are_not(ground, tree, name):
    (ground / "nowhere").unlink()
    before = tree(ground.parent)
    with pytest.raises(FileFailed, match="symbolic link"):
        OutputFile(name, root=os.fspath(ground))
    assert not remove_recorded(os.fspath(ground), {name: [hashlib.sha256(b"").hexdigest()]})
    (ground.parent / "outside/.noisecli-tmp-x").write_text("somebody's")
    remove_temporaries([os.path.dirname(name)], ".noisecli-tmp-", os.fspath(ground))
    (ground.parent / "outside/.noisecli-tmp-x").unlink()
    assert tree(ground.parent) == before


def test_a_loop_of_links_ends(ground):
    os.symlink("loop", ground / "loop")
    with pytest.raises(FileFailed) as raised:
        OutputFile("loop/a", root=os.fspath(ground))
    assert raised.value.reason in ("unwritable", "foreign-file")


def test_a_folder_swapped_between_opening_and_commit(ground):
    with OutputFile("real/deep/a", root=os.fspath(ground)) as output:
        output.write(b"data")
        os.rename(ground / "real/deep", ground / "moved")
        os.symlink(ground.parent / "outside/deep", ground / "real/deep")
        output.commit()
    assert os.listdir(ground.parent / "outside/deep") == []
    assert os.listdir(ground / "moved") == ["a"]


def test_no_descriptor_is_left_open(ground):
    os.symlink("x", ground / "real/x")
    before = len(os.listdir("/proc/self/fd"))
    for name in ("a", "in/b", "new/c", "out/d", "real/x/e"):
        with contextlib.suppress(Stopped):
            write_whole(name, [b"data"], root=os.fspath(ground))
    os.close(open_folder(os.fspath(ground), "real"))
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("side_files", ["skip", "copy"])
def test_a_folder_replaced_by_a_link_in_mid_run(
    faulty, fill, pictures, tree, errors, wait_until, destination, tmp_path, side_files
):
    fill(pictures, "cats/wait-read.png", "cats/z.txt")
    process = faulty.start(
        "images", pictures, destination, "--std", "25", "-j", "1", "--sidecars", side_files, "--progress", "never"
    )
    wait_until(lambda: faulty.reached("read"), "the worker in the last file of the folder")
    assert (destination / "cats/c.png").exists()
    shutil.move(destination / "cats", tmp_path / "elsewhere")
    os.symlink(tmp_path / "elsewhere", destination / "cats")
    before = tree(tmp_path / "elsewhere")
    faulty.gate.touch()
    _, err = process.communicate()
    assert process.returncode == 1, err
    assert tree(tmp_path / "elsewhere") == before
    assert errors(destination)["cats/wait-read.png"]["reason"] == "foreign-file"
    assert ("cats/z.txt" in errors(destination)) == (side_files == "copy")


def test_an_export_through_a_link_is_refused_by_name(noisy, fill, tmp_path, tree, destination):
    source = fill(tmp_path / "in", "train/cat/a.png", "test/cat/b.png")
    assert noisy("images", source, destination, "--std", "5").status == 0
    shutil.move(destination / "train", tmp_path / "elsewhere")
    os.symlink(tmp_path / "elsewhere", destination / "train")
    before = tree(tmp_path)
    done = noisy("export", destination, "--to", "hf", "--force")
    assert (done.status, "train/metadata.jsonl: its folder is a symbolic link" in done.err) == (2, True), done.err
    assert tree(tmp_path) == before


# Runs what follows with a umask of its own, in one process.
MASKED = "import os, sys; os.umask(int(sys.argv.pop(1), 8)); from noisecli.cli import main; main()"
MODES = (0o600, 0o640, 0o644, 0o664, 0o444, 0o400, 0o4755, 0o606)


@pytest.fixture
def masked(tmp_path):
    def run(umask, *words):
        done = subprocess.run([sys.executable, "-c", MASKED, umask, *map(str, words)], check=False, capture_output=True)
        assert done.returncode == 0, done.stderr

    return run


def _mode(path):
    return stat.S_IMODE(os.lstat(path).st_mode)


@pytest.mark.parametrize("umask", ["022", "077", "000"])
def test_an_output_is_as_private_as_its_source(masked, fill, tmp_path, destination, umask):
    source = fill(tmp_path / "in", *(f"{mode:o}{end}" for mode in MODES for end in (".png", ".txt")))
    for path in source.iterdir():
        path.chmod(int(path.stem, 8))
    words = ("--std", "5", "--with-clean", "--sidecars", "copy")
    masked(umask, "images", source, destination, *words)
    for tree in ("noisy", "clean"):
        for mode in MODES:
            masked_mode = mode & ~int(umask, 8)
            assert _mode(destination / tree / f"{mode:o}.png") == masked_mode & 0o666, f"{mode:o}"
            assert _mode(destination / tree / f"{mode:o}.txt") == masked_mode & 0o777, f"{mode:o}"
    assert _mode(destination / "manifest.jsonl") == 0o666 & ~int(umask, 8)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to another group")
def test_another_group_gets_what_everybody_gets(masked, fill, tmp_path, destination):
    source = fill(tmp_path / "in", "640.png", "660.png", "644.png", "664.png")
    for path in source.iterdir():
        os.chown(path, 0, 54321)
        path.chmod(int(path.stem, 8))
    masked("000", "images", source, destination, "--std", "5")
    found = {path.stem: f"{_mode(path):o}" for path in destination.glob("*.png")}
    assert found == {"640": "600", "660": "600", "644": "644", "664": "644"}


@pytest.mark.parametrize(("modes", "expected"), [((0o644, 0o600), 0o600), ((0o644, 0o640), 0o640), ((0o644,), 0o644)])
def test_a_preview_is_as_private_as_its_files(masked, fill, tmp_path, modes, expected):
    source = fill(tmp_path / "in", *(f"{n}.png" for n in range(len(modes))))
    for number, mode in enumerate(modes):
        (source / f"{number}.png").chmod(mode)
    masked("022", "preview", source, tmp_path / "look.png", "--std", "5")
    assert _mode(tmp_path / "look.png") == expected


def test_one_file_and_arrays(masked, noisy, tmp_path):
    import numpy as np

    np.save(tmp_path / "a.npy", np.arange(9.0))
    (tmp_path / "a.npy").chmod(0o600)
    masked("022", "arrays", tmp_path / "a.npy", tmp_path / "out.npy", "--std", "1")
    assert _mode(tmp_path / "out.npy") == 0o600


def test_a_side_file_made_private_is_copied_again(images, fill, pictures, destination):
    fill(pictures, "a.txt")
    assert images("--sidecars", "copy").status == 0
    (pictures / "a.txt").chmod(0o600)
    assert json.loads(images("--sidecars", "copy", "--json").out)["sidecars_copied"] == 1
    assert _mode(destination / "a.txt") == 0o600
