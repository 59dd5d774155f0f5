"""Chunks and streams where none belong: behind samples of unsaid size, without a pad byte, one file after another."""

import struct

import numpy as np
import pytest

from tests.fixtures.files import failure, skip
from tests.fixtures.riff import chunk, form, rf64, w64, wav

SAMPLES = (np.arange(1000) * 7919 % 60000 - 30000).astype("<i2")
DATA = SAMPLES.tobytes()
PCM = form()
TITLE = chunk(b"LIST", b"INFO" + chunk(b"INAM", b"a title "))
RATE = bytes.fromhex("400bfa00000000000000")


def aiff(data, *, frames=1000, total=None, size=None, before=b"", behind=b""):
    comm = struct.pack(">4sIHIH", b"COMM", 18, 1, frames, 16) + RATE
    ssnd = struct.pack(">4sIII", b"SSND", 8 + len(data) if size is None else size, 0, 0) + data
    body = b"AIFF" + comm + before + ssnd + behind
    return struct.pack(">4sI", b"FORM", len(body) if total is None else total) + body


class TestBehindAStream:
    @pytest.mark.parametrize(("total", "size"), [(0, 0), (0xFFFFFFFF, 0xFFFFFFFF), (0x7FFFFFFF, 0x7FFFFFFF - 36)])
    @pytest.mark.parametrize(
        ("behind", "lost"),
        [
            (TITLE, []),
            (chunk(b"id3 ", b"ID3 and so on") + TITLE, ["metadata-lost: id3"]),
            (chunk(b"bext", bytes(602)), ["metadata-lost: bext"]),
        ],
    )
    def test_of_wav(self, total, size, behind, lost, open_bytes, decode, encode_like):
        source = open_bytes(wav(PCM, DATA, total=total, size=size, behind=behind))
        for _ in range(2):
            assert np.array_equal(decode(source)[:, 0], SAMPLES)
        assert source.warnings == ["unknown-length: data size"]
        assert source.tags.get("title", "").strip() == ("a title" if TITLE in behind else "")
        assert encode_like(source, decode(source))[1].warnings == lost

    def test_of_rf64(self, open_bytes, decode):
        whole = rf64(PCM, DATA, 0) + TITLE
        assert np.array_equal(decode(open_bytes(whole))[:, 0], SAMPLES)

    def test_of_aiff(self, open_bytes, decode):
        name = b"NAME" + struct.pack(">I", 8) + b"a title "
        source = open_bytes(aiff(SAMPLES.astype(">i2").tobytes(), frames=0, total=0, size=0, behind=name), ".aiff")
        assert np.array_equal(decode(source)[:, 0], SAMPLES)
        assert source.tags["title"].strip() == "a title"

    @pytest.mark.parametrize("behind", [TITLE[:-2], TITLE + b"xx", b"LIST" + bytes(10), b"none" + TITLE[4:]])
    def test_what_does_not_end_with_the_file_is_no_chunk(self, behind, open_bytes, decode):
        source = open_bytes(wav(PCM, DATA, total=0, size=0xFFFFFFFF, behind=behind))
        assert decode(source).astype("<i2").tobytes() == DATA + behind


class TestWithoutAPadByte:
    @pytest.mark.parametrize("zeros", [0, 64])
    @pytest.mark.parametrize(("total", "size"), [(None, None), (0, 0), (0xFFFFFFFF, 0xFFFFFFFF)])
    @pytest.mark.parametrize("odd", [[b"abc"], [b"abc", bytes(10001)], [b""]])
    def test_in_wav(self, odd, total, size, zeros, open_bytes, decode):
        before = b"".join(b"JUNK" + struct.pack("<I", len(content)) + content for content in odd)
        source = open_bytes(bytes(zeros) + wav(PCM, DATA, total=total, size=size, before=before))
        for _ in range(2):
            assert np.array_equal(decode(source)[:, 0], SAMPLES)

    @pytest.mark.parametrize("pad", [b"", b"\0"])
    def test_an_entry_that_libsndfile_passes_over_is_named(self, pad, open_bytes, decode, encode_like):
        odd = b"LIST" + struct.pack("<I", 15) + b"INFOINAM" + struct.pack("<I", 3) + b"abc"
        source = open_bytes(wav(PCM, DATA, before=odd + pad))
        assert source.tags == {}
        assert encode_like(source, decode(source))[1].warnings == ["metadata-lost: INAM"]

    def test_in_wav_of_part_of_a_block(self, encode, tone, open_bytes, decode):
        whole = encode(tone(3000, 1), "WAV", "MS_ADPCM")
        at = whole.index(b"fmt ")
        broken = whole[:at] + b"JUNK\3\0\0\0abc" + whole[at:]
        assert np.array_equal(decode(open_bytes(broken)), decode(open_bytes(whole)))

    def test_in_aiff(self, open_bytes, decode):
        data = SAMPLES.astype(">i2").tobytes()
        source = open_bytes(aiff(data, before=b"NAME\0\0\0\3abc"), ".aiff")
        assert np.array_equal(decode(source)[:, 0], SAMPLES)
        assert source.tags["title"] == "abc"

    def test_any_pad_byte_is_one(self, open_bytes, decode):
        for pad in (b"\0", b"x", b"d"):
            source = open_bytes(wav(PCM, DATA, before=b"JUNK\3\0\0\0abc" + pad))
            assert np.array_equal(decode(source)[:, 0], SAMPLES)
            assert source.header.correction is None

    def test_a_wrong_size_still_fails(self, open_bytes):
        assert failure(lambda: open_bytes(wav(PCM, DATA, before=b"JUNK\3\0\0\0abcdef"))) in ("truncated", "corrupt")


def test_samples_in_pieces_are_named(open_bytes):
    pieces = b"LIST" + struct.pack("<I", 12 + len(DATA)) + b"wavl" + chunk(b"data", DATA)
    whole = b"WAVE" + chunk(b"fmt ", PCM) + pieces
    data = b"RIFF" + struct.pack("<I", len(whole)) + whole
    assert skip(lambda: open_bytes(data), "several pieces") == "unsupported-samples"


class TestPartOfAFrame:
    @pytest.mark.parametrize("over", [0, 1, 2, 3])
    def test_in_wav_and_w64(self, over, open_bytes, decode):
        for make in (wav, w64):
            source = open_bytes(make(form(channels=2), DATA + bytes(over)))
            assert np.array_equal(decode(source).ravel(), SAMPLES)
            assert source.warnings == (["trailing-data"] if over else [])

    def test_in_au_and_caf(self, encode, open_bytes, decode):
        au = struct.pack(">4sIIIII", b".snd", 24, 2001, 3, 8000, 1) + SAMPLES.astype(">i2").tobytes() + b"x"
        caf = encode(SAMPLES, "CAF", "PCM_16")
        at = caf.index(b"data")
        caf = caf[: at + 4] + struct.pack(">q", 4 + len(DATA) + 1) + caf[at + 12 :] + b"x"
        for data in (au, caf):
            source = open_bytes(data)
            assert np.array_equal(decode(source)[:, 0], SAMPLES)
            assert source.warnings == ["trailing-data"]

    def test_in_aiff(self, open_bytes, decode):
        data = SAMPLES.astype(">i2").tobytes()
        source = open_bytes(aiff(data + b"x", behind=b"\0"), ".aiff")
        assert np.array_equal(decode(source)[:, 0], SAMPLES)
        assert source.warnings == ["trailing-data"]


@pytest.mark.parametrize("frames", [0, 1, 999])
def test_an_aiff_of_more_frames_than_it_says(frames, open_bytes, decode):
    source = open_bytes(aiff(SAMPLES.astype(">i2").tobytes(), frames=frames), ".aiff")
    assert np.array_equal(decode(source)[:, 0], SAMPLES)
    assert source.warnings == ["wrong-length: sample count"]


class TestJoinedMp3:
    @pytest.fixture
    def mp3(self, encode, tone):
        def make(frames=20000, rate=44100):
            return encode(tone(frames, 1, "float32"), "MP3", rate=rate)

        return make

    @pytest.mark.parametrize("rate", [44100, 48000, 22050])
    @pytest.mark.parametrize(
        "between",
        [b"", b"TAG" + bytes(125), b"ID3\3\0\0\0\0\0\x0a" + bytes(10), b"TAG" + bytes(125) + b"ID3" + bytes(7)],
    )
    def test_is_named(self, rate, between, mp3, open_bytes):
        joined = mp3() + between + mp3(9000, rate)
        assert skip(lambda: open_bytes(joined, ".mp3"), "ffmpeg -i IN OUT.wav") == "unsupported-samples"

    def test_behind_an_ape_tag(self, mp3, open_bytes):
        tag = b"APETAGEX" + struct.pack("<III", 2000, 32, 0) + bytes(12)
        joined = mp3() + tag + bytes(32) + mp3(9000, 48000)
        assert skip(lambda: open_bytes(joined, ".mp3")) == "unsupported-samples"

    def test_without_counts(self, mp3, open_bytes):
        first, second = (whole[whole.index(whole[:2], 4) :] for whole in (mp3(), mp3(20000, 48000)))
        assert skip(lambda: open_bytes(first + second, ".mp3")) == "unsupported-samples"

    def test_damage_is_none(self, mp3, open_bytes):
        """Frames twice, and frames whose headers changed, begin no stream."""
        whole = mp3(60000)
        frames = [at for at in range(len(whole)) if whole.startswith(whole[:2], at)]
        twice = whole[: frames[10]] + whole[frames[2] :]
        assert failure(lambda: open_bytes(twice, ".mp3")) == "corrupt"
        bare = bytearray(whole[frames[1] :])
        bare[frames[20] - frames[1] + 2] ^= 4
        assert failure(lambda: open_bytes(bytes(bare), ".mp3")) == "corrupt"
