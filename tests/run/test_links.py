"""--follow-links: what symbolic links out of SRC lead to is done as if it lay there, as in a Hugging Face cache."""

import os
import shutil

import numpy as np
import pytest


@pytest.fixture
def snapshot(fill, tmp_path):
    """Return the snapshot folder of a cache: files with suffixes that lead to blobs without."""
    fill(tmp_path / "files", "a.png", "cats/b.png", "cats/b.txt")
    repository = tmp_path / "hub/datasets--x--y"
    (repository / "blobs").mkdir(parents=True)
    for number, name in enumerate(("a.png", "cats/b.png", "cats/b.txt")):
        blob, link = repository / f"blobs/{number:040x}", repository / "snapshots/rev" / name
        shutil.copy(tmp_path / "files" / name, blob)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.path.relpath(blob, link.parent))
    return repository / "snapshots/rev"


def test_without_it_all_are_skipped_and_told(images, snapshot, errors, destination):
    done = images(source=snapshot)
    assert done.status == 0
    assert {entry["reason"] for entry in errors(destination).values()} == {"symlink-outside"}
    assert all("--follow-links" in entry["message"] for entry in errors(destination).values())
    assert f"3 symbolic links out of {snapshot} left alone: --follow-links follows them" in done.err
    assert "nothing was made" in done.err


def test_a_snapshot_is_done_as_the_files_themselves(images, noisy, snapshot, tree, errors, destination, tmp_path):
    assert images("--sidecars", "copy", source=tmp_path / "files", to=tmp_path / "plain").status == 0
    assert images("--follow-links", "--sidecars", "copy", source=snapshot).status == 0
    assert tree(destination) == tree(tmp_path / "plain")
    assert errors(destination) == {}
    assert noisy("verify", destination, "--recompute", snapshot).status == 0
    assert images("--follow-links", "--sidecars", "copy", "--json", source=snapshot).summary["kept"] == 2


def test_a_whole_cache_copies_no_blob(images, snapshot, rows, tree, destination):
    repository = snapshot.parent.parent
    assert images("--sidecars", "copy", source=repository).status == 0
    assert rows(destination).keys() == {"snapshots/rev/a.png", "snapshots/rev/cats/b.png"}
    assert not [name for name in tree(destination) if name.startswith("blobs/") and not name.endswith("2")]


def test_what_was_skipped_for_its_link_is_forgotten(images, snapshot, errors, rows, destination):
    assert images(source=snapshot).status == 0
    assert images("--follow-links", source=snapshot).status == 0
    assert (len(rows(destination)), errors(destination)) == (2, {})


def test_folders_are_followed_and_loops_end(images, pictures, fill, rows, errors, tmp_path, destination):
    outside = fill(tmp_path / "outside", "x.png", "deep/y.png")
    (pictures / "more").symlink_to(outside)
    (outside / "back").symlink_to(pictures)
    (outside / "self").symlink_to(outside)
    (outside / "deep/up").symlink_to("..")
    (pictures / "above").symlink_to(pictures.parent)
    (pictures / "nothing.png").symlink_to(tmp_path / "nothing")
    assert images("--follow-links").status == 1
    assert rows(destination).keys() >= {"a.png", "more/x.png", "more/deep/y.png"}
    assert len(rows(destination)) == 7
    reasons = {name: entry["reason"] for name, entry in errors(destination).items()}
    loops = ("above", "more/back", "more/self", "more/deep/up")
    assert reasons == {**dict.fromkeys(loops, "symlink-loop"), "nothing.png": "gone"}


@pytest.mark.parametrize("where", ["inside", "around a folder", "around a file"])
def test_outputs_do_not_mix_with_what_is_followed(images, pictures, fill, tree, tmp_path, where):
    outside = fill(tmp_path / "data/outside", "x.png")
    linked = outside / "x.png" if where == "around a file" else outside
    (pictures / "more.png").symlink_to(linked)
    to = outside / "noisy" if where == "inside" else tmp_path / "data"
    before = tree(tmp_path / "data")
    for words in ([], ["--dry-run"]):
        done = images("--follow-links", "--force", *words, to=to)
        assert (done.status, "symbolic link" in done.err) == (2, True)
    assert tree(tmp_path / "data") == before
    assert images("--follow-links", to=tmp_path / "elsewhere").status == 0


def test_what_is_linked_is_never_written(images, snapshot, tree, destination):
    before = tree(snapshot.parent.parent)
    destination.mkdir()
    for words in (["--std", "5"], ["--std", "9", "--force"]):
        assert images("--follow-links", *words, source=snapshot).status == 0
    assert not (destination / "a.png").is_symlink()
    assert tree(snapshot.parent.parent) == before


@pytest.mark.parametrize("which", ["file", "folder"])
def test_a_link_that_leads_elsewhere_by_now_is_done_again(images, rows, tmp_path, destination, which):
    """The file it leads to may be older than the output, and as large."""
    source, outside = tmp_path / "linked", tmp_path / "outside"
    for number, name in enumerate(("one", "two")):
        (outside / name).mkdir(parents=True)
        (outside / name / "x.pgm").write_bytes(b"P5 16 16 255\n" + bytes(range(number, 256)) + bytes(number))
    source.mkdir()
    link, target = (source / "x.pgm", "x.pgm") if which == "file" else (source / "sub", "")
    link.symlink_to(outside / "one" / target)
    assert images("--follow-links", source=source).status == 0
    [(name, first)] = rows(destination).items()
    link.unlink()
    link.symlink_to(outside / "two" / target)
    assert images("--follow-links", "--json", source=source).summary["made"] == 1
    assert rows(destination)[name]["source_sha256"] != first["source_sha256"]
    assert images("--follow-links", "--json", source=source).summary["kept"] == 1


def test_pruning_takes_what_is_gone_and_nothing_out_of_sight(images, snapshot, rows, destination, tmp_path):
    (snapshot / "more").symlink_to(tmp_path / "files")
    assert images("--follow-links", source=snapshot).status == 0
    assert len(rows(destination)) == 4
    # without the option nothing is gone, and a folder that cannot be reached hides what it holds
    assert images("--prune", source=snapshot).status == 0
    (tmp_path / "files").rename(tmp_path / "unmounted")
    done = images("--follow-links", "--prune", source=snapshot)
    assert (done.status, "more: skipped: is a symbolic link to nothing" in done.err) == (0, True)
    assert len(rows(destination)) == 4
    (tmp_path / "unmounted").rename(tmp_path / "files")
    (snapshot / "a.png").unlink()
    assert images("--follow-links", "--prune", source=snapshot).status == 0
    assert rows(destination).keys() == {"cats/b.png", "more/a.png", "more/cats/b.png"}


def test_a_list_follows_too(images, snapshot, rows, errors, destination, tmp_path):
    (tmp_path / "list").write_bytes(b"a.png\0")
    assert images("--files0-from", tmp_path / "list", source=snapshot).status == 0
    assert errors(destination)["a.png"]["reason"] == "symlink-outside"
    assert images("--follow-links", "--files0-from", tmp_path / "list", source=snapshot).status == 0
    assert rows(destination).keys() == {"a.png"}


def test_one_link_that_is_named_is_followed(images, snapshot, rows, destination):
    assert images(source=snapshot / "a.png").status == 0
    assert rows(destination).keys() == {"a.png"}


def test_a_preview_follows(noisy, snapshot, tmp_path):
    assert noisy("preview", snapshot, tmp_path / "sheet.png", "--std", "25").status == 2
    done = noisy("preview", snapshot, tmp_path / "sheet.png", "--std", "25", "--follow-links")
    assert (done.status, "2 files" in done.err) == (0, True)


@pytest.mark.parametrize(("command", "suffix"), [("arrays", ".npy"), ("audio", ".wav"), ("weights", ".npz")])
def test_other_kinds_follow(noisy, sample_data, rows, tmp_path, destination, command, suffix):
    (tmp_path / "source").mkdir()
    blob = tmp_path / "blob"
    if command == "audio":
        shutil.copy(next((sample_data / "audio").rglob("*.wav")), blob)
    else:
        values = np.arange(12, dtype=np.float32)
        with open(blob, "wb") as file:
            np.save(file, values) if command == "arrays" else np.savez(file, w=values)
    (tmp_path / f"source/x{suffix}").symlink_to(blob)
    assert noisy(command, tmp_path / "source", destination, "--std", "0.01").status == 0
    assert rows(destination) == {}
    assert noisy(command, tmp_path / "source", destination, "--std", "0.01", "--follow-links").status == 0
    assert rows(destination).keys() == {f"x{suffix}"}
