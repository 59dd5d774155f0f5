"""Outputs of sample_data in lossless formats, sample by sample, as they were: a change of one of them is news.

Decoded samples, not file bytes: encoders may pack the same samples otherwise. `make golden` accepts today's.
"""

import hashlib
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

GOLDEN = Path(__file__).with_name("golden.json")
RENEW = bool(os.environ.get("NOISECLI_RENEW_GOLDEN"))
PICTURES = ["images", "--include", "*.png"]
SOUNDS = ["audio", "--include", "*.wav", "--include", "*.flac"]
RUNS = {
    "png": [*PICTURES, "--std", "25"],
    "png, other seed": [*PICTURES, "--std", "25", "--seed", "12345"],
    "png, range": [*PICTURES, "--std", "5..50%"],
    "png, severity": [*PICTURES, "--severity", "5"],
    "png, mean": [*PICTURES, "--std", "0.5/255", "--mean", "-3"],
    "png, shared channels": [*PICTURES, "--std", "25", "--shared-channels"],
    "png, copies": [*PICTURES, "--std", "25", "--copies", "2"],
    "png, ratio": [*PICTURES, "--snr-db", "5"],
    "bmp": [*PICTURES, "--exclude", "deep.png", "--std", "25", "--format", "bmp"],
    "tiff": [*PICTURES, "--std", "25", "--format", "tiff"],
    "tiff, floats": [*PICTURES, "--std", "25", "--format", "tiff", "--dtype", "float32", "--no-clip"],
    "wav and flac": [*SOUNDS, "--std", "1%"],
    "wav and flac, ratio": [*SOUNDS, "--snr-db", "-5..30"],
    "wav and flac, loud": [*SOUNDS, "--std", "50%"],
    "wav, floats": [*SOUNDS, "--snr-db", "0", "--format", "wav", "--dtype", "float32", "--no-clip"],
}


@pytest.fixture
def digest(samples):
    """Return the sha256 of a file's decoded samples, with their type and shape."""

    def digest_of(path):
        if path.suffix in (".wav", ".flac"):
            subtype = soundfile.info(path).subtype
            array, _ = soundfile.read(path, dtype="float32" if subtype == "FLOAT" else "int32")
        else:
            array = samples(path)
        array = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        return hashlib.sha256(f"{array.dtype.str} {array.shape} ".encode() + array.tobytes()).hexdigest()

    return digest_of


@pytest.mark.parametrize("name", RUNS)
def test_samples_are_as_they_were(noisy, rows, digest, sample_data, destination, name):
    kind, *words = RUNS[name]
    done = noisy(kind, sample_data / kind, destination, *words)
    assert done.status == 0, done
    found = {output: digest(destination / output) for output in rows(destination)}
    golden = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}
    if RENEW:
        golden[name] = found
        kept = {key: golden[key] for key in RUNS if key in golden}
        GOLDEN.write_text(json.dumps(kept, indent=2) + "\n")
    assert found == golden[name]


def test_formats_that_hold_the_same_samples_agree(noisy, samples, sample_data, tmp_path):
    """The noise belongs to the picture, not to the file it is kept in."""
    words = ("--std", "25", "--include", "boats/*.png", "--exclude", "deep.png")
    decoded = {}
    for form in ("png", "bmp", "tiff"):
        assert noisy("images", sample_data / "images", tmp_path / form, *words, "--format", form).status == 0
        decoded[form] = {path.stem: samples(path) for path in (tmp_path / form / "boats").iterdir()}
    for name, picture in decoded["png"].items():
        for form in ("bmp", "tiff"):
            assert (picture == decoded[form][name]).all(), (name, form)


if RENEW and "xdist" in sys.modules and os.environ.get("PYTEST_XDIST_WORKER"):
    pytest.exit("golden samples are renewed by one process: leave -n away", returncode=2)
