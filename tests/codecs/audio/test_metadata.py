"""Tags are kept where the format holds them; what gets lost is told."""

import pytest

from noisecli.model import Encoding, warning, word_of

TAGS = {
    "title": "Title é",
    "artist": "Somebody",
    "comment": "a comment",
    "copyright": "mine",
    "date": "2020",
    "album": "Album",
    "tracknumber": "7",
    "genre": "Speech",
}


@pytest.mark.parametrize("container", ["WAV", "WAVEX", "RF64", "CAF", "FLAC", "OGG"])
def test_tags_are_kept(container, encode, tone, open_bytes, decode, encode_like):
    source = open_bytes(encode(tone(500), container, tags=TAGS))
    written, sink = encode_like(source, decode(source))
    assert {name: open_bytes(written).tags.get(name) for name in TAGS} == TAGS
    assert sink.warnings == []


@pytest.mark.parametrize("target", ["aiff", "au", "w64", "mp3"])
def test_tags_that_get_lost_are_told(target, encode, tone, open_bytes, decode, encode_like):
    source = open_bytes(encode(tone(500), "WAV", tags=TAGS))
    written, sink = encode_like(source, decode(source), Encoding(format=target))
    [told] = sink.warnings
    kept = open_bytes(written).tags
    assert told == warning("metadata-lost", TAGS.keys() - kept.keys())
    assert all(kept[name] == value for name, value in TAGS.items() if name in kept)


@pytest.mark.parametrize("length", [10, 250, 300, 5000])
@pytest.mark.parametrize("target", ["wav", "aiff", "caf", "flac", "ogg", "mp3"])
def test_long_tags_are_kept_or_told_and_harm_nothing(target, length, encode, tone, open_bytes, decode, encode_like):
    tags = dict.fromkeys(("title", "artist", "comment", "album", "copyright", "genre"), "x" * length)
    source = open_bytes(encode(tone(500), "FLAC", tags=tags))
    written, sink = encode_like(source, decode(source), Encoding(format=target))
    output = open_bytes(written)
    assert len(decode(output)) == 500
    if "metadata-lost" not in map(word_of, sink.warnings):
        assert {name: output.tags.get(name) for name in tags} == tags


EXTRA_CHUNKS = [b"bext", b"cue ", b"smpl", b"iXML", b"id3 "]


@pytest.mark.parametrize("name", EXTRA_CHUNKS)
def test_chunks_that_get_lost_are_told(name, encode, tone, open_bytes, decode, encode_like):
    plain = encode(tone(500, 1), "WAV")
    body = bytes(602)
    longer = plain + name + len(body).to_bytes(4, "little") + body
    data = longer[:4] + (len(longer) - 8).to_bytes(4, "little") + longer[8:]
    source = open_bytes(data)
    assert encode_like(source, decode(source))[1].warnings == [f"metadata-lost: {name.decode().strip()}"]
    assert source.warnings == []


def test_flac_pictures_and_other_comments_are_told(encode, tone, open_bytes, decode, encode_like):
    plain = encode(tone(500, 1), "FLAC")
    picture = bytes([6]) + (32).to_bytes(3, "big") + bytes(32)
    with_picture = plain[:42] + picture + plain[42:]
    source = open_bytes(with_picture, ".flac")
    assert encode_like(source, decode(source))[1].warnings == ["metadata-lost: cover"]
