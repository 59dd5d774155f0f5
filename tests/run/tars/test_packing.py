"""--tar N: a folder's outputs packed into shards."""

import pytest


@pytest.fixture
def dataset(tmp_path, fill):
    return fill(
        tmp_path / "in", *(f"cats/{n}.{suffix}" for n in range(5) for suffix in ("png", "txt")), "dogs/a.png", "README"
    )


def test_outputs_are_packed_with_the_side_files_of_their_name(noisy, dataset, destination, members, rows, tmp_path):
    done = noisy("images", dataset, destination, "--std", "25", "--tar", "4", "--json")
    assert (done.status, done.summary["made"], done.summary["sidecars_left"]) == (0, 6, 1)
    assert [name for name, _ in members(destination / "000000.tar")] == [
        f"cats/{n}.{suffix}" for n in range(4) for suffix in ("png", "txt")
    ]
    assert [name for name, _ in members(destination / "000001.tar")] == ["cats/4.png", "cats/4.txt", "dogs/a.png"]
    assert rows(destination)["000001.tar/dogs/a.png"]["source"] == "dogs/a.png"
    noisy("images", dataset, tmp_path / "plain", "--std", "25")
    for tar in ("000000.tar", "000001.tar"):
        for name, data in members(destination / tar):
            folder = tmp_path / "plain" if name.endswith(".png") else dataset
            assert data == (folder / name).read_bytes()


def test_a_pack_is_kept_verified_and_made_again_where_a_label_changed(noisy, dataset, destination, members):
    words = ("images", dataset, destination, "--std", "25", "--tar", "4", "--json")
    noisy(*words)
    assert noisy(*words).summary["kept"] == 6
    assert noisy("verify", destination, "--recompute", dataset).status == 0
    (dataset / "cats/2.txt").write_text("another")
    summary = noisy(*words).summary
    assert (summary["made"], summary["kept"]) == (4, 2)
    assert dict(members(destination / "000000.tar"))["cats/2.txt"] == b"another"


def test_tars_of_an_earlier_pack_are_named_with_what_removes_them(noisy, dataset, destination):
    noisy("images", dataset, destination, "--std", "25", "--tar", "2")
    done = noisy("images", dataset, destination, "--std", "25", "--tar", "4")
    assert "remove by hand the tars" in done.err
    assert "--prune" not in done.err


def test_copies_count_as_samples(noisy, dataset, destination, members):
    noisy("images", dataset, destination, "--std", "25", "--tar", "4", "--copies", "2")
    names = [name for name, _ in members(destination / "000000.tar")]
    assert names[:4] == ["cats/0-1.png", "cats/0-1.txt", "cats/0-2.png", "cats/0-2.txt"]
    assert len(names) == 8


def test_shards_of_a_pack_merge_into_the_whole(noisy, dataset, destination, tree, tmp_path):
    noisy("images", dataset, destination, "--std", "25", "--tar", "2")
    for number in (1, 2):
        noisy("images", dataset, tmp_path / "parts", "--std", "25", "--tar", "2", "--shard", f"{number}/2")
    assert noisy("merge", tmp_path / "parts").status == 0
    assert tree(tmp_path / "parts") == tree(destination)


def test_two_images_of_one_key_are_refused(noisy, dataset, destination, fill):
    fill(dataset, "dogs/a.b.png")
    done = noisy("images", dataset, destination, "--std", "25", "--tar", "4")
    assert done.status == 2
    assert "dogs/a.b.png" in done.err
    assert not destination.exists()


@pytest.mark.parametrize(
    "words", [["--sidecars", "copy"], ["--prune"], ["--depfile", "x.d"], ["--files0-from", "/dev/null"]]
)
def test_what_does_not_go_with_packing(noisy, dataset, destination, words):
    assert noisy("images", dataset, destination, "--std", "25", "--tar", "4", *words).status == 2
    assert not destination.exists()


def test_one_file_is_not_packed(noisy, dataset, destination):
    done = noisy("images", dataset / "dogs/a.png", destination, "--std", "25", "--tar", "4")
    assert done.status == 2
    assert "folder" in done.err


def test_a_broken_file_is_left_out_with_its_label(noisy, dataset, destination, members, errors):
    (dataset / "cats/1.png").write_bytes(b"broken")
    assert noisy("images", dataset, destination, "--std", "25", "--tar", "4").status == 1
    assert list(errors(destination)) == ["cats/1.png"]
    assert "cats/1.txt" not in dict(members(destination / "000000.tar"))
