"""`applied` is what happened: where rounding leaves nothing of the noise, rows, labels and the summary say so."""

import csv
import io
import json

import numpy as np
import pytest
import soundfile

from noisecli.model import SampleSpec
from noisecli.noise.draw import Draw
from noisecli.noise.measure import Measure
from noisecli.noise.models.signed_step import StepField

RNG = np.random.default_rng(14)
FAINT = np.rint(RNG.normal(0, 8, (8000, 1))).astype("int16")
"""40 dB below it are 0.08 steps."""


@pytest.fixture
def sounds(tmp_path):
    (tmp_path / "src").mkdir()
    soundfile.write(tmp_path / "src/faint.wav", FAINT, 8000, "PCM_16")
    soundfile.write(tmp_path / "src/loud.wav", FAINT * 100, 8000, "PCM_16")
    soundfile.write(tmp_path / "src/silent.wav", FAINT * 0, 8000, "PCM_16")
    return tmp_path / "src"


def test_noise_below_half_a_step_of_a_sound(noisy, sounds, rows, destination):
    done = noisy("audio", sounds, destination, "--snr-db", "40", "--with-clean")
    entries = rows(destination)
    faint, loud, silent = (entries[f"noisy/{name}.wav"] for name in ("faint", "loud", "silent"))
    assert [row["applied"] for row in (faint, loud, silent)] == [False, True, False]
    assert np.array_equal(soundfile.read(destination / "noisy/faint.wav", dtype="int16")[0], FAINT[:, 0])
    assert faint["std"] == pytest.approx(np.sqrt(np.square(FAINT.astype(float)).mean()) / 100)
    assert (faint["measured_std"], faint["snr_db"], silent["std"]) == (0, None, 0)
    assert "3 audio files and their clean copies written to " in done.err
    assert "1 audio file without noise, as it is silent, and silence has no SNR" in done.err
    # silence has none to lose
    assert "1 audio file without noise, as rounding takes all of it away: --dtype float32 --format wav" in done.err
    assert json.loads((destination / "run.json").read_text())["totals"]["applied"] == 1
    assert noisy("verify", destination, "--recompute", sounds).status == 0
    table = csv.DictReader(io.StringIO(noisy("export", destination, "--to", "labels").out))
    labels = {line["file"]: line["label"] for line in table}
    assert [labels[f"noisy/{name}.wav"] for name in ("faint", "loud", "silent")] == ["0", "1", "0"]


def test_the_way_out_leads_there(noisy, sounds, rows, destination):
    done = noisy("audio", sounds, destination, "--snr-db", "40", "--dtype", "float32", "--format", "wav")
    assert "rounding" not in done.err
    row = rows(destination)["faint.wav"]
    assert row["applied"]
    assert row["snr_db"] == pytest.approx(40, abs=0.2)


def test_a_picture(noisy, png, rows, tmp_path, destination):
    (tmp_path / "src").mkdir()
    (tmp_path / "src/a.png").write_bytes(png())
    done = noisy("images", tmp_path / "src", destination, "--std", "0.05/255", "--json")
    assert (done.summary["unchanged"], done.summary["rounded_away"]) == (1, 1)
    assert "1 image without noise, as rounding takes all of it away: --dtype float32 --format tiff keeps it" in done.err
    assert not rows(destination)["a.png"]["applied"]
    assert noisy("images", tmp_path / "src", destination, "--std", "0", "--json").summary["rounded_away"] == 0


def test_what_the_clip_takes_is_not_blamed_on_rounding(noisy, rows, tmp_path, destination):
    (tmp_path / "src").mkdir()
    (tmp_path / "src/white.pgm").write_bytes(b"P5 4 4 255\n" + b"\xff" * 16)
    done = noisy("images", tmp_path / "src", destination, "--std", "0", "--mean", "10", "--json")
    row = rows(destination)["white.pgm"]
    assert (row["applied"], row["clipped_fraction"]) == (False, 1)
    assert (done.summary["unchanged"], done.summary["rounded_away"]) == (1, 0)


def test_arrays_each_for_itself(noisy, rows, tmp_path, destination):
    (tmp_path / "src").mkdir()
    np.savez(tmp_path / "src/a.npz", whole=np.arange(100), real=np.arange(100.0))
    np.savez(tmp_path / "src/b.npz", whole=np.arange(100))
    np.save(tmp_path / "src/c.npy", np.full(100, 1e30, "f4"))
    done = noisy("arrays", tmp_path / "src", destination, "--std", "0.05", "--key", "*", "--json")
    entries = rows(destination)
    assert {part["name"]: part["applied"] for part in entries["a.npz"]["parts"]} == {"whole": False, "real": True}
    assert [entries[name]["applied"] for name in ("a.npz", "b.npz", "c.npy")] == [True, False, False]
    # floats have no more digits to give
    assert (done.summary["unchanged"], done.summary["rounded_away"]) == (2, 1)
    assert "--dtype float32 keeps it" in done.err
    assert noisy("verify", destination, "--recompute", tmp_path / "src").status == 0


def test_weights_of_8_bits(noisy, rows, tmp_path, destination):
    header = json.dumps({"w": {"dtype": "BF16", "shape": [64], "data_offsets": [0, 128]}}).encode()
    (tmp_path / "src").mkdir()
    model = len(header).to_bytes(8, "little") + header + np.full(64, 0x3F80, "<u2").tobytes()
    (tmp_path / "src/m.safetensors").write_bytes(model)
    done = noisy("weights", tmp_path / "src", destination, "--std", "1e-5")
    row = rows(destination)["m.safetensors"]
    assert (row["applied"], row["parts"][0]["applied"], row["parts"][0]["std"]) == (False, False, 1e-5)
    assert (destination / "m.safetensors").read_bytes() == model
    assert "1 weight file without noise, as rounding takes all of it away: a higher level changes them" in done.err
    assert noisy("verify", destination, "--recompute", tmp_path / "src").status == 0


@pytest.mark.parametrize(("dtype", "noisy_std", "lost_std"), [("uint8", 5.0, 0.01), ("float32", 0.01, 1e-12)])
def test_of_a_step_and_noise_the_noise_alone_counts(dtype, noisy_std, lost_std):
    full = 255 if dtype == "uint8" else 1
    x = (RNG.random(1000) * full).astype(dtype)
    signs = RNG.integers(-1, 2, 1000).astype(np.int8)
    spec = SampleSpec(dtype, x.shape, full, 0, full)
    for std, applied in ((noisy_std, True), (lost_std, False)):
        field = StepField(bytes(16), spec, std, 0.0, 0.08 * full)
        assert (field.add(x, signs) != x).any()
        assert field.made_of(Draw(True, std, 0.0)) == Draw(applied, std, 0.0)


def test_a_change_that_doubles_cannot_square_is_one():
    x = np.array([1e-170, np.nan])
    measure = Measure()
    measure.note(x, x.copy(), 0)
    assert (measure.changed, measure.squares) == (0, 0)
    measure.note(x, x * 2, 0)
    assert (measure.changed, measure.squares) == (1, 0)
    measure.note(np.array([1.0]), np.array([np.inf]), 0)
    assert measure.changed == 2
