"""What PyAV would shorten without a word is found before it: every container's own sizes against the file's."""

import struct
import sys

import pytest

from noisecli.codecs import audio
from noisecli.codecs.audio.header import Window
from noisecli.codecs.audio.pyav import recognise
from noisecli.model import Limits
from tests.fixtures.files import Input, failure, skip


def box(name, body):
    return struct.pack(">I4s", 8 + len(body), name) + body


def element(name, body):
    return name + bytes([0x40 | len(body) >> 8, len(body) & 255]) + body


def asf_object(name, body):
    return bytes.fromhex(name) + struct.pack("<Q", 24 + len(body)) + body


def sphere(count, body, coding="pcm"):
    fields = f"channel_count -i 1\nsample_count -i {count}\nsample_n_bytes -i 2\nsample_coding -s3 {coding}\nend_head\n"
    return ("NIST_1A\n   1024\n" + fields).encode().ljust(1024) + body


def adts(length):
    return struct.pack(">I", 0xFFF15080) + bytes([length >> 3, (length & 7) << 5 | 31, 0xFC]) + bytes(length - 7)


MP4 = box(b"ftyp", b"M4A \0\0\0\0") + box(b"mdat", bytes(500)) + box(b"moov", bytes(100))
CLUSTER = bytes.fromhex("1f43b675")
MATROSKA = element(b"\x1a\x45\xdf\xa3", bytes(20)) + element(
    b"\x18\x53\x80\x67", element(b"\x15\x49\xa9\x66", bytes(30)) + element(CLUSTER, element(b"\xa3", bytes(400)))
)
LIVE = (
    element(b"\x1a\x45\xdf\xa3", bytes(20))
    + b"\x18\x53\x80\x67\x01"
    + b"\xff" * 7
    + CLUSTER
    + b"\xff"
    + element(b"\xe7", b"\0")
    + element(b"\xa3", bytes(400))
)
ASF = asf_object("3026b2758e66cf11a6d900aa0062ce6c", bytes(100)) + asf_object(
    "3626b2758e66cf11a6d900aa0062ce6c", bytes(500)
)
AMR = b"#!AMR\n" + (b"\x3c" + bytes(31)) * 20
AC3 = (b"\x0b\x77\0\0\x12\x40" + bytes(634)) * 3
WHOLE = {
    "m4a": MP4,
    "matroska": MATROSKA,
    "live": LIVE,
    "wma": ASF,
    "amr": AMR,
    "ac3": AC3,
    "aac": adts(200) + adts(333) + adts(100),
    "sphere": sphere(500, bytes(1000)),
}


@pytest.fixture
def check(new_path, keep):
    """Run the check that belongs to the content; return whether bytes follow its end."""

    def run(data):
        path = new_path(".bin")
        path.write_bytes(data)
        window = Window(keep(Input(path)).fileno(), len(data))
        return recognise(window).check(window)

    return run


@pytest.mark.parametrize("name", WHOLE)
def test_what_is_whole_passes_and_no_cut_does(name, check):
    data = WHOLE[name]
    assert check(data) is False
    ends = {"m4a": {len(MP4) - 108}, "live": {len(LIVE) - 403, len(LIVE) - 406}, "aac": {200, 533}, "ac3": {640, 1280}}
    whole_frames = ends.get(name, set()) | ({len(data) - 32 * n for n in range(20)} if name == "amr" else set())
    for length in range(len(data) // 3, len(data)):
        if length not in whole_frames or name == "m4a":
            assert failure(lambda length=length: check(data[:length])) in ("truncated", "corrupt")


@pytest.mark.parametrize("name", ["m4a", "matroska", "wma", "ac3", "aac", "sphere"])
def test_what_follows_the_end_is_told(name, check):
    assert check(WHOLE[name] + b"\xfe" * 40) is True


@pytest.mark.parametrize("name", WHOLE)
def test_whether_a_format_counts_is_known(name, new_path, keep):
    path = new_path(".bin")
    path.write_bytes(WHOLE[name])
    counted = recognise(Window(keep(Input(path)).fileno(), len(WHOLE[name]))).counted
    assert counted == (name not in ("amr", "ac3", "aac"))


@pytest.mark.parametrize("tail", [b"TAG" + bytes(125), b"APETAGEX" + bytes(200)])
def test_tags_behind_frames_are_no_garbage(tail, check):
    assert check(WHOLE["aac"] + tail) is False


def test_shortened_sphere_has_no_fixed_size(check):
    assert check(sphere(50_000, bytes(300), "pcm,embedded-shorten-v2.00")) is False


@pytest.mark.parametrize("name", WHOLE)
def test_without_the_extra_the_file_is_skipped_by_name_with_both_ways_out(name, new_path, keep, monkeypatch):
    path = new_path(".m4a")
    path.write_bytes(WHOLE[name])
    monkeypatch.setitem(sys.modules, "av", None)
    monkeypatch.delitem(sys.modules, "noisecli.codecs.audio.pyav.source", raising=False)
    words = r"which PyAV reads: pip install av, or convert it: ffmpeg -i"
    assert skip(lambda: audio.open_source(keep(Input(path)), Limits()), words) == "unsupported-format"
