"""A run that changes nothing writes nothing: build systems compare times."""

import json
import os
import struct
import zlib

import pytest

OWN = ("manifest.jsonl", "errors.jsonl", "run.json")


@pytest.fixture
def times():
    """Return what a write would change, of every file and folder in and above a destination: inode and time."""

    def read(folder):
        below = (os.path.join(parent, name) for parent, *both in os.walk(folder) for names in both for name in names)
        found = ((path, os.lstat(path)) for path in (folder, *below))
        return {os.path.relpath(path, folder): (status.st_ino, status.st_mtime_ns) for path, status in found}

    return read


def chunk(word, data):
    return struct.pack(">I", len(data)) + word + data + struct.pack(">I", zlib.crc32(word + data))


@pytest.fixture
def troubled(pictures, fill, png):
    """Add what fails on its header, in its samples, and what is skipped, a mask too, to the five images."""
    whole = png(3)
    (pictures / "empty.png").write_bytes(b"")
    (pictures / "header.png").write_bytes(whole[:20])
    (pictures / "cut.png").write_bytes(whole[: len(whole) - 40])
    (pictures / "cats/cut.png").write_bytes(whole[: len(whole) - 40])
    (pictures / "text.png").write_text("no image")
    (pictures / "moves.png").write_bytes(whole[:33] + chunk(b"acTL", struct.pack(">II", 2, 0)) + whole[33:])
    (pictures / "photo.jxl").write_bytes(b"jxl")
    os.mkfifo(pictures / "pipe.png")
    (pictures / "outside.png").symlink_to("/etc/hostname")
    fill(pictures, "labels.txt")
    return pictures


@pytest.mark.parametrize(
    "words", [[], ["--with-clean"], ["--sidecars", "copy"], ["--sidecars", "link"], ["--std", "5,10", "--copies", "2"]]
)
def test_with_files_that_fail_and_are_skipped(images, troubled, tree, times, destination, words):
    assert images(*words).status == 1
    content, before = tree(destination), times(destination)
    assert set(OWN) <= content.keys()
    for again in ([], ["-j", "3"], ["--checksum"], ["--include", "cats"], ["--limit", "2"]):
        done = images(*words, *again, "--json")
        assert done.summary["made"] == 0
        assert (tree(destination), times(destination)) == (content, before), again


def test_with_files_that_are_skipped_alone(images, pictures, errors, times, destination):
    (pictures / "photo.jxl").write_bytes(b"jxl")
    assert images().status == 0
    before = times(destination)
    assert errors(destination).keys() == {"photo.jxl"}
    assert images().status == 0
    assert times(destination) == before


def test_with_nothing_but_whole_files(images, times, destination):
    assert images().status == 0
    before = times(destination)
    assert images().status == 0
    assert images("--include", "cats").status == 0
    assert times(destination) == before


@pytest.mark.parametrize("kind", ["audio", "arrays", "latents"])
def test_other_kinds(noisy, write_wav, times, tmp_path, destination, kind):
    source = tmp_path / "in"
    write_wav(source / "a.wav", 1)
    for name in ("broken.wav", "broken.npy"):
        (source / name).write_bytes(b"")
    (source / "a.npy").write_bytes(array())
    words = {
        "audio": ["audio", source, destination, "--std", "1%"],
        "arrays": ["arrays", source, destination, "--std", "1"],
        "latents": ["latents", destination, "--shape", "10", "--count", "30"],
    }[kind]
    assert noisy(*words).status == (0 if kind == "latents" else 1)
    before = times(destination)
    assert noisy(*words).status == (0 if kind == "latents" else 1)
    assert times(destination) == before


def array():
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (4, 2), }"
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + struct.pack("<8f", *range(8))


def test_only_what_has_other_content_is_written(images, pictures, errors, times, destination):
    """A broken file that is gone is news of errors.jsonl and run.json, and none of the manifest.

    Its time alone says that it was looked at, for Make: the folder of sources has a newer one.
    """
    (pictures / "broken.png").write_bytes(b"")
    assert images().status == 1
    before = times(destination)
    (pictures / "broken.png").unlink()
    assert images().status == 0
    after = times(destination)
    assert errors(destination) == {}
    assert {name for name in before if before[name] != after.get(name)} == {".", *OWN}
    assert before["manifest.jsonl"][0] == after["manifest.jsonl"][0]


def test_a_refusal_leaves_the_times_too(images, pictures, times, destination):
    assert images().status == 0
    before = times(destination)
    for name in ("a.png", "b.png", "e.png"):
        (pictures / name).unlink()
    assert images("--prune").status == 2
    assert times(destination) == before


def test_what_somebody_else_puts_there_meanwhile_is_seen(images, pictures, monkeypatch, times, destination):
    """The folder's time goes back only where nothing but the journal came and went."""
    from noisecli.manifest.ledger import Ledger

    assert images().status == 0
    before = times(destination)["."]
    leave = Ledger.leave_as_it_was

    def late(self):
        (destination / "new.txt").write_text("by somebody else")
        os.utime(destination, ns=(2**60, 2**60))
        leave(self)

    monkeypatch.setattr(Ledger, "leave_as_it_was", late)
    assert images().status == 0
    assert times(destination)["."] != before


@pytest.mark.parametrize("name", OWN)
def test_what_was_edited_is_mended(images, troubled, tree, destination, name):
    assert images().status == 1
    before = tree(destination)
    for edit in (before[name] + b"\n", before[name][:-1], before[name].replace(b"\n", b"\r\n"), b""):
        (destination / name).write_bytes(edit)
        assert images("--force").status == 1
        assert tree(destination) == before


def test_a_part_of_a_finished_lossy_run(noisy, tmp_path, png, tree, times, destination):
    """What is left of the noise on disk is measured on the first outputs; those of a part are others."""
    source = tmp_path / "photos"
    source.mkdir()
    for number in range(20):
        (source / f"{number:02}.png").write_bytes(png(number))
    words = ["images", source, destination, "--std", "25", "--format", "jpg"]
    assert noisy(*words).status == 0
    content, before = tree(destination), times(destination)
    for part in (["--include", "1*"], ["--limit", "3"], ["--include", "19.png"], []):
        done = noisy(*words, *part, "--json")
        assert (done.status, done.summary["made"]) == (0, 0), part
        assert (tree(destination), times(destination)) == (content, before), part
    (source / "19.png").write_bytes(png(50))
    assert noisy(*words, "--include", "19.png", "--json").summary["made"] == 1
    survival = json.loads((destination / "run.json").read_text())["survival"]
    assert survival.keys() == {f"{number:02}.jpg" for number in (*range(16), 19)}
    assert noisy(*words, "--json").summary["made"] == 0
    assert noisy(*words[:2], tmp_path / "once", *words[3:]).status == 0
    assert tree(destination) == tree(tmp_path / "once")
