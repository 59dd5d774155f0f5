"""Disks that are full or read-only: the status is not 0, no old output is lost, the next run goes on."""

import os
import subprocess

import numpy as np
import pytest


@pytest.fixture
def small_disk(tmp_path):
    """Return a folder on a file system of 256 kB, where one may be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_disk_full_in_mid_write_is_gone_on_from(noisy, png, rows, tree, small_disk, tmp_path):
    source = tmp_path / "big"
    source.mkdir()
    for number in range(4):
        (source / f"{number}.png").write_bytes(png(number, 200, 180))
    destination = small_disk / "dst"
    assert noisy("images", source, destination, "--std", "25", "--limit", "1").status == 0
    before = tree(destination)
    done = noisy("images", source, destination, "--std", "25")
    assert done.status == 3
    assert "No space left" in done.err
    assert tree(destination)["0.png"] == before["0.png"]
    subprocess.run(["mount", "-o", "remount,size=1m", small_disk], check=True)
    assert noisy("images", source, destination, "--std", "25").status == 0
    assert noisy("images", source, tmp_path / "other", "--std", "25").status == 0
    assert tree(destination) == tree(tmp_path / "other")


def test_disk_full_in_redo_keeps_the_old_output_whole(noisy, png, tree, small_disk, tmp_path):
    source = tmp_path / "big"
    source.mkdir()
    (source / "a.png").write_bytes(png(0, 120, 90))
    destination = small_disk / "dst"
    assert noisy("images", source, destination, "--std", "25").status == 0
    before = tree(destination)
    (small_disk / "filler").write_bytes(bytes(os.statvfs(small_disk).f_bavail * 4096 - 16384))
    assert noisy("images", source, destination, "--std", "30").status == 3
    assert tree(destination)["a.png"] == before["a.png"]
    assert not [name for name in os.listdir(destination) if name.startswith(".noisecli-tmp")]
    (small_disk / "filler").unlink()
    assert noisy("images", source, destination, "--std", "25").status == 0
    assert tree(destination) == before


def test_disk_full_for_sounds_is_gone_on_from(noisy, write_wav, tree, small_disk, tmp_path):
    source = tmp_path / "sounds"
    for number in range(4):
        write_wav(source / f"{number}.wav", number, frames=50_000)
    destination = small_disk / "dst"
    done = noisy("audio", source, destination, "--std", "1%")
    assert done.status == 3
    subprocess.run(["mount", "-o", "remount,size=1m", small_disk], check=True)
    assert noisy("audio", source, destination, "--std", "1%").status == 0
    assert noisy("audio", source, tmp_path / "other", "--std", "1%").status == 0
    assert tree(destination) == tree(tmp_path / "other")


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_disk_full_for_arrays_is_gone_on_from(noisy, tree, small_disk, tmp_path, suffix):
    source = tmp_path / "arrays"
    source.mkdir()
    for number in range(4):
        samples = np.arange(12_000 + number, dtype=np.float64)
        path = source / f"{number}{suffix}"
        np.save(path, samples) if suffix == ".npy" else np.savez(path, x=samples, y=samples.astype(int))
    destination = small_disk / "dst"
    done = noisy("arrays", source, destination, "--std", "1%")
    assert (done.status, "Traceback" in done.err) == (3, False)
    subprocess.run(["mount", "-o", "remount,size=2m", small_disk], check=True)
    assert noisy("arrays", source, destination, "--std", "1%").status == 0
    assert noisy("arrays", source, tmp_path / "other", "--std", "1%").status == 0
    assert tree(destination) == tree(tmp_path / "other")


def test_a_read_only_file_system_is_one_line(noisy, pictures, small_disk):
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    done = noisy("images", pictures, small_disk / "dst", "--std", "25")
    assert done.status == 3
    assert done.err.count("\n") == 1
