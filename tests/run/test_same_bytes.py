"""The same bytes for any number of jobs, any order, any subset; other bytes for another seed."""

import os
import random

import pytest


@pytest.fixture
def reference(images, tree, tmp_path):
    """Return the tree that one job makes."""
    assert images("-j", "1", to=tmp_path / "reference").status == 0
    return tree(tmp_path / "reference")


@pytest.mark.parametrize("jobs", [2, 3])
def test_jobs_do_not_show(images, reference, tree, destination, jobs):
    assert images("-j", jobs).status == 0
    assert tree(destination) == reference


@pytest.mark.parametrize("seed", range(2))
def test_order_of_a_list_does_not_show(images, reference, tree, pictures, destination, tmp_path, seed):
    names = [os.path.relpath(path, pictures) for path in pictures.rglob("*.png")]
    random.Random(seed).shuffle(names)
    (tmp_path / "list").write_bytes(b"".join(name.encode() + b"\0" for name in names))
    assert images("--files0-from", tmp_path / "list").status == 0
    assert tree(destination) == reference


@pytest.mark.parametrize(
    ("choice", "names"),
    [
        (["--include", "cats"], {"cats/c.png", "cats/d.png"}),
        (["--include", "*.png", "--exclude", "cats/**"], {"a.png", "b.png", "e.png"}),
        (["--limit", "2"], {"a.png", "b.png"}),
    ],
)
def test_a_part_has_the_bytes_of_the_whole(images, reference, outputs, destination, choice, names):
    assert images(*choice).status == 0
    assert outputs(destination) == {name: data for name, data in reference.items() if name in names}


def test_many_small_files_in_chunks(noisy, fill, tree, tmp_path):
    source = fill(tmp_path / "many", *(f"{n:03}.png" for n in range(75)))
    for jobs in (1, 3):
        assert noisy("images", source, tmp_path / f"j{jobs}", "--std", "9", "-j", jobs).status == 0
    assert tree(tmp_path / "j1") == tree(tmp_path / "j3")


def test_another_seed_is_other_noise(images, reference, outputs, destination):
    assert images("--seed", "1").status == 0
    made = outputs(destination)
    assert made.keys() <= reference.keys()
    assert all(made[name] != reference[name] for name in made)


def test_sounds_too(noisy, fill, tree, tmp_path):
    source = fill(tmp_path / "src", "a.wav", "b/c.wav", "d.wav")
    for jobs in (1, 2):
        assert noisy("audio", source, tmp_path / f"j{jobs}", "--snr-db", "0..20", "-j", jobs).status == 0
    assert tree(tmp_path / "j1") == tree(tmp_path / "j2")
    assert len(tree(tmp_path / "j1")) == 5
