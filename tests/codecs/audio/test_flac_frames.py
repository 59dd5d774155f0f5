"""FLACs whose header and frames do not agree: all frames, or a name for what changes within."""

import struct

import numpy as np
import pytest

from noisecli.codecs.audio import flac_frames
from noisecli.codecs.audio.flac_frames import Form, ends_whole, walk_frames
from noisecli.codecs.audio.header import Window
from noisecli.errors import FileSkipped
from tests.fixtures.files import failure, problem


@pytest.fixture
def flac(encode, tone):
    """20,000 frames of 1 channel: five FLAC frames, the last one shorter."""
    return encode(tone(20000, 1), "FLAC", "PCM_16")


def counted(data, count, md5=True):
    """Return a FLAC whose header says so many samples."""
    fields = int.from_bytes(data[18:26], "big") & ~((1 << 36) - 1) | count
    return data[:18] + fields.to_bytes(8, "big") + (data[26:42] if md5 else bytes(16)) + data[42:]


def frames_of(data):
    """Return where the metadata ends."""
    position, last = 4, False
    while not last:
        last = bool(data[position] & 0x80)
        position += 4 + int.from_bytes(data[position + 1 : position + 4], "big")
    return position


@pytest.mark.parametrize("md5", [True, False])
@pytest.mark.parametrize("count", [1, 4096, 10000, 19999])
def test_a_count_that_is_too_small_drops_nothing(count, md5, flac, tone, open_bytes, decode):
    source = open_bytes(counted(flac, count, md5), ".flac")
    assert source.spec.shape == (20000, 1)
    for _ in range(2):
        assert np.array_equal(decode(source), tone(20000, 1))
    assert source.warnings == ["wrong-length: sample count"]
    assert failure(lambda: decode(open_bytes(counted(flac, count, md5)[:-5], ".flac"))) in ("corrupt", "truncated")


def test_a_count_that_is_too_large_is_that_of_a_cut_file(flac, open_bytes, decode):
    assert failure(lambda: decode(open_bytes(counted(flac, 20001), ".flac"))) == "truncated"


ID3, APE = b"TAG" + bytes(125), b"APETAGEX" + bytes(24)


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("tail", [ID3, APE, bytes(3), bytes(5000), b"another", "itself", "id3 and itself"])
def test_what_follows_the_last_frame_is_told(tail, known, flac, tone, open_bytes, decode):
    behind = {"itself": flac, "id3 and itself": b"ID3\3\0\0\0\0\0\x0a" + bytes(10) + flac}.get(tail, tail)
    source = open_bytes((flac if known else counted(flac, 0)) + behind, ".flac")
    for _ in range(2):
        assert np.array_equal(decode(source), tone(20000, 1))
    assert source.warnings == ["trailing-data"]


def test_an_unknown_length_without_a_hash_is_told(flac, open_bytes, decode):
    assert open_bytes(counted(flac, 0), ".flac").warnings == []
    source = open_bytes(counted(flac, 0, md5=False), ".flac")
    assert len(decode(source)) == 20000
    assert source.warnings == ["unknown-length: sample count"]
    for missing in (1, 2, 30, 1000):
        cut = counted(flac, 0, md5=False)[:-missing]
        assert failure(lambda cut=cut: decode(open_bytes(cut, ".flac"))) in ("corrupt", "truncated")


@pytest.mark.parametrize(
    ("rate", "channels", "subtype", "named"),
    [
        (16000, 1, "PCM_16", "sample rate (8,000 and 16,000)"),
        (8000, 2, "PCM_16", "channels (1 and 2)"),
        (8000, 1, "PCM_24", "bits (16 and 24)"),
        (44100, 2, "PCM_24", "sample rate (8,000 and 44,100), channels (1 and 2), bits (16 and 24)"),
    ],
)
@pytest.mark.parametrize("promised", [0, 20000, 40000])
def test_what_changes_within_a_flac_is_named(rate, channels, subtype, named, promised, flac, encode, tone, open_bytes):
    """The second file's frames follow the first one's, in number too."""
    other = encode(tone(20000, channels, "int32"), "FLAC", subtype, rate=rate)
    body, frames = other[frames_of(other) :], b""
    found = list(flac_frames._candidates(Bytes(other), frames_of(other)))
    assert [frame.number for frame in found] == [0, 1, 2, 3, 4]
    for frame, end in zip(found, [*(frame.start for frame in found[1:]), len(other)], strict=True):
        one = bytearray(other[frame.start : end])
        one[4] += 5
        length = next(at for at in range(5, 16) if flac_frames._sum(other[frame.start : frame.start + at]) == one[at])
        one[length] = flac_frames._sum(bytes(one[:length]))
        frames += bytes(one[:-2]) + crc16(one[:-2]).to_bytes(2, "big")
    assert len(frames) == len(body)
    changing = counted(flac, promised, md5=False) + frames
    skipped = problem(lambda: open_bytes(changing, ".flac"), kind=FileSkipped)
    assert skipped.reason == "unsupported-samples"
    assert named in skipped.message


def crc16(data):
    value = 0
    for byte in data:
        value ^= byte << 8
        for _ in range(8):
            value = (value << 1 ^ (0x18005 if value & 0x8000 else 0)) & 0x1FFFF
    return value & 0xFFFF


class Bytes:
    """Bytes as a window."""

    def __init__(self, data):
        self.data, self.size = data, len(data)

    def read(self, offset, count):
        return self.data[offset : offset + count]


@pytest.mark.parametrize("length", [1, 2, 3, 15, 16, 100, 1001, 20000])
def test_the_sum_of_a_frame_is_the_published_one(length):
    data = np.random.default_rng(length).bytes(length)
    whole = data + crc16(data).to_bytes(2, "big")
    assert flac_frames._is_whole(Bytes(whole), 0, len(whole))
    for bit in (0, 7, 8 * length + 3):
        wrong = bytearray(whole)
        wrong[bit // 8] ^= 1 << bit % 8
        assert not flac_frames._is_whole(Bytes(bytes(wrong)), 0, len(wrong))


@pytest.mark.parametrize(
    ("rate", "channels", "subtype", "frames"),
    [
        (8000, 1, "PCM_S8", 5000),
        (44100, 2, "PCM_16", 700_000),
        (96000, 6, "PCM_24", 30_000),
        (12345, 8, "PCM_16", 4096),
    ],
)
def test_every_frame_is_found(rate, channels, subtype, frames, encode, tone):
    data = encode(tone(frames, channels, "float32"), "FLAC", subtype, rate=rate)
    form = Form(rate, channels, {"PCM_S8": 8, "PCM_16": 16, "PCM_24": 24}[subtype])
    for promised in (frames, 0):
        walked = walk_frames(Bytes(data), frames_of(data), form, promised)
        assert walked.samples == frames
        assert walked.other is None
        assert ends_whole(Bytes(data), walked)


def test_frames_across_the_pieces_of_a_walk_are_found_once(encode, tone, monkeypatch):
    data = encode(tone(100_000, 2), "FLAC", "PCM_16")
    start = frames_of(data)
    whole = [frame.start for frame in flac_frames._candidates(Bytes(data), start)]
    for piece in (1, 17, 1000, whole[1] - start, whole[1] - start + 1, whole[1] - start - 1):
        monkeypatch.setattr(flac_frames, "_PIECE", piece)
        assert [frame.start for frame in flac_frames._candidates(Bytes(data), start)] == whole


def test_the_window_of_a_file_that_begins_later(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(bytes(range(200)) * 100)
    with path.open("rb") as file:
        window = Window(file.fileno(), 20_000, 150)
        assert window.size == 19_850
        for offset in (0, 100, 4090, 19_845):
            assert window.read(offset, 10) == path.read_bytes()[150 + offset : 160 + offset]
        assert window.number(1, 2) == struct.unpack("<H", bytes([151, 152]))[0]
