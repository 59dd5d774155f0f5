"""noisecli writes and removes below DST only, and nothing of SRC or of somebody else's."""

import json
import os
import shutil

import pytest


@pytest.mark.parametrize("elsewhere", ["source", "outside"])
def test_a_linked_folder_in_the_destination_is_not_written_through(
    images, pictures, tree, errors, destination, tmp_path, elsewhere
):
    (pictures / "sub").mkdir()
    shutil.copy(pictures / "a.png", pictures / "sub/a.png")
    (pictures / "sub/a.txt").write_text("a label")
    assert images().status == 0
    target = pictures / "sub" if elsewhere == "source" else tmp_path / "elsewhere"
    target.mkdir(exist_ok=True)
    shutil.rmtree(destination / "sub")
    os.symlink(target, destination / "sub")
    before = tree(target)
    assert images("--force", "--sidecars", "copy").status == 1
    assert tree(target) == before
    assert errors(destination)["sub/a.png"]["reason"] == "foreign-file"


def test_prune_follows_no_link_out(images, pictures, tree, destination, tmp_path):
    (pictures / "sub").mkdir()
    shutil.copy(pictures / "a.png", pictures / "sub/a.png")
    assert images().status == 0
    shutil.move(destination / "sub", tmp_path / "elsewhere")
    os.symlink(tmp_path / "elsewhere", destination / "sub")
    before = tree(tmp_path / "elsewhere")
    shutil.rmtree(pictures / "sub")
    assert images("--prune").status == 0
    assert tree(tmp_path / "elsewhere") == before


def test_prune_leaves_what_is_not_as_its_row_says(images, pictures, destination):
    assert images().status == 0
    (destination / "a.png").write_bytes(b"drawn over by somebody")
    (pictures / "a.png").unlink()
    assert images("--prune").status == 0
    assert (destination / "a.png").read_bytes() == b"drawn over by somebody"


@pytest.mark.parametrize("name", ["manifest.jsonl", "errors.jsonl", "run.json", ".noisecli-journal"])
@pytest.mark.parametrize("kind", ["folder", "link", "pipe"])
def test_odd_things_where_our_files_belong_are_refused(images, destination, tmp_path, name, kind):
    destination.mkdir(exist_ok=True)
    (tmp_path / "precious.txt").write_text("precious")
    make = {"folder": os.mkdir, "pipe": os.mkfifo, "link": lambda path: os.symlink(tmp_path / "precious.txt", path)}
    make[kind](destination / name)
    done = images("--force")
    assert done.status == 2
    assert "move it away" in done.err
    assert (tmp_path / "precious.txt").read_text() == "precious"


def test_a_source_inside_the_destination_is_refused(noisy, pictures, tree):
    before = tree(pictures)
    done = noisy("images", pictures, pictures.parent, "--std", "5", "--force")
    assert done.status == 2
    assert "lies inside" in done.err
    assert tree(pictures) == before


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("run.json", {"noisecli": 1, "kind": "images", "totals": None, "survival": [1]}),
        ("errors.jsonl", {"reason": "x"}),
    ],
)
def test_damaged_files_of_ours_are_made_anew(images, destination, rows, name, content):
    assert images().status == 0
    whole = rows(destination)
    (destination / name).write_text(json.dumps(content) + "\n")
    assert images().status == 0
    assert rows(destination) == whole


@pytest.mark.parametrize("name", [b"odd\xff.png", b"%FA\xff.png", b"fold\xe9r/a.png", b"%41.png"])
def test_a_source_of_any_spelling_is_found_again(noisy, pictures, destination, rows, name):
    path = os.path.join(os.fsencode(pictures), name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    shutil.copy(os.fsencode(pictures / "a.png"), path)
    assert noisy("images", pictures, destination, "--std", "5").status == 0
    whole = rows(destination)
    assert noisy("images", pictures, destination, "--std", "5", "--prune").status == 0
    assert rows(destination) == whole
    assert noisy("verify", destination, "--recompute", pictures).status == 0
    os.unlink(path)
    assert noisy("images", pictures, destination, "--std", "5", "--prune").status == 0
    assert len(rows(destination)) == len(whole) - 1
