"""Channels keep their loudspeakers, in whatever order and words the output's format has."""

import numpy as np
import pytest

from noisecli.model import Encoding
from tests.fixtures.riff import AMBISONIC, KS, form, rf64, w64, wav

RATE = 48000
IN_OGG = {
    3: ("L", "C", "R"),
    4: ("L", "R", "BL", "BR"),
    5: ("L", "C", "R", "BL", "BR"),
    6: ("L", "C", "R", "BL", "BR", "LFE"),
    7: ("L", "C", "R", "SL", "SR", "BC", "LFE"),
    8: ("L", "C", "R", "SL", "SR", "BL", "BR", "LFE"),
}
"""Vorbis I, 4.3.9."""
BITS = ("L", "R", "C", "LFE", "BL", "BR", "LC", "RC", "BC", "SL", "SR")
"""The loudspeakers of a mask, from its lowest bit on; channels come in this order."""


def in_wav(channels):
    return sorted(IN_OGG[channels], key=BITS.index)


def mask_of(channels):
    return sum(1 << BITS.index(name) for name in IN_OGG[channels])


PITCHES = {name: 60 if name == "LFE" else 300 + 240 * number for number, name in enumerate(BITS)}
"""Encoders keep no high ones of LFE."""


def tones(names):
    """A steady tone for each loudspeaker, at its own pitch."""
    time = np.arange(12000)[:, None] / RATE
    return 0.2 * np.sin(2 * np.pi * time * [PITCHES[name] for name in names])


def heard(samples):
    """Which loudspeaker's tone each channel has."""
    part = samples[2000:10000]
    pitches = np.abs(np.fft.rfft(part / np.abs(part).max(), axis=0)).argmax(axis=0) * RATE / len(part)
    return [min(PITCHES, key=lambda name: abs(PITCHES[name] - pitch)) for pitch in pitches]


def said(data):
    """Return the mask in a header, and the end of the subformat."""
    at = data.index(b"fmt ") + (24 if data.startswith(b"riff") else 8)
    assert data[at : at + 2] == b"\xfe\xff"
    return int.from_bytes(data[at + 20 : at + 24], "little"), data[at + 28 : at + 40]


def integers(names):
    return (tones(names) * 32767).astype("<i2")


@pytest.mark.parametrize("channels", sorted(IN_OGG))
def test_ogg_to_wav_and_back(channels, encode, open_bytes, decode, encode_like):
    source = open_bytes(encode(tones(IN_OGG[channels]), "OGG", "VORBIS", rate=RATE), ".ogg")
    assert heard(decode(source)) == list(IN_OGG[channels])
    for target in ("wav", "rf64"):
        written, sink = encode_like(source, decode(source), Encoding(format=target))
        assert sink.warnings == []
        assert said(written) == (mask_of(channels), KS)
        between = open_bytes(written)
        assert heard(decode(between)) == in_wav(channels)
        back, sink = encode_like(between, decode(between), Encoding(format="ogg"))
        assert sink.warnings == []
        assert heard(decode(open_bytes(back, ".ogg"))) == list(IN_OGG[channels])
    again, sink = encode_like(source, decode(source))
    assert heard(decode(open_bytes(again, ".ogg"))) == list(IN_OGG[channels])
    assert sink.warnings == []


def test_opus_has_the_same_order(encode, open_bytes, decode, encode_like):
    source = open_bytes(encode(tones(IN_OGG[5]), "OGG", "OPUS", rate=RATE), ".opus")
    written, _ = encode_like(source, decode(source), Encoding(format="wav"))
    assert heard(decode(open_bytes(written))) == in_wav(5)


@pytest.mark.parametrize("channels", sorted(IN_OGG))
def test_flac_has_the_order_of_wav(channels, encode, open_bytes, decode, encode_like):
    source = open_bytes(encode(tones(in_wav(channels)), "FLAC", "PCM_16", rate=RATE), ".flac")
    written, sink = encode_like(source, decode(source), Encoding(format="ogg"))
    assert heard(decode(open_bytes(written, ".ogg"))) == list(IN_OGG[channels])
    assert sink.warnings == []
    written, sink = encode_like(source, decode(source), Encoding(format="wav"))
    assert said(written) == (mask_of(channels), KS)
    assert heard(decode(open_bytes(written))) == in_wav(channels)
    assert sink.warnings == []


@pytest.mark.parametrize("guid", [KS, AMBISONIC])
@pytest.mark.parametrize(
    ("channels", "mask"),
    [(1, 0), (1, 1), (2, 0), (2, 0x30), (3, 0), (4, 0), (6, 0x60F), (6, 0x3F), (8, 0x63F), (8, 0xFF)],
)
def test_a_mask_is_kept_byte_for_byte(channels, mask, guid, open_bytes, decode, encode_like):
    samples = integers(BITS[:channels])
    for write in (wav, lambda head, data: rf64(head, data, len(data))):
        source = open_bytes(write(form(1, channels, 16, mask=mask, guid=guid, rate=RATE), samples.tobytes()))
        written, sink = encode_like(source, decode(source))
        assert said(written) == (mask, guid)
        assert np.array_equal(decode(open_bytes(written)), samples)
        assert sink.warnings == []
        floats = decode(source).astype("float32") / 32768
        assert said(encode_like(source, floats, spec=source.spec.as_float32())[0]) == (mask, guid)


@pytest.mark.parametrize(
    ("channels", "mask", "usual"), [(2, 3, True), (6, 0x60F, True), (6, 0x3F, True), (6, 0, False), (3, 0xB, False)]
)
@pytest.mark.parametrize("target", ["flac", "w64", "caf", "ogg"])
def test_a_mask_that_a_format_cannot_say_is_told(target, channels, mask, usual, open_bytes, decode, encode_like):
    samples = integers(BITS[:channels])
    source = open_bytes(wav(form(1, channels, 16, mask=mask, rate=RATE), samples.tobytes()))
    written, sink = encode_like(source, decode(source), Encoding(format=target))
    assert sink.warnings == ([] if usual else [f"channel-layout: mask 0x{mask:x}"])
    if target != "ogg":
        assert np.array_equal(decode(open_bytes(written, "." + target)), samples)
    elif not usual:
        # the encoder keeps no high tones of what it takes for LFE
        assert heard(decode(open_bytes(written, ".ogg")))[:5] == list(BITS[: min(channels, 5)])


def test_an_order_that_nothing_says_is_assumed_and_told(open_bytes, decode, encode_like):
    source = open_bytes(wav(form(1, 6, 16, rate=RATE), integers(in_wav(6)).tobytes()))
    written, sink = encode_like(source, decode(source), Encoding(format="ogg"))
    assert heard(decode(open_bytes(written, ".ogg"))) == list(IN_OGG[6])
    assert sink.warnings == ["channel-layout: assumed"]
    assert encode_like(source, decode(source), Encoding(format="flac"))[1].warnings == []


def test_a_w64_gives_its_mask_to_a_wav(open_bytes, decode, encode_like):
    source = open_bytes(w64(form(1, 6, 16, mask=0x60F, rate=RATE), integers(in_wav(6)).tobytes()))
    written, sink = encode_like(source, decode(source), Encoding(format="wav"))
    assert said(written) == (0x60F, KS)
    assert sink.warnings == []


def test_channels_of_opus_without_loudspeakers_stay_where_they_are(encode, open_bytes, decode, encode_like):
    from noisecli.codecs.audio.ogg import checksum

    whole = encode(tones(BITS[:6]), "OGG", "OPUS", rate=RATE)
    page = bytearray(whole[: whole.index(b"OggS", 1)])
    at = page.index(b"OpusHead")
    page[at + 18] = 255
    page[22:26] = bytes(4)
    page[22:26] = checksum(bytes(page)).to_bytes(4, "little")
    source = open_bytes(bytes(page) + whole[len(page) :], ".opus")
    written, sink = encode_like(source, decode(source), Encoding(format="wav"))
    assert np.array_equal(decode(open_bytes(written)), decode(source))
    assert said(written) == (0, KS)
    assert sink.warnings == []
    assert encode_like(source, decode(source))[1].warnings == ["channel-layout: mask 0x0"]


def test_a_flac_that_says_its_mask(encode, open_bytes, decode, encode_like):
    whole = encode(integers(in_wav(6)), "FLAC", "PCM_16", rate=RATE)
    comment = b"WAVEFORMATEXTENSIBLE_CHANNEL_MASK=0x0000"
    body = bytes(4) + (1).to_bytes(4, "little") + len(comment).to_bytes(4, "little") + comment
    source = open_bytes(whole[:42] + b"\x04" + len(body).to_bytes(3, "big") + body + whole[42:], ".flac")
    written, _ = encode_like(source, decode(source), Encoding(format="wav"))
    assert said(written) == (0, KS)
    assert "channel-layout: mask 0x0" in encode_like(source, decode(source))[1].warnings
