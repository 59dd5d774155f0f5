"""The manifest and what stands beside it: promised keys, types and order; nothing else is left in DST."""

import hashlib
import json
import math
import os

import numpy as np
import pytest
import soundfile

IMAGE_KEYS = [
    "file_name",
    "source",
    "kind",
    "format",
    "dtype",
    "shape",
    "noise",
    "unit",
    "level",
    "drawn",
    "std",
    "mean",
    "std_fraction",
    "key",
    "copy",
    "applied",
    "clipped_fraction",
    "measured_std",
    "psnr_db",
    "snr_db",
    "warnings",
    "settings",
    "source_bytes",
    "source_sha256",
    "bytes",
    "sha256",
]
SOUND_KEYS = [
    "file_name",
    "source",
    "kind",
    "format",
    "dtype",
    "shape",
    "sample_rate",
    "duration",
    "noise",
    "unit",
    "level",
    "drawn",
    "std",
    "mean",
    "std_fraction",
    "key",
    "copy",
    "applied",
    "clipped_fraction",
    "measured_std",
    "snr_db",
    "warnings",
    "settings",
    "source_bytes",
    "source_sha256",
    "bytes",
    "sha256",
]
FLOATS = {"drawn", "std", "mean", "std_fraction", "clipped_fraction", "measured_std", "psnr_db", "snr_db", "duration"}


def check_rows(rows, folder, source, keys):
    for name, row in rows.items():
        assert list(row) == keys
        for key in FLOATS & row.keys():
            assert row[key] is None or type(row[key]) is float, key
        data, original = (folder / name).read_bytes(), (source / row["source"]).read_bytes()
        assert (row["bytes"], row["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
        assert (row["source_bytes"], row["source_sha256"]) == (len(original), hashlib.sha256(original).hexdigest())
        assert row["noise"] == "gaussian"
        assert len(row["key"]) == 32
        assert "/" not in row["settings"]


def test_rows_of_pictures(images, rows, destination, pictures):
    assert images().status == 0
    found = rows(destination)
    assert list(found) == ["a.png", "b.png", "cats/c.png", "cats/d.png", "e.png"]
    check_rows(found, destination, pictures, IMAGE_KEYS)
    row = found["cats/c.png"]
    assert (row["std"], row["mean"], row["unit"], row["level"]) == (25.0, 0.0, "1/255", "std=25")
    assert (row["format"], row["dtype"], row["shape"], row["copy"], row["applied"]) == (
        *("png", "uint8", [12, 16, 3], 1, True),
    )
    assert row["measured_std"] == pytest.approx(25, rel=0.15)
    assert len({row["key"] for row in found.values()}) == 5


def test_rows_of_sounds(noisy, fill, rows, tmp_path, destination):
    source = fill(tmp_path / "in", "a.wav", "b.wav")
    assert noisy("audio", source, destination, "--std", "1%").status == 0
    found = rows(destination)
    check_rows(found, destination, source, SOUND_KEYS)
    assert (found["a.wav"]["shape"], found["a.wav"]["sample_rate"], found["a.wav"]["duration"]) == (
        [400, 1],
        8000,
        0.05,
    )
    assert (found["a.wav"]["std"], found["a.wav"]["std_fraction"], found["a.wav"]["unit"]) == (327.68, 0.01, "1/32768")


def test_rows_with_clean(images, rows, destination, pictures, tree):
    assert images("--with-clean").status == 0
    found = rows(destination)
    keys = [*IMAGE_KEYS[:2], "clean_file_name", *IMAGE_KEYS[2:-2], "clean_bytes", "clean_sha256", *IMAGE_KEYS[-2:]]
    check_rows(found, destination, pictures, keys)
    for name, row in found.items():
        clean = (destination / row["clean_file_name"]).read_bytes()
        assert row["clean_file_name"] == name.replace("noisy/", "clean/")
        assert (row["clean_bytes"], row["clean_sha256"]) == (len(clean), hashlib.sha256(clean).hexdigest())


def test_numbers_without_value_are_null(images, rows, destination):
    assert images("--std", "0").status == 0
    row = rows(destination)["a.png"]
    assert (row["applied"], row["std"], row["psnr_db"], row["snr_db"]) == (False, 0.0, None, None)
    text = (destination / "manifest.jsonl").read_text()
    assert "NaN" not in text
    assert "Infinity" not in text


def test_copies_and_levels_in_rows(images, rows, destination):
    assert images("--std", "5,10%", "--copies", "2").status == 0
    found = rows(destination)
    assert len(found) == 20
    row = found["std-10pct/cats/c-2.png"]
    assert (row["source"], row["level"], row["copy"], row["std"]) == ("cats/c.png", "std=10%", 2, 25.5)


def test_clipped_share(images, rows, samples, destination, pictures):
    assert images("--std", "0", "--mean", "100").status == 0
    for name, row in rows(destination).items():
        clipped = (samples(pictures / name) > 155).mean()
        assert row["clipped_fraction"] == pytest.approx(clipped, rel=1e-5)


def test_rows_tell_which_output_got_noise(images, samples, rows, fill, pictures, destination):
    fill(pictures, *(f"{n}.png" for n in range(30)))
    assert images("--prob", "0.5").status == 0
    found = rows(destination)
    applied = [row["applied"] for row in found.values()]
    assert 5 < sum(applied) < 30
    for name, row in found.items():
        same = (samples(pictures / name) == samples(destination / name)).all()
        assert same == (not row["applied"])
        assert (row["std"] == 0.0) == (not row["applied"])


def test_nothing_else_is_left(images, pictures, destination, tree, fill):
    fill(pictures, "a.txt")
    assert images().status == 0
    made = {"a.png", "b.png", "cats/c.png", "cats/d.png", "e.png"}
    assert tree(destination).keys() == made | {"manifest.jsonl", "run.json"}
    (pictures / "broken.png").write_bytes(b"")
    assert images().status == 1
    assert tree(destination).keys() == made | {"manifest.jsonl", "run.json", "errors.jsonl"}
    (pictures / "broken.png").unlink()
    assert images().status == 0
    assert tree(destination).keys() == made | {"manifest.jsonl", "run.json"}


def test_nothing_tells_where_or_when_it_was_made(images, noisy, pictures, destination, tree, tmp_path):
    assert images().status == 0
    (tmp_path / "elsewhere").mkdir()
    moved = pictures.rename(tmp_path / "elsewhere" / "other-name")
    assert images(source=moved, to=tmp_path / "elsewhere" / "dst").status == 0
    assert tree(destination) == tree(tmp_path / "elsewhere" / "dst")
    for name in ("manifest.jsonl", "run.json"):
        assert os.fspath(tmp_path) not in (destination / name).read_text()


def test_errors_tell_every_source_that_failed_or_was_skipped(images, pictures, destination, errors):
    (pictures / "empty.png").write_bytes(b"")
    (pictures / "html.png").write_text("<html>")
    (pictures / "x.jxl").write_bytes(b"x")
    (pictures / "unknown.xyz").write_bytes(b"x")
    assert images().status == 1
    found = errors(destination)
    assert list(found) == ["empty.png", "html.png", "x.jxl"]
    for entry in found.values():
        assert list(entry) == ["source", "status", "reason", "message"]
    assert [entry["status"] for entry in found.values()] == ["failed", "failed", "skipped"]
    totals = json.loads((destination / "run.json").read_text())["totals"]
    assert (totals["outputs"], totals["failed"], totals["skipped"]) == (5, 2, 1)


def test_run_json_spells_the_settings_out(images, rows, destination):
    assert images("--seed", "7").status == 0
    run = json.loads((destination / "run.json").read_text())
    [(key, settings)] = run["settings"].items()
    assert {row["settings"] for row in rows(destination).values()} == {key}
    assert (settings["seed"], settings["kind"]) == (7, "images")
    assert run["versions"].keys() >= {"numpy", "opencv"}
    assert run["stream"] == settings["stream"]


def test_totals_are_those_of_the_state_reached(images, destination, rows):
    assert images("--limit", "2").status == 0
    assert images("--include", "cats").status == 0
    totals = json.loads((destination / "run.json").read_text())["totals"]
    found = rows(destination)
    assert totals["outputs"] == len(found) == 4
    assert totals["bytes"] == sum(row["bytes"] for row in found.values())


def test_settings_of_all_rows_are_spelled_out(images, destination, rows):
    assert images("--limit", "2", "--seed", "1").status == 0
    assert images("--include", "cats", "--seed", "2").status == 0
    run = json.loads((destination / "run.json").read_text())
    assert {row["settings"] for row in rows(destination).values()} == run["settings"].keys()
    assert {settings["seed"] for settings in run["settings"].values()} == {1, 2}


def test_survival_of_lossy_outputs_is_told_and_kept(noisy, sample_data, destination):
    done = noisy("images", sample_data / "images", destination, "--std", "25", "--include", "*.jpg", "--json")
    assert done.status == 0
    survival = json.loads((destination / "run.json").read_text())["survival"]
    assert len(survival) == 6
    # it is off by less than 3%
    assert done.summary["survival"]["std=25"]["std"] != 1
    assert "on disk" not in done.err
    again = noisy("images", sample_data / "images", destination, "--std", "25", "--include", "*.jpg", "--json")
    assert (again.summary["kept"], again.summary["survival"]) == (6, done.summary["survival"])


@pytest.mark.parametrize("form", ["mp3", "ogg"])
def test_survival_where_the_samples_change_their_type(noisy, sample_data, destination, form):
    """Integers go in, the decoder of the output gives floats: both are told in one unit."""
    done = noisy("audio", sample_data / "audio", destination, "--snr-db", "20", "--format", form)
    assert done.status == 0
    shares = json.loads((destination / "run.json").read_text())["survival"].values()
    assert all(0.5 < share["std"] < 2 for share in shares if share is not None)
    assert any(share is not None for share in shares)


@pytest.mark.parametrize("subtype", ["ULAW", "ALAW", "IMA_ADPCM", "MS_ADPCM", "GSM610"])
def test_survival_is_measured_by_what_a_file_holds(noisy, tmp_path, destination, subtype):
    """A WAV may be lossy inside; one that is not is none of those measured."""
    source = tmp_path / "wavs"
    source.mkdir()
    rng = np.random.default_rng(3)
    sound = np.sin(np.arange(8000) * 0.05)[:, None] * 0.3 + rng.normal(0, 0.01, (8000, 1))
    soundfile.write(source / "coded.wav", sound, 8000, subtype=subtype)
    soundfile.write(source / "plain.wav", sound, 8000, subtype="PCM_16")
    done = noisy("audio", source, destination, "--snr-db", "10", "--json")
    assert done.status == 0
    survival = json.loads((destination / "run.json").read_text())["survival"]
    assert survival.keys() == {"coded.wav"}
    assert 0.3 < survival["coded.wav"]["correlated"] < 1.2
    assert done.summary["survival"]["snr_db=10"] == survival["coded.wav"]
    again = noisy("audio", source, destination, "--snr-db", "10", "--json")
    assert (again.summary["kept"], again.summary["survival"]) == (2, done.summary["survival"])


def test_survival_of_channels_in_another_order(noisy, tmp_path, destination):
    source = tmp_path / "wavs"
    source.mkdir()
    rng = np.random.default_rng(3)
    sound = rng.normal(0, 0.1, (48000, 5)) * [1, 0.5, 0.2, 0.7, 0.3]
    soundfile.write(source / "five.wav", sound, 48000, subtype="PCM_16", format="WAVEX")
    path = source / "five.wav"
    data = bytearray(path.read_bytes())
    at = data.index(b"fmt ") + 28
    data[at : at + 4] = (0x37).to_bytes(4, "little")
    path.write_bytes(data)
    done = noisy("audio", source, destination, "--snr-db", "0", "--format", "ogg", "--json")
    assert done.status == 0
    assert done.summary["survival"]["snr_db=0"]["correlated"] > 0.9


def test_names_are_utf8_as_they_are(images, fill, pictures, destination, rows):
    fill(pictures, "größe/日本.png")
    assert images().status == 0
    assert "größe/日本.png" in rows(destination)
    assert "größe/日本.png".encode() in (destination / "manifest.jsonl").read_bytes()


def test_hugging_face_metadata(images, rows, destination):
    assert images("--manifest", "metadata.jsonl").status == 0
    for row in rows(destination, "metadata.jsonl").values():
        assert all((destination / row[key]).exists() for key in row if key.endswith("file_name"))


def test_nine_digits(images, rows, destination):
    assert images("--std", "7..50").status == 0
    for row in rows(destination).values():
        assert row["std"] == float(f"{row['std']:.9g}")
        assert row["measured_std"] == float(f"{row['measured_std']:.6g}")
        assert math.isclose(row["std_fraction"], row["std"] / 255, rel_tol=1e-8)
