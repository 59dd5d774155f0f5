"""The run around arrays: the same promises as for pictures and sounds."""

import json
import subprocess
import sys

import numpy as np
import pytest

PEAK = """
import json, resource, sys
from noisecli.kinds.arrays import ArraysSettings
from noisecli.settings import NoiseSettings, Settings
from noisecli.workers.worker import Making
from noisecli.model import Level, Task
source, destination, compressed = sys.argv[1:]
level = Level("std", 0.05, 0.05, "5%", relative=True)
settings = Settings("arrays", source, destination, NoiseSettings((level,)), own=ArraysSettings())
making = Making(settings, None, "")
import noisecli.codecs.arrays, noisecli.workers.arrays
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
[made] = making.work([Task("big" + compressed, "big" + compressed, None, level, 1, bytes(16), 3 << 27)]).outcomes
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([before, after, made.row]))
"""


def test_jobs_do_not_show(arrays, tree, tmp_path):
    for jobs in (1, 2):
        words = ("--std", "5..50%", "--copies", "2", "-j", jobs)
        assert arrays(*words, to=tmp_path / f"j{jobs}").status == 0
    assert tree(tmp_path / "j1") == tree(tmp_path / "j2")
    assert len(tree(tmp_path / "j1")) == 12


def test_seed_copies_and_levels_are_other_noise(arrays, features, tmp_path):
    assert arrays("--copies", "2", "--std", "1,2", to=tmp_path / "sweep").status == 0
    assert arrays("--seed", "1", "--std", "1", to=tmp_path / "seed").status == 0
    assert arrays("--std", "1", to=tmp_path / "alone").status == 0
    clean = np.load(features / "a.npy")
    names = ["sweep/std-1/a-1.npy", "sweep/std-1/a-2.npy", "sweep/std-2/a-1.npy", "seed/a.npy"]
    noises = [(np.load(tmp_path / name) - clean).ravel() for name in names]
    correlations = np.corrcoef(noises)[np.triu_indices(4, 1)]
    assert (np.abs(correlations) < 6 / np.sqrt(clean.size)).all()
    assert (tmp_path / "alone/a.npy").read_bytes() == (tmp_path / "sweep/std-1/a-1.npy").read_bytes()


def test_done_once_is_done(arrays, features, tree, destination):
    assert arrays("--json").summary["made"] == 5
    before = tree(destination)
    assert arrays("--json").summary["kept"] == 5
    np.save(features / "a.npy", np.zeros((3, 3)))
    again = arrays("--json").summary
    assert (again["made"], again["kept"]) == (1, 4)
    changed = {name for name, data in tree(destination).items() if before[name] != data}
    assert changed <= {"a.npy", "manifest.jsonl", "run.json"}
    assert arrays("--json", "--clip", "-1..1").summary["made"] == 5


def test_nothing_is_written_by_a_dry_run(arrays, destination):
    assert arrays("--dry-run", "--json").summary["planned"] == 5
    assert not destination.exists()


def test_with_clean_the_clean_one_is_the_source(arrays, features, destination, rows):
    assert arrays("--with-clean").status == 0
    for name in ("a.npy", "deep/b.npy", "c.npy"):
        assert (destination / "clean" / name).read_bytes() == (features / name).read_bytes()
    assert rows(destination)["noisy/a.npy"]["clean_file_name"] == "clean/a.npy"


@pytest.mark.parametrize(
    "words",
    [
        ("--std", "0.5"),
        ("--std", "5..50%", "--copies", "2"),
        ("--std", "20%", "--per-feature", "--clip", "-2..2"),
        ("--snr-db", "0..20", "--with-clean"),
        ("--std", "10%", "--key", "*", "--mean", "1"),
        ("--std", "1", "--dtype", "float32", "--with-clean", "--prob", "0.5"),
    ],
    ids=" ".join,
)
def test_verify_makes_the_same_noise_again(arrays, noisy, features, destination, words):
    assert arrays(*words).status == 0
    done = noisy("verify", destination, "--recompute", features, "--json")
    assert (done.status, done.summary["differences"]) == (0, [])
    assert done.summary["remade"] == done.summary["rows"] > 0


def test_verify_sees_what_changed(arrays, noisy, features, destination, rows):
    assert arrays().status == 0
    path = destination / "a.npy"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    done = noisy("verify", destination, "--json")
    assert (done.status, done.summary["counts"]) == (1, {"digest-differs": 1})
    arrays("--redo")
    lines = (destination / "manifest.jsonl").read_text().splitlines()
    row = json.loads(lines[0])
    row["parts"][0]["std"] = 0.25
    (destination / "manifest.jsonl").write_text("\n".join([json.dumps(row, ensure_ascii=False), *lines[1:]]) + "\n")
    done = noisy("verify", destination, "--recompute", features, "--json")
    assert (done.status, done.summary["counts"]) == (1, {"noise-differs": 1})


def test_other_kinds_are_named_with_their_command(images, arrays, pictures, features, noisy, fill, tmp_path):
    assert pictures == features
    assert "5 array files left alone: noisecli arrays" in images().err
    assert "5 images left alone: noisecli images" in arrays(to=tmp_path / "other").err
    assert noisy("arrays", fill(tmp_path / "none", "a.png"), tmp_path / "x", "--std", "1").status == 2


def test_one_file_to_one_file(noisy, features, tmp_path, rows, arrays, destination):
    assert noisy("arrays", features / "a.npy", tmp_path / "out.npy", "--std", "0.5").status == 0
    assert arrays().status == 0
    assert (tmp_path / "out.npy").read_bytes() == (destination / "a.npy").read_bytes()


def test_pipes(spawned, features):
    data = (features / "a.npy").read_bytes()
    done = spawned("arrays", "-", "-", "--std", "0.5", stdin=data)
    assert done.status == 0
    assert len(done.out) == len(data)
    assert done.out[:128] == data[:128]
    assert done.out != data


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--std", "25/255"], "no full scale"),
        (["--std", "1..5%", "--per-feature", "--snr-db", "3"], "exactly one"),
        (["--std", "1", "--per-feature"], "--per-feature"),
        (["--std", "1", "--clip", "3..1"], "lower end"),
        (["--std", "1", "--clip", "3"], "--clip 0..1"),
        (["--std", "1", "--mean", "5%"], "plain number"),
        (["--std", "-1"], "less than none"),
        (["--std", "1", "--full-scale", "3"], "No such option"),
    ],
)
def test_words_that_mean_nothing_are_refused(noisy, features, destination, words, told):
    done = noisy("arrays", features, destination, *words)
    assert done.status == 2
    assert told in done.err
    assert done.err.count("\n") == 1
    assert not destination.exists()


def test_formats_stay(noisy, features, tmp_path):
    assert noisy("arrays", features / "a.npy", tmp_path / "a.npz", "--std", "1").status == 2
    assert noisy("images", features / "a.npy", tmp_path / "b.npy", "--std", "1").status == 2


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux counts peak memory in kB")
@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_memory_does_not_grow_with_the_array(tmp_path, suffix):
    """400 MB of samples, their own std measured first, within 40 MB."""
    source = tmp_path / "src"
    source.mkdir()
    samples = np.lib.format.open_memmap(source / "big.npy", "w+", np.float32, (100_000, 1000))
    if suffix == ".npz":
        np.savez(source / "big.npz", x=samples)
    del samples
    command = [sys.executable, "-c", PEAK, source, tmp_path / "dst", suffix]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)
    before, after, row = json.loads(done.stdout)
    assert json.loads(row)["bytes"] > 400_000_000
    assert (after - before) / 1024 < 40
