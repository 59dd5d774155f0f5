"""Folders of each kind, and noisecli on all of them in parts."""

import json

import numpy as np
import pytest

WORDS = {
    "images": ["--std", "25"],
    "audio": ["--snr-db", "10..30"],
    "arrays": ["--std", "0.5"],
    "weights": ["--std", "5%"],
    "latents": ["--shape", "3x4", "--count", "50", "--per-file", "7"],
}


@pytest.fixture
def source_of(tmp_path, fill, png, sample_data):
    """Fill a source folder of a kind, with what becomes of files that cannot be done, or are beside."""

    def make(kind):
        folder = tmp_path / "src"
        if kind in ("images", "audio"):
            suffix = ".png" if kind == "images" else ".wav"
            names = [f"{group}/{number}{suffix}" for group in ("train", "test") for number in range(6)]
            labels = [name.removesuffix(suffix) + ".txt" for name in names]
            fill(folder, *names, *labels, "notes.md", "é%FF" + suffix)
            for number in range(4):
                (folder / f"train/broken-{number}{suffix}").write_bytes(b"no image and no sound" * 9)
            (folder / "gone.txt").symlink_to("nowhere")
            (folder / f"link{suffix}").symlink_to(tmp_path)
        if kind == "images":
            for number, path in enumerate(sorted(sample_data.rglob("*.jpg"))[:6]):
                (folder / f"photo-{number}.jpg").write_bytes(path.read_bytes())
            coco = {"images": [{"id": 1, "file_name": "train/1.png"}, {"id": 2, "file_name": "train/2.png"}]}
            (folder / "coco.json").write_text(json.dumps(coco))
            (folder / "masks").mkdir()
            for number in range(5):
                (folder / f"masks/{number}.png").write_bytes(png(0, width=1, height=1, colour=0))
        if kind == "arrays":
            folder.mkdir()
            for number in range(9):
                np.save(folder / f"{number}.npy", np.arange(number + 5, dtype=np.float32))
            (folder / "bad.npy").write_bytes(b"not an array")
        if kind == "weights":
            folder.mkdir()
            for number in range(9):
                np.savez(
                    folder / f"{number}.npz", w=np.arange(40, dtype=np.float32) * (number + 1), b=np.zeros(3, "f4")
                )
            (folder / "config.json").write_text("{}")
        return folder

    return make


@pytest.fixture
def run_kind(noisy, source_of):
    """Run a kind's command over its folder, made once."""
    folders = {}

    def run(kind, to, *words):
        if kind != "latents" and kind not in folders:
            folders[kind] = source_of(kind)
        paths = [to] if kind == "latents" else [folders[kind], to]
        return noisy(kind, *paths, *WORDS[kind], *words, "-j", "1")

    return run


@pytest.fixture
def parts(images, destination):
    """Make some shards of the five pictures."""

    def make(*shards, to=destination, words=()):
        for shard in shards:
            done = images("--shard", shard, *words, to=to)
            assert done.status == 0, done
        return to

    return make
