"""Streams that do not begin or count as libsndfile expects: all their samples are taken, or they are named."""

import struct

import numpy as np
import pytest

from noisecli.codecs.audio.mp3 import starts_frame
from noisecli.codecs.audio.ogg import checksum
from noisecli.errors import FileSkipped
from tests.fixtures.files import problem

VBRI_AT = 36


def with_vbri(data, frames):
    """Put a VBRI header, as Fraunhofer's encoder writes it, into the first frame instead of Xing's."""
    head, first = data[:4], data.index(b"\xff\xfb", 4)
    said = b"VBRI" + struct.pack(">HHHIIHHHH", 1, 0x1234, 75, len(data), frames, 10, 1, 2, 1)
    return (head + bytes(VBRI_AT - 4) + said).ljust(first, b"\0") + data[first:]


def test_an_mp3_that_counts_by_vbri_is_not_cut_in_silence(encode, tone, open_bytes, decode):
    """libsndfile passes over that count and stops where it guesses the end."""
    samples = tone(150_000, 1).astype(float) / 32768
    data = encode(samples, "MP3", rate=44100, bitrate_mode="VARIABLE")
    whole = len(decode(open_bytes(data, ".mp3")))
    assert starts_frame(int.from_bytes(data[:4], "big"))
    changed = with_vbri(data, -(-whole // 1152))
    found = problem(lambda: open_bytes(changed, ".mp3"), kind=FileSkipped)
    assert "without a frame count" in found.message


@pytest.mark.parametrize("later", [0, 312, 960, 1_000_000])
def test_an_opus_whose_positions_do_not_begin_at_nothing(later, encode, tone, open_bytes, decode):
    samples = tone(48_000, 1).astype(float) / 32768
    plain = encode(samples, "OGG", "OPUS", rate=48000)
    moved, at = bytearray(plain), 0
    while at < len(moved):
        count = moved[at + 26]
        end = at + 27 + count + sum(moved[at + 27 : at + 27 + count])
        position = int.from_bytes(moved[at + 6 : at + 14], "little")
        if position:
            moved[at + 6 : at + 14] = (position + later).to_bytes(8, "little")
        moved[at + 22 : at + 26] = bytes(4)
        moved[at + 22 : at + 26] = checksum(bytes(moved[at:end])).to_bytes(4, "little")
        at = end
    expected = decode(open_bytes(plain, ".ogg"))
    source = open_bytes(bytes(moved), ".ogg")
    for _ in range(2):
        np.testing.assert_allclose(decode(source), expected, atol=1e-6)
