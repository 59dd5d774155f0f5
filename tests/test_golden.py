"""Outputs in lossless formats, sample by sample, as they were: a change of one of them is news.

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

ARRAYS = {
    "arrays": ["arrays", "--std", "3", "--key", "*"],
    "arrays, own std": ["arrays", "--std", "5..50%", "--key", "*", "--mean", "0.25"],
    "arrays, per feature": ["arrays", "--std", "20%", "--key", "*", "--per-feature", "--clip", "-9..90"],
    "arrays, ratio": ["arrays", "--snr-db", "10", "--key", "*"],
    "arrays, floats": ["arrays", "--std", "3", "--key", "*", "--dtype", "float32"],
    "weights": ["weights", "--std", "5%"],
    "weights, ensemble": ["weights", "--std", "0.1..2", "--copies", "2", "--tensors", "*"],
    "latents": ["latents", "--shape", "100", "--count", "1500", "--per-file", "1000"],
    "latents, wide": ["latents", "--shape", "300x300", "--count", "2", "--dtype", "float64", "--std", "2"],
    "latents, narrow": ["latents", "--shape", "4x8x8", "--count", "300", "--dtype", "float16", "--mean", "1"],
}
TYPES = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float16", "float32", "float64"]


@pytest.fixture
def numbers(tmp_path):
    """Arrays of every type, made of integers alone: the same on every machine."""
    source = tmp_path / "numbers"
    source.mkdir()
    values = (np.arange(20_000) * 7919 % 101).reshape(5000, 4)
    np.savez(source / "all.npz", **{dtype: values.astype(dtype) for dtype in TYPES})
    np.save(source / "big-endian.npy", np.asfortranarray(values, ">f4"))
    # 101 and less are whole in the upper half of a float32
    half = (values.astype("<f4").view("<u4") >> 16).astype("<u2").tobytes()
    header = json.dumps({"half": {"dtype": "BF16", "shape": [5000, 4], "data_offsets": [0, len(half)]}}).encode()
    (source / "half.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + half)
    return source


@pytest.fixture
def digest(samples):
    """Return the sha256 of a file's decoded samples, with their type and shape."""

    def digest_of(path):
        if path.suffix == ".safetensors":
            return hashlib.sha256(path.read_bytes()).hexdigest()
        if path.suffix == ".npz":
            with np.load(path) as file:
                text = "".join(f"{name} {array_digest(array)}\n" for name, array in file.items())
            return hashlib.sha256(text.encode()).hexdigest()
        if path.suffix == ".npy":
            array = np.load(path)
        elif path.suffix in (".wav", ".flac"):
            subtype = soundfile.info(path).subtype
            array, _ = soundfile.read(path, dtype="float32" if subtype == "FLOAT" else "int32")
        else:
            array = samples(path)
        return array_digest(array)

    return digest_of


def array_digest(array):
    array = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    return hashlib.sha256(f"{array.dtype.str} {array.shape} ".encode() + array.tobytes()).hexdigest()


@pytest.mark.parametrize("name", RUNS)
def test_samples_are_as_they_were(noisy, rows, digest, sample_data, destination, name):
    kind, *words = RUNS[name]
    done = noisy(kind, sample_data / kind, destination, *words)
    assert done.status == 0, done
    compare(name, {output: digest(destination / output) for output in rows(destination)})


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_are_as_they_were(noisy, rows, digest, numbers, destination, name):
    kind, *words = ARRAYS[name]
    source = [] if kind == "latents" else [numbers]
    done = noisy(kind, *source, destination, *words)
    assert done.status == 0, done
    compare(name, {output: digest(destination / output) for output in rows(destination)})


def compare(name, found):
    golden = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}
    if RENEW:
        golden[name] = found
        kept = {key: golden[key] for key in (*RUNS, *ARRAYS) if key in golden}
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
