"""Pure noise: its distribution, and that nothing shows in it but seed, shape, level and number."""

import json

import numpy as np
import pytest
from scipy import stats

CHANCE = 1e-9


@pytest.fixture
def latents(noisy, tmp_path):
    """Run `noisecli latents` into a folder of the given name."""

    def run(to, *words):
        return noisy("latents", tmp_path / to, *words)

    return run


@pytest.fixture
def load(tmp_path):
    """All latents of a folder in one array."""

    def load_all(folder):
        return np.concatenate([np.load(path) for path in sorted((tmp_path / folder).glob("latents-*.npy"))])

    return load_all


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_latents_are_unit_gaussian(latents, load, dtype):
    assert latents("z", "--shape", "8x9", "--count", "3000", "--dtype", dtype, "--per-file", "700").status == 0
    z = load("z")
    assert (z.shape, z.dtype) == ((3000, 8, 9), np.dtype(dtype))
    flat = z.astype(float).ravel()
    error = stats.norm.isf(CHANCE) / np.sqrt(flat.size)
    assert abs(flat.mean()) < error + 1e-4
    assert abs(flat.std() - 1) < error + 1e-4
    if dtype != "float16":
        assert stats.kstest(flat, "norm").pvalue > CHANCE
    neighbours = np.corrcoef(flat[:-1], flat[1:])[0, 1], np.corrcoef(flat[:-72], flat[72:])[0, 1]
    assert np.abs(neighbours).max() < error


def test_std_and_mean_are_plain_numbers(latents, load, rows, tmp_path):
    assert latents("z", "--shape", "100", "--count", "1000", "--std", "0.5", "--mean", "-2").status == 0
    z = load("z").astype(float)
    error = stats.norm.isf(CHANCE) / np.sqrt(z.size)
    assert abs(z.mean() + 2) < 0.5 * error
    assert abs(z.std() / 0.5 - 1) < error
    [row] = rows(tmp_path / "z").values()
    assert (row["source"], row["std"], row["mean"], row["first"]) == (None, 0.5, -2.0, 0)
    assert row["measured_std"] == pytest.approx(z.std(), rel=1e-5)


@pytest.mark.parametrize("shape", ["1", "100", "300x301"])
def test_files_and_count_do_not_show(latents, load, shape):
    """Files that begin inside a group of the stream, and latents larger than a group."""
    count = {"1": 150_000, "100": 2000, "300x301": 7}[shape]
    for number, (asked, per_file) in enumerate([(count, count), (count, count // 3), (count // 2, 1 + count // 5)]):
        words = ("--shape", shape, "--count", asked, "--per-file", per_file)
        assert latents(str(number), *words).status == 0
    assert (load("0") == load("1")).all()
    assert (load("0")[: count // 2] == load("2")).all()


def test_jobs_do_not_show(latents, tree, tmp_path):
    for jobs in (1, 2):
        assert latents(f"j{jobs}", "--shape", "100", "--count", "5000", "--per-file", "99", "-j", jobs).status == 0
    assert tree(tmp_path / "j1") == tree(tmp_path / "j2")
    assert len(tree(tmp_path / "j1")) == 53


def test_seed_shape_and_level_are_other_noise(latents, load):
    shapes = [("--shape", "60"), ("--shape", "60", "--seed", "1"), ("--shape", "6x10"), ("--shape", "60", "--std", "2")]
    for number, words in enumerate(shapes):
        assert latents(str(number), *words, "--count", "500").status == 0
    correlations = np.corrcoef([load(str(number)).ravel() for number in range(4)])[np.triu_indices(4, 1)]
    assert np.abs(correlations).max() < stats.norm.isf(CHANCE) / np.sqrt(30_000)


def test_done_once_is_done(latents, load, tmp_path):
    words = ("--shape", "10", "--per-file", "30", "--json")
    assert latents("z", *words, "--count", "100").summary["made"] == 4
    assert latents("z", *words, "--count", "100").summary["kept"] == 4
    assert latents("z", *words, "--count", "100", "--checksum").summary["kept"] == 4
    more = latents("z", *words, "--count", "150").summary
    assert (more["made"], more["kept"]) == (2, 3)
    (tmp_path / "z/latents-00001.npy").unlink()
    assert latents("z", *words, "--count", "150").summary["made"] == 1
    assert load("z").shape == (150, 10)


def test_files_no_longer_asked_for_are_told_and_pruned(latents, load, tmp_path):
    words = ("--shape", "10", "--count", "100")
    assert latents("z", *words, "--per-file", "20").status == 0
    told = latents("z", *words, "--per-file", "40").err
    assert "2 outputs of earlier requests" in told
    assert "--prune removes them" in told
    assert latents("z", *words, "--per-file", "40", "--prune", "--json").summary["pruned"] == 2
    assert load("z").shape == (100, 10)


def test_verify_makes_the_same_again(latents, noisy, tmp_path):
    assert latents("z", "--shape", "10", "--count", "100", "--per-file", "30", "--std", "3").status == 0
    done = noisy("verify", tmp_path / "z", "--json", "--recompute")
    assert (done.status, done.summary["remade"], done.summary["differences"]) == (0, 4, [])
    path = tmp_path / "z/manifest.jsonl"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([json.dumps({**json.loads(lines[0]), "first": 1}), *lines[1:]]) + "\n")
    done = noisy("verify", tmp_path / "z", "--json", "--recompute")
    assert (done.status, done.summary["counts"]) == (1, {"noise-differs": 1})
    assert noisy("verify", tmp_path / "z", "--recompute", tmp_path).status == 2


def test_a_folder_of_pictures_needs_its_source(images, noisy, destination):
    assert images().status == 0
    done = noisy("verify", destination, "--recompute")
    assert done.status == 2
    assert "name the sources' folder" in done.err


def test_a_dry_run_writes_nothing(latents, tmp_path):
    done = latents("z", "--shape", "10", "--count", "100", "--per-file", "30", "--dry-run", "--json")
    assert (done.status, done.summary["planned"]) == (0, 4)
    assert not (tmp_path / "z").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("--shape", "0", "--count", "1"),
        ("--shape", "3x", "--count", "1"),
        ("--shape", "3x-1", "--count", "1"),
        ("--shape", "3", "--count", "0"),
        ("--shape", "3"),
        ("--shape", "3", "--count", "1", "--std", "5%"),
        ("--shape", "3", "--count", "1", "--std", "-1"),
        ("--shape", "3", "--count", "1", "--std", "1..2"),
        ("--shape", "3", "--count", "1", "--std", "10000", "--dtype", "float16"),
        ("--shape", "10000000x10000000x10000000", "--count", "1"),
    ],
    ids=" ".join,
)
def test_words_that_mean_nothing_are_refused(latents, tmp_path, words):
    done = latents("z", *words)
    assert done.status == 2
    assert done.err.count("\n") == 1
    assert not (tmp_path / "z").exists()
