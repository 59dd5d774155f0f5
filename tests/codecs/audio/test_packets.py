"""A CAF of ALAC stands and falls with the table of its packets; encoders that end their process are kept from it."""

import pytest

from noisecli.errors import FileFailed
from noisecli.model import Encoding


def pakt_of(data):
    return data.index(b"pakt") + 12


@pytest.mark.parametrize(
    "table", [b"\xff" * 20, b"\xff\xff\x7f" + bytes(17), b"", bytes(1)], ids=["no sizes", "too large", "cut", "none"]
)
def test_a_caf_whose_packets_cannot_be_found_fails(table, encode, tone, open_bytes, decode):
    """libsndfile makes a file of no frames of some."""
    good = encode(tone(40_000, 1), "CAF", "ALAC_16")
    assert len(decode(open_bytes(good))) == 40_000
    start = pakt_of(good)
    if len(table) == 20:
        bad = good[: start + 24] + table + good[start + 44 :]
    elif table:
        bad = good.replace(b"pakt", b"free")
    else:
        bad = good[:start] + (1 << 40).to_bytes(8, "big") + good[start + 8 :]
    with pytest.raises(FileFailed) as caught:
        decode(open_bytes(bad))
    assert caught.value.reason in ("corrupt", "truncated")


def test_a_caf_that_counts_more_frames_than_its_packets_hold_fails(encode, tone, open_bytes, decode):
    good = encode(tone(40_000, 1), "CAF", "ALAC_16")
    start = pakt_of(good)
    bad = good[: start + 8] + (50_000).to_bytes(8, "big") + good[start + 16 :]
    with pytest.raises(FileFailed, match="promised"):
        decode(open_bytes(bad))


@pytest.mark.parametrize("size", [1e9, 1e30, 3e38])
def test_samples_that_end_the_process_of_an_mp3_encoder_are_refused(
    size, encode, tone, open_bytes, decode, encode_like
):
    source = open_bytes(encode((tone(3000, dtype="float32") * size).astype("float32"), "WAV", "FLOAT"))
    with pytest.raises(FileFailed) as caught:
        encode_like(source, decode(source), Encoding(format="mp3"))
    assert caught.value.reason == "out-of-range"


@pytest.mark.parametrize(("rate", "channels"), [(200_001, 1), (8_331_072, 1), (48_000, 256)])
def test_what_ends_the_process_of_a_vorbis_encoder_is_refused(rate, channels, encode, tone, open_bytes, encode_like):
    source = open_bytes(encode(tone(10, channels), "WAV", "PCM_16", rate=rate))
    with pytest.raises(FileFailed) as caught:
        encode_like(source, tone(10, channels), Encoding(format="ogg"))
    assert caught.value.reason == "no-encoder"
