"""What was drawn from a range stands beside it, in the unit in which the range is written."""

import json
import math

import numpy as np
import pytest
import soundfile

SEVERITIES = {0: 0.0, 1: 0.08, 2: 0.12, 3: 0.18, 4: 0.26, 5: 0.38}


@pytest.fixture
def without_drawn():
    """Make rows those of a version that did not record what was drawn."""

    def edit(folder):
        manifest = folder / "manifest.jsonl"
        rows = [json.loads(line) for line in manifest.read_text().splitlines()]
        for row in rows:
            del row["drawn"]
        manifest.write_text("".join(f"{json.dumps(row)}\n" for row in rows))

    return edit


@pytest.mark.parametrize(
    ("option", "text", "std_of"),
    [
        ("--std", "5..50", lambda drawn: drawn),
        ("--std", "5..50%", lambda drawn: drawn / 100 * 255),
        ("--std", "10%..128/256", lambda drawn: drawn / 256 * 255),
        ("--var", "25..2500", math.sqrt),
        ("--severity", "0..5", lambda drawn: SEVERITIES[drawn] * 255),
    ],
)
def test_a_range_of_images(images, rows, destination, option, text, std_of):
    assert images(option, text, "--copies", "3", "--prob", "80%").status == 0
    found = list(rows(destination).values())
    assert len({row["drawn"] for row in found}) > 3
    for row in found:
        if row["drawn"] is None:
            assert (row["applied"], row["std"]) == (False, 0)
        else:
            assert type(row["drawn"]) is float
            assert row["std"] == pytest.approx(std_of(row["drawn"]), rel=1e-7)
    # chance alone says null
    assert 0 < sum(row["drawn"] is None for row in found) < 10


def test_a_ratio_of_sounds(noisy, fill, rows, destination, tmp_path):
    source = fill(tmp_path / "sounds", "a.wav", "b.wav", "c.wav")
    soundfile.write(source / "silent.wav", np.zeros(400), 8000)
    assert noisy("audio", source, destination, "--snr-db", "10..30").status == 0
    found = rows(destination)
    assert found.pop("silent.wav")["drawn"] is None
    for name, row in found.items():
        signal = soundfile.read(source / name, dtype="int16")[0].astype(float)
        ratio = 10 * math.log10(np.square(signal).mean() / row["std"] ** 2)
        assert row["drawn"] == pytest.approx(ratio, abs=1e-6)
        assert 10 <= row["drawn"] <= 30


@pytest.mark.parametrize("kind", ["arrays", "weights"])
def test_a_share_of_arrays(noisy, rows, destination, tmp_path, kind):
    (tmp_path / "src").mkdir()
    for name in ("a.npz", "b.npz"):
        np.savez(tmp_path / "src" / name, x=np.random.default_rng(3).normal(0, 1, (40, 8)))
    assert noisy(kind, tmp_path / "src", destination, "--std", "5..50%").status == 0
    for row in rows(destination).values():
        assert row["drawn"] == pytest.approx(100 * row["std_fraction"], rel=1e-7)
    assert noisy("verify", destination, "--recompute", tmp_path / "src").status == 0


def test_what_is_no_range_is_drawn_from_none(images, noisy, rows, destination, tmp_path):
    assert images("--std", "5,25").status == 0
    assert noisy("latents", tmp_path / "latents", "--shape", "3", "--count", "2").status == 0
    assert {row["drawn"] for folder in (destination, tmp_path / "latents") for row in rows(folder).values()} == {None}


def test_recomputing_draws_again(images, noisy, pictures, rows, destination):
    assert images("--std", "5..50", "--copies", "2").status == 0
    assert noisy("verify", destination, "--recompute", pictures).status == 0
    manifest = destination / "manifest.jsonl"
    drawn = rows(destination)["a-1.png"]["drawn"]
    manifest.write_text(manifest.read_text().replace(f'"drawn": {drawn!r}', '"drawn": 49.0'))
    done = noisy("verify", destination, "--recompute", pictures, "--json")
    assert [(entry["file_name"], entry["reason"]) for entry in done.summary["differences"]] == [
        ("a-1.png", "row-differs")
    ]
    assert "its row says drawn 49.0" in done.err


def test_rows_of_earlier_versions_hold(images, noisy, pictures, tree, rows, destination, without_drawn):
    assert images("--std", "5..50").status == 0
    without_drawn(destination)
    before = tree(destination)
    assert images("--std", "5..50", "--json").summary["kept"] == 5
    assert tree(destination) == before
    assert noisy("verify", destination, "--recompute", pictures).status == 0
    for name in ("csv", "hf"):
        assert noisy("export", destination, "--to", name).status == 0
