"""A sound cut anywhere fails, or its samples are all there."""

import contextlib

import numpy as np
import pytest

from noisecli.errors import FileFailed

KINDS = {
    "wav": ("WAV", "PCM_16", "int16"),
    "wavex": ("WAVEX", "PCM_24", "int32"),
    "wav-float": ("WAV", "FLOAT", "float32"),
    "wav-adpcm": ("WAV", "IMA_ADPCM", "int16"),
    "rf64": ("RF64", "PCM_16", "int16"),
    "w64": ("W64", "PCM_16", "int16"),
    "aiff": ("AIFF", "PCM_16", "int16"),
    "aiff-float": ("AIFF", "FLOAT", "float32"),
    "au": ("AU", "PCM_16", "int16"),
    "caf": ("CAF", "PCM_16", "int16"),
    "caf-alac": ("CAF", "ALAC_16", "int16"),
    "flac": ("FLAC", "PCM_16", "int16"),
    "vorbis": ("OGG", "VORBIS", "float32"),
    "opus": ("OGG", "OPUS", "float32"),
    "mp3": ("MP3", "MPEG_LAYER_III", "float32"),
}
TAGS = {"title": "a title", "artist": "somebody"}


def cut_positions(size):
    spread = np.linspace(0, size - 1, 40).astype(int).tolist()
    return sorted({*spread, 1, 3, 11, 43, size - 1, size - 2, size - 3, size - 4, size - 9, size - 100})


@pytest.fixture(params=sorted(KINDS))
def whole(request, encode, tone):
    container, subtype, dtype = KINDS[request.param]
    tags = {} if container in ("W64", "AU") else TAGS
    return encode(tone(9000, dtype=dtype), container, subtype, tags=tags)


def test_a_whole_file_has_no_warning(whole, open_bytes, decode):
    source = open_bytes(whole)
    assert len(decode(source)) == source.spec.shape[0] >= 9000
    assert source.warnings == []


def test_no_cut_file_passes_with_other_samples(whole, open_bytes, decode):
    samples = decode(open_bytes(whole))
    passed_wrongly = []
    for position in cut_positions(len(whole)):
        with contextlib.suppress(FileFailed):
            if not np.array_equal(decode(open_bytes(whole[:position])), samples):
                passed_wrongly.append(position)
    assert passed_wrongly == []


def test_a_cut_below_half_always_fails(whole, open_bytes, decode):
    for position in range(0, len(whole) // 2, len(whole) // 12):
        with pytest.raises(FileFailed):
            decode(open_bytes(whole[:position]))


def test_bytes_behind_the_end_are_told(whole, open_bytes, decode):
    samples = decode(open_bytes(whole))
    longer = open_bytes(whole + b"\x01garbage behind the end\x02")
    assert np.array_equal(decode(longer), samples)
    assert longer.warnings == ["trailing-data"]
