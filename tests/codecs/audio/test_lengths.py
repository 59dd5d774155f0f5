"""A header that gives no length, or a wrong one: all samples are there, with a word. What is cut still fails."""

import struct

import numpy as np
import pytest

from noisecli.codecs.audio.ogg import checksum
from tests.fixtures.files import failure
from tests.fixtures.riff import chunk, form, rf64, w64, wav

SAMPLES = (np.arange(1000) * 7919 % 60000 - 30000).astype("<i2")
DATA = SAMPLES.tobytes()
PCM = form()


def placeholders():
    for known in (0x7FFFFFFF, 0x7FFFF000, 0x80000000, 0xFFFFFFFF, 0x7F000000, 2_000_000_000):
        for head in (0, 8, 36, 44):
            yield known - head


@pytest.mark.parametrize("size", sorted(placeholders()))
def test_samples_of_a_size_that_was_not_known_run_to_the_end(size, open_bytes, decode):
    for total in (size + 36, 0, 0xFFFFFFFF):
        source = open_bytes(wav(PCM, DATA, total=total & 0xFFFFFFFF, size=size))
        assert np.array_equal(decode(source)[:, 0], SAMPLES)
        assert source.spec.shape == (1000, 1)
        assert source.warnings == ["unknown-length: data size"]


@pytest.mark.parametrize("total", [0, 36, 0xFFFFFFFF, 0x7FFFFFFF])
def test_a_header_that_was_never_completed(total, open_bytes, decode):
    source = open_bytes(wav(PCM, DATA, total=total, size=0))
    for _ in range(2):
        assert np.array_equal(decode(source)[:, 0], SAMPLES)
    assert source.warnings == ["unknown-length: data size"]


def test_a_wav_that_is_empty_stays_so(open_bytes, decode):
    source = open_bytes(wav(PCM, b"", total=36, behind=chunk(b"LIST", b"INFO")))
    assert len(decode(source)) == 0
    assert source.warnings == ["wrong-length: riff size"]


@pytest.mark.parametrize("off", [8, -8, 44, -44, 1000])
def test_a_riff_size_that_is_off_harms_nothing(off, open_bytes, decode):
    source = open_bytes(wav(PCM, DATA, total=36 + len(DATA) + off))
    assert np.array_equal(decode(source)[:, 0], SAMPLES)
    assert source.warnings == ["wrong-length: riff size"]


@pytest.mark.parametrize("more", [2, 100, 1 << 20, 1 << 30, 0x7FFFFFFF - 2, 0x80000000 + 2000])
def test_a_size_that_could_be_true_is_that_of_a_cut_file(more, open_bytes):
    assert failure(lambda: open_bytes(wav(PCM, DATA, size=len(DATA) + more))) == "truncated"


def test_a_stream_that_ends_inside_a_frame_is_cut(open_bytes):
    stereo = form(channels=2)
    for missing in (1, 2, 3):
        assert failure(lambda n=missing: open_bytes(wav(stereo, DATA, size=0xFFFFFFFF)[:-n])) == "truncated"


def test_a_chunk_that_is_cut_behind_the_samples_fails(open_bytes):
    whole = wav(PCM, DATA, behind=chunk(b"LIST", b"INFO" + chunk(b"INAM", b"a title ")))
    assert open_bytes(whole).warnings == []
    for missing in (2, 10, 25):
        assert failure(lambda n=missing: open_bytes(whole[:-n])) == "truncated"


@pytest.mark.parametrize("long_size", [0, (1 << 64) - 1, (1 << 63) - 1])
def test_an_rf64_from_a_pipe(long_size, open_bytes, decode):
    source = open_bytes(rf64(PCM, DATA, long_size))
    assert np.array_equal(decode(source)[:, 0], SAMPLES)
    assert source.warnings == ["unknown-length: data size"]
    assert failure(lambda: open_bytes(rf64(PCM, DATA, len(DATA) + 2))) == "truncated"


@pytest.mark.parametrize("size", [0, (1 << 64) - 1, (1 << 63) - 1])
def test_a_w64_from_a_pipe(size, open_bytes, decode):
    source = open_bytes(w64(PCM, DATA, total=(1 << 64) - 1, size=size))
    assert np.array_equal(decode(source)[:, 0], SAMPLES)
    assert source.warnings == ["unknown-length: data size"]
    assert failure(lambda: open_bytes(w64(PCM, DATA, size=24 + len(DATA) + 8))) == "truncated"


def test_an_au_that_was_never_completed(open_bytes, decode):
    body = SAMPLES.astype(">i2").tobytes()
    for size in (0, 0xFFFFFFFF):
        source = open_bytes(struct.pack(">4sIIIII", b".snd", 24, size, 3, 8000, 1) + body, ".au")
        assert np.array_equal(decode(source)[:, 0], SAMPLES)
        assert source.warnings == ["unknown-length: data size"]


@pytest.mark.parametrize(("total", "frames", "size"), [(0, 0, 0), (0x7F000026, 0x3F800000, 0x7F000008)])
def test_an_aiff_from_a_pipe(total, frames, size, open_bytes, decode):
    rate = bytes.fromhex("400bfa00000000000000")
    comm = struct.pack(">4sIHIH", b"COMM", 18, 1, frames, 16) + rate
    ssnd = struct.pack(">4sIII", b"SSND", size, 0, 0) + SAMPLES.astype(">i2").tobytes()
    source = open_bytes(struct.pack(">4sI4s", b"FORM", total, b"AIFF") + comm + ssnd, ".aiff")
    assert np.array_equal(decode(source)[:, 0], SAMPLES)
    assert source.spec.sample_rate == 8000
    assert source.warnings == ["unknown-length: data size"]


@pytest.mark.parametrize("frames", [900, 9000, 60000])
@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_an_ogg_whose_end_is_not_marked_has_the_same_samples(subtype, frames, encode, tone, open_bytes, decode):
    whole = encode(tone(frames, 1, "float32"), "OGG", subtype)
    page = bytearray(whole[whole.rfind(b"OggS") :])
    page[5] &= ~4
    page[22:26] = bytes(4)
    page[22:26] = checksum(bytes(page)).to_bytes(4, "little")
    source = open_bytes(whole[: -len(page)] + bytes(page), ".ogg")
    for _ in range(2):
        assert np.array_equal(decode(source), decode(open_bytes(whole, ".ogg")))
    assert source.warnings == ["unknown-length: last page"]


@pytest.mark.parametrize(
    ("container", "zeros"), [("WAV", 512), ("FLAC", 100), ("OGG", 64), ("AIFF", 3), ("W64", 8), ("MP3", 1000)]
)
def test_zeros_in_front_are_skipped(container, zeros, encode, tone, open_bytes, decode):
    whole = encode(tone(9000), container)
    source = open_bytes(bytes(zeros) + whole)
    for _ in range(2):
        assert np.array_equal(decode(source), decode(open_bytes(whole)))
    assert source.warnings == ["leading-data"]


@pytest.mark.parametrize("container", ["WAV", "AIFF", "OGG", "FLAC"])
def test_a_tag_in_front_is_lost_and_told(container, encode, tone, open_bytes, decode, encode_like):
    whole = encode(tone(9000), container)
    source = open_bytes(b"ID3\3\0\0\0\0\0\x0a" + bytes(10) + whole)
    assert np.array_equal(decode(source), decode(open_bytes(whole)))
    assert source.warnings == []
    assert encode_like(source, decode(source))[1].warnings == ["metadata-lost: id3"]


def test_a_flac_behind_other_bytes(encode, tone, open_bytes, decode):
    whole = encode(tone(9000), "FLAC")
    source = open_bytes(b"nothing that a decoder knows" + whole, ".flac")
    assert np.array_equal(decode(source), decode(open_bytes(whole)))
    assert source.warnings == ["leading-data"]
