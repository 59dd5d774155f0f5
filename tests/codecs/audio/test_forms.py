"""What a sample is in WAV and W64: read as it was written, or named."""

import numpy as np
import pytest

from tests.fixtures.files import skip
from tests.fixtures.riff import AMBISONIC, KS, chunk, form, rf64, w64, wav

FLOATS = np.linspace(-1, 1, 1000).astype("<f4")
WHOLE = (np.arange(1000) * 2_375_700 % (1 << 24) - (1 << 23)).astype("<i4")
"""24 bits."""


def rf64_of(head, data):
    return rf64(head, data, len(data))


def packed(samples, width):
    return samples.astype("<i4").view("u1").reshape(-1, 4)[:, :width].tobytes()


@pytest.mark.parametrize("guid", [KS, AMBISONIC])
@pytest.mark.parametrize("write", [wav, w64, rf64_of])
def test_extensible_floats_are_floats(write, guid, open_bytes, decode):
    for dtype in ("<f4", "<f8"):
        samples = FLOATS.astype(dtype)
        head = form(3, 2, samples.itemsize * 8, mask=3, guid=guid)
        source = open_bytes(write(head, samples.tobytes()))
        assert np.array_equal(decode(source).ravel(), samples)
        assert source.spec.dtype == samples.dtype.newbyteorder("=").name
        assert source.warnings == []


@pytest.mark.parametrize("write", [wav, w64, rf64_of])
def test_extensible_integers_and_laws(write, open_bytes, decode):
    source = open_bytes(write(form(1, 1, 24, mask=4), packed(WHOLE, 3)))
    assert np.array_equal(decode(source)[:, 0], WHOLE)
    codes = np.arange(256, dtype="u1").tobytes()
    for law, subtype in ((7, "ULAW"), (6, "ALAW")):
        plain = open_bytes(wav(form(law, 1, 8), codes))
        source = open_bytes(write(form(law, 1, 8, mask=4), codes))
        assert source.subtype == subtype
        assert np.array_equal(decode(source), decode(plain))


@pytest.mark.parametrize(
    ("valid", "bits", "extensible"),
    [(24, 32, True), (20, 24, True), (12, 16, True), (20, 24, False), (12, 16, False), (7, 8, False)],
)
def test_odd_depths_come_at_their_loudness_and_are_told(valid, bits, extensible, open_bytes, decode):
    samples = (WHOLE >> (24 - valid)) << (bits - valid)
    data = packed(samples, bits // 8) if bits > 8 else (samples + 128).astype("u1").tobytes()
    head = form(1, 1, bits, valid=valid, mask=4) if extensible else form(1, 1, valid)
    for write in (wav, w64):
        source = open_bytes(write(head, data))
        assert np.array_equal(decode(source)[:, 0], samples)
        assert source.warnings == [f"depth: {valid} to {bits} bits"]


@pytest.mark.parametrize("write", [wav, w64])
@pytest.mark.parametrize(
    ("head", "named"),
    [
        (form(1, 1, 24, 4), "24 bits in 4 bytes"),
        (form(1, 1, 24, 4, mask=4), "24 bits in 4 bytes"),
        (form(1, 2, 8, 4), "8 bits in 2 bytes"),
        (form(1, 1, 64), "64-bit integers"),
        (form(3, 1, 16), "16-bit floats"),
        (form(3, 1, 24), "24-bit floats"),
        (form(0x161, 1, 16), "0x0161"),
        (form(2, 1, 16, mask=4), "extensible encoding 0x0002"),
        (form(1, 1, 16, mask=4, guid=bytes(12)), "extensible encoding"),
    ],
)
def test_what_would_be_read_wrongly_is_named(write, head, named, open_bytes):
    from noisecli.errors import FileSkipped
    from tests.fixtures.files import problem

    found = problem(lambda: open_bytes(write(head, packed(WHOLE, 4))), kind=FileSkipped)
    assert found.reason == "unsupported-samples"
    assert named in found.message
    assert "libsndfile" not in found.message


def adpcm(encode, tone, subtype, frames):
    """Return a WAV's format chunk, its blocks and what they hold."""
    whole = encode(tone(frames, 1), "WAV", subtype)
    at, data = whole.index(b"fmt "), whole.index(b"data")
    size = int.from_bytes(whole[at + 4 : at + 8], "little")
    blocks = whole[data + 8 : data + 8 + int.from_bytes(whole[data + 4 : data + 8], "little")]
    return whole[at + 8 : at + 8 + size], blocks


BLOCKS = {"IMA_ADPCM": (256, 505), "MS_ADPCM": (256, 500), "GSM610": (65, 320)}


@pytest.mark.parametrize("subtype", sorted(BLOCKS))
@pytest.mark.parametrize("write", [wav, w64])
def test_the_count_of_frames_holds_where_it_ends_in_the_last_block(
    write, subtype, encode, tone, open_bytes, decode, encode_like
):
    head, blocks = adpcm(encode, tone, subtype, 5000)
    most = len(blocks) // BLOCKS[subtype][0] * BLOCKS[subtype][1]
    every = decode(open_bytes(wav(head, blocks)))
    assert len(every) == most
    for fact, frames in ((most - 20, most - 20), (most, most), (0, most), (3, most), (2 * most, most)):
        counted = wav(head, blocks, before=chunk(b"fact", fact.to_bytes(4, "little")))
        source = open_bytes(counted)
        assert source.spec.shape == (frames, 1)
        assert np.array_equal(decode(source), every[:frames])
        written, sink = encode_like(source, decode(source))
        assert sink.warnings == (["padded"] if frames < most else [])
        again = open_bytes(written)
        assert again.spec.shape == (frames, 1)
    if write is w64:
        assert np.array_equal(decode(open_bytes(w64(head, blocks))), every)


@pytest.mark.parametrize("write", [wav, w64])
@pytest.mark.parametrize(
    ("subtype", "left", "frames"),
    [("IMA_ADPCM", 156, 305), ("MS_ADPCM", 156, 300), ("MS_ADPCM", 5, 0), ("GSM610", 40, 160), ("GSM610", 20, 0)],
)
def test_part_of_a_last_block_gives_its_frames_and_no_others(
    write, subtype, left, frames, encode, tone, open_bytes, decode
):
    head, blocks = adpcm(encode, tone, subtype, 5000)
    size, each = BLOCKS[subtype]
    every = decode(open_bytes(wav(head, blocks)))
    part = blocks[: 3 * size + left]
    source = open_bytes(write(head, part))
    assert source.spec.shape == (3 * each + frames, 1)
    for _ in range(2):
        assert np.array_equal(decode(source), every[: 3 * each + frames])


@pytest.mark.parametrize(("encoding", "subtype", "bits"), [(23, "G721_32", 4), (25, "G723_24", 3), (26, "G723_40", 5)])
def test_codes_of_an_au_are_counted(encoding, subtype, bits, encode, tone, open_bytes, decode):
    whole = encode(tone(4800, 1), "AU", subtype)
    head, codes = whole[:24], whole[24:]
    assert int.from_bytes(head[12:16], "big") == encoding
    every = decode(open_bytes(whole, ".au"))
    short = head[:8] + (1000).to_bytes(4, "big") + head[12:]
    source = open_bytes(short + codes[:1000], ".au")
    assert source.spec.shape == (8000 // bits, 1)
    assert np.array_equal(decode(source), every[: 8000 // bits])


def test_an_aiff_of_12_bits_is_told(encode, tone, open_bytes, decode):
    samples = tone(500, 1) >> 4 << 4
    whole = encode(samples, "AIFF", "PCM_16")
    at = whole.index(b"COMM") + 14
    source = open_bytes(whole[:at] + (12).to_bytes(2, "big") + whole[at + 2 :], ".aiff")
    assert np.array_equal(decode(source), samples)
    assert source.warnings == ["depth: 12 to 16 bits"]


def test_codes_that_libsndfile_does_not_know_are_named(open_bytes):
    au = b".snd" + b"".join(n.to_bytes(4, "big") for n in (24, 400, 18, 8000, 1)) + bytes(400)
    assert skip(lambda: open_bytes(au, ".au")) == "unsupported-samples"
