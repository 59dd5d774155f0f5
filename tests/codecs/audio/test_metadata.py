"""Tags are kept where the format holds them; what gets lost is told."""

import pytest

from noisecli.model import Encoding
from noisecli.words import warning, word_of

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


def chunk(name, body, order="little"):
    return name + len(body).to_bytes(4, order) + body + bytes(len(body) & 1)


def with_chunks(plain, chunks, order="little"):
    data = plain + b"".join(chunks)
    return data[:4] + (len(data) - 8).to_bytes(4, order) + data[8:]


def lost_of(source, decode, encode_like, target=None):
    """Return what the sink and the source say is lost, one name each."""
    warnings = encode_like(source, decode(source), Encoding(format=target))[1].warnings
    return {name for warning in warnings for name in warning.partition(": ")[2].split(", ")}


INFO_CASES = [
    ([(b"IART", b"A\0"), (b"IART", b"B\0")], {"IART"}),
    ([(b"ICMT", b"c" * 2045 + b"\0")], {"comment"}),
    ([(b"ICMT", b"c" * 2046 + b"\0")], {"ICMT"}),
    ([(b"ICMT", b"c" * 9000 + b"\0")], {"ICMT"}),
    ([(b"ISFT", b"s" * 120 + b"\0")], {"software"}),
    ([(b"INAM", "T\u00eftle".encode("latin-1") + b"\0")], {"title"}),
    ([(b"IART", b"A\0"), (b"ICMT", b"c" * 249 + b"\0")], set()),
]


@pytest.mark.parametrize(("entries", "lost"), INFO_CASES)
def test_entries_of_info_are_kept_or_named(entries, lost, encode, tone, open_bytes, decode, encode_like):
    info = chunk(b"LIST", b"INFO" + b"".join(chunk(*entry) for entry in entries))
    source = open_bytes(with_chunks(encode(tone(500, 1)), [info]))
    assert lost_of(source, decode, encode_like) == lost


def test_text_chunks_of_aiff_given_twice_are_named(encode, tone, open_bytes, decode, encode_like):
    chunks = [chunk(name, b"text", "big") for name in (b"NAME", b"AUTH", b"AUTH", b"ANNO", b"ANNO")]
    source = open_bytes(with_chunks(encode(tone(500, 1), "AIFF"), chunks, "big"), ".aiff")
    assert lost_of(source, decode, encode_like) == {"AUTH", "ANNO"}


@pytest.mark.parametrize(
    ("pairs", "lost"),
    [
        ([(b"title", b"T"), (b"comments", b"c")], set()),
        ([(b"artist", b"A"), (b"artist", b"B")], {"artist"}),
        ([(b"composer", b"C"), (b"recorded date", b"2020")], {"composer", "recorded date"}),
    ],
)
def test_keys_of_caf_are_kept_or_named(pairs, lost, encode, tone, open_bytes, decode, encode_like):
    body = len(pairs).to_bytes(4, "big") + b"".join(key + b"\0" + text + b"\0" for key, text in pairs)
    plain = encode(tone(500, 1), "CAF")
    data = plain[:52] + b"info" + len(body).to_bytes(8, "big") + body + plain[52:]
    assert lost_of(open_bytes(data, ".caf"), decode, encode_like) == lost


def test_a_list_in_w64_is_named(encode, tone, open_bytes, decode, encode_like):
    plain = encode(tone(500, 1), "W64")
    body = b"INFO" + chunk(b"INAM", b"T\0")
    piece = b"LIST" + bytes.fromhex("f3acd3118cd100c04f8edb8a") + (24 + len(body)).to_bytes(8, "little") + body
    data = plain + piece + bytes(-len(piece) % 8)
    data = data[:16] + len(data).to_bytes(8, "little") + data[24:]
    assert lost_of(open_bytes(data, ".w64"), decode, encode_like) == {"LIST"}


UTF_16 = b"\1" + "A\0B".encode("utf-16")
ID3_CASES = [
    ([(b"TPE1", b"\0A"), (b"TPE1", b"\0B")], {"TPE1"}),
    ([(b"TPE1", b"\0A\0B")], {"TPE1"}),
    ([(b"TPE1", UTF_16)], {"TPE1"}),
    ([(b"COMM", b"\0engone\0text"), (b"COMM", b"\0engtwo\0text")], {"COMM"}),
    ([(b"TIT2", b"\1" + "T\u00eftle".encode("utf-16"))], {"title"}),
    ([(b"TCOP", b"\0mine")], {"copyright"}),
    ([(b"TXXX", b"\0k\0v"), (b"APIC", bytes(20))], {"TXXX", "cover"}),
    ([(b"TPE1", b"\0A"), (b"TIT2", b"\0T\0"), (b"COMM", b"\0eng\0text")], set()),
]


@pytest.mark.parametrize("version", [3, 4])
@pytest.mark.parametrize(("frames", "lost"), ID3_CASES)
def test_frames_of_id3_are_kept_or_named(frames, lost, version, encode, tone, open_bytes, decode, encode_like):
    body = b"".join(name + len(text).to_bytes(4, "big") + bytes(2) + text for name, text in frames)
    tag = b"ID3" + bytes([version, 0, 0, 0, 0, len(body) >> 7, len(body) & 127]) + body
    source = open_bytes(tag + encode(tone(3000, 1), "MP3"), ".mp3")
    assert lost_of(source, decode, encode_like) == lost
