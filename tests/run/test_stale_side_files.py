"""Side files of earlier runs: reported when nothing asks for them any more, removed by --prune when provably ours."""

import json
import os

import pytest


@pytest.fixture
def labelled(fill, tmp_path):
    """Return ten images with a label each, and a class list."""
    names = [f"{number}.{suffix}" for number in range(10) for suffix in ("png", "txt")]
    return fill(tmp_path / "labelled", *names, "classes.txt")


@pytest.fixture
def record(destination):
    def read():
        return {json.loads(line)["file_name"] for line in (destination / "sidecars.jsonl").read_text().splitlines()}

    return read


def standing(destination):
    return {path.name for path in destination.glob("*.txt")}


@pytest.mark.parametrize("how", ["copy", "link"])
def test_one_whose_source_is_gone_is_reported_and_pruned(images, labelled, tree, destination, how):
    words = ["--sidecars", how, "--json"]
    assert images(*words, source=labelled).status == 0
    (labelled / "3.txt").unlink()
    (labelled / "4.txt").unlink()
    (labelled / "4.png").unlink()
    done = images(*words, source=labelled)
    assert (done.summary["sidecars_stale"], done.summary["sidecars_pruned"]) == (2, 0)
    assert "2 side files of earlier runs that this request does not ask for" in done.err
    dry = images(*words, "--prune", "--dry-run", source=labelled).summary
    assert (dry["pruned"], dry["sidecars_pruned"]) == (1, 2)
    done = images(*words, "--prune", source=labelled)
    assert (done.summary["pruned"], done.summary["sidecars_pruned"], done.summary["sidecars_stale"]) == (1, 2, 0)
    assert {"3.txt", "4.txt"}.isdisjoint(os.listdir(destination))
    before = tree(destination)
    assert len([name for name in before if name.endswith(".txt")]) == 9
    assert images(*words, "--prune", source=labelled).summary["sidecars_pruned"] == 0
    assert tree(destination) == before


def test_one_that_was_edited_stays_and_a_dry_run_knows(images, labelled, destination):
    assert images("--sidecars", "copy", source=labelled).status == 0
    (destination / "3.txt").write_text("corrected by hand")
    (labelled / "3.txt").unlink()
    (labelled / "4.txt").unlink()
    words = ("--include", "1.png", "--sidecars", "copy", "--prune", "--json")
    planned = images(*words, "--dry-run", source=labelled).summary
    done = images(*words, source=labelled).summary
    assert planned["sidecars_pruned"] == done["sidecars_pruned"] == 1
    assert done["sidecars_stale"] == 1
    assert (destination / "3.txt").read_text() == "corrected by hand"
    assert not (destination / "4.txt").exists()


@pytest.mark.parametrize("kept", ["10", "10,20"])
def test_those_of_a_level_that_goes_go_with_it(images, labelled, destination, kept):
    assert images("--std", "5,10,20", "--sidecars", "copy", source=labelled).status == 0
    assert images("--std", kept, "--sidecars", "copy", "--prune", "--force", source=labelled).status == 0
    levels = {"10": set(), "10,20": {"std-10", "std-20"}}[kept]
    assert {path.name for path in destination.iterdir() if path.is_dir() and any(path.rglob("*.*"))} == levels


def test_one_beside_an_output_that_goes_goes_too(images, labelled, record, destination):
    words = ["--sidecars", "copy", "--json"]
    assert images(*words, "--copies", "3", source=labelled).status == 0
    (destination / "0-3.png").unlink()
    done = images(*words, "--copies", "2", source=labelled)
    assert done.summary["sidecars_stale"] == 10
    done = images(*words, "--copies", "2", "--prune", source=labelled)
    assert done.summary["sidecars_pruned"] >= 1
    assert "0-3.txt" not in record() | standing(destination)
    for number in range(10):
        names = [f"{number}-{copy}" for copy in (1, 2, 3)]
        assert [(destination / f"{name}.txt").exists() for name in names] == [
            (destination / f"{name}.png").exists() for name in names
        ]


def test_one_in_a_parallel_folder_goes_with_its_output_too(images, fill, destination, tmp_path):
    source = fill(tmp_path / "yolo", *(f"images/{n}.png" for n in range(6)), *(f"labels/{n}.txt" for n in range(6)))
    words = ["--sidecars", "copy", "--json"]
    assert images(*words, "--copies", "2", source=source).status == 0
    (destination / "images/4-2.png").unlink()
    # outputs and labels of the two copies are all of an earlier request
    assert images(*words, "--prune", "--force", source=source).status == 0
    assert not (destination / "labels/4-2.txt").exists()
    for number in range(6):
        for copy in (1, 2):
            label, image = (destination / f"labels/{number}-{copy}.txt", destination / f"images/{number}-{copy}.png")
            assert label.exists() == image.exists()


def test_without_side_files_earlier_ones_stay_and_are_reported(images, noisy, labelled, tree, destination):
    assert images("--sidecars", "copy", source=labelled).status == 0
    before = tree(destination)
    done = images("--json", source=labelled)
    assert (done.summary["sidecars_kept"], done.summary["sidecars_stale"]) == (11, 0)
    assert "11 side files of earlier runs left as they are" in done.err
    assert images("--prune", "--json", source=labelled).summary["sidecars_pruned"] == 0
    assert tree(destination) == before
    (labelled / "3.txt").unlink()
    assert images("--prune", "--json", source=labelled).summary["sidecars_pruned"] == 1
    assert "3.txt" not in standing(destination)
    assert noisy("verify", destination).status == 0


def test_those_of_sources_that_were_not_chosen_stay(images, labelled, tree, destination, tmp_path):
    assert images("--sidecars", "copy", source=labelled).status == 0
    before = tree(destination)
    (tmp_path / "list").write_bytes(b"1.png\0")
    for words in (["--include", "1.png"], ["--limit", "2"], ["--files0-from", tmp_path / "list"]):
        done = images("--sidecars", "copy", "--prune", "--json", *words, source=labelled)
        assert (done.status, done.summary["sidecars_stale"], done.summary["sidecars_pruned"]) == (0, 0, 0)
        assert tree(destination) == before


def test_more_than_half_of_all_needs_force(images, labelled, tree, destination):
    assert images("--sidecars", "copy", source=labelled).status == 0
    before = tree(destination)
    for path in labelled.glob("*.txt"):
        path.unlink()
    done = images("--sidecars", "copy", "--prune", source=labelled)
    assert (done.status, "would remove 11 of the 21 outputs and side files" in done.err) == (2, True)
    assert tree(destination) == before
    assert (
        images("--sidecars", "copy", "--prune", "--force", "--json", source=labelled).summary["sidecars_pruned"] == 11
    )
    assert standing(destination) == set()
    assert not (destination / "sidecars.jsonl").exists()


def test_another_source_prunes_nothing(images, fill, labelled, tree, destination, tmp_path):
    assert images("--sidecars", "copy", source=labelled).status == 0
    before = tree(destination)
    other = fill(tmp_path / "other", *(f"{number}.png" for number in range(9, -1, -1)))
    done = images("--sidecars", "copy", "--prune", source=other)
    assert (done.status, "does not look like the folder" in done.err) == (2, True)
    assert tree(destination) == before


def test_a_source_that_cannot_be_seen_is_not_gone(unprivileged, images, fill, labelled, tree, destination):
    fill(labelled, "deep/a.png", "deep/a.txt")
    assert images("--sidecars", "copy", source=labelled).status == 0
    before = tree(destination)
    (labelled / "deep").chmod(0)
    unprivileged("images", labelled, destination, "--std", "25", "--sidecars", "copy", "--prune")
    (labelled / "deep").chmod(0o755)
    after = tree(destination)
    assert {name: after.get(name) for name in before if "deep/" in name} == {
        name: data for name, data in before.items() if "deep/" in name
    }


def test_one_that_another_manifest_lists_stays(images, labelled, destination):
    words = ["--sidecars", "copy", "--name", "{stem}_x{ext}"]
    assert images("--sidecars", "copy", source=labelled).status == 0
    assert images(*words, "--manifest", "other.jsonl", source=labelled).status == 0
    (labelled / "classes.txt").unlink()
    done = images("--sidecars", "copy", "--prune", "--json", source=labelled)
    assert (done.summary["sidecars_pruned"], done.summary["sidecars_stale"]) == (0, 1)
    assert (destination / "classes.txt").exists()


def test_a_name_that_is_not_utf_8_is_not_gone(images, labelled, record, tree, destination):
    name = os.path.join(os.fsencode(labelled), b"l\xe4bel.txt")
    try:
        with open(name, "wb") as file:
            file.write(b"label")
    except OSError:
        pytest.skip("the file system takes UTF-8 alone")
    assert images("--sidecars", "copy", source=labelled).status == 0
    assert "l%E4bel.txt" in record()
    before = tree(destination)
    done = images("--prune", "--json", source=labelled)
    assert (done.summary["sidecars_stale"], done.summary["sidecars_kept"]) == (0, 12)
    assert tree(destination) == before
