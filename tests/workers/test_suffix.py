"""A file whose name stands for another format than its content is read, and its row says so."""

import io
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from noisecli.kinds import FORMATS
from noisecli.workers import check_suffix

FLOATS = np.arange(12, dtype=np.float32)


def safetensors():
    header = b'{"w":{"dtype":"F32","shape":[12],"data_offsets":[0,48]}}'
    return len(header).to_bytes(8, "little") + header + FLOATS.tobytes()


def flac():
    buffer = io.BytesIO()
    soundfile.write(buffer, np.arange(800, dtype=np.int16), 8000, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()


def archive():
    buffer = io.BytesIO()
    np.savez(buffer, x=FLOATS)
    return buffer.getvalue()


def checked(format_found, suffix, *warnings):
    source = SimpleNamespace(format=format_found, warnings=warnings)
    return list(check_suffix(source, SimpleNamespace(suffix=suffix)).warnings)


@pytest.mark.parametrize(
    ("kind", "name", "other_name", "content"),
    [
        ("images", "x.png", "x.JPG", None),
        ("audio", "x.flac", "x.wav", flac()),
        ("arrays", "x.npz", "x.npy", archive()),
        ("weights", "x.safetensors", "x.npz", safetensors()),
        ("weights", "x.npz", "x.h5", archive()),
    ],
)
def test_a_row_tells_of_a_wrong_suffix(noisy, tmp_path, rows, png, kind, name, other_name, content):
    source, destination = tmp_path / "src", tmp_path / "dst"
    source.mkdir()
    for each in (name, other_name):
        (source / each).write_bytes(content or png())
    done = noisy(kind, source, destination, "--std", "10%")
    assert done.status == 0, done.err
    assert {row["source"]: row["warnings"] for row in rows(destination).values()} == {
        name: [],
        other_name: ["wrong-suffix"],
    }


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_suffix_agrees_with_its_own_format(suffix):
    assert checked(FORMATS[suffix].name, suffix.upper(), "padded") == ["padded"]


def test_a_wav_that_became_an_rf64_keeps_its_suffix_and_back():
    assert checked("rf64", ".wav") == checked("wav", ".rf64") == []
    assert checked("wav", ".w64", "trailing-data") == ["trailing-data", "wrong-suffix"]


@pytest.mark.parametrize("suffix", ["", ".dat"])
def test_a_suffix_that_stands_for_nothing_contradicts_nothing(suffix):
    assert checked("wav", suffix) == []
