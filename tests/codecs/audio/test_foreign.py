"""What is no audio file that is read here is named, with the way out."""

import gzip
import sys

import pytest

from noisecli.codecs.audio import libsndfile, source
from noisecli.codecs.audio.flac_frames import _sum
from noisecli.errors import FileFailed, FileSkipped
from tests.fixtures.files import problem
from tests.fixtures.riff import form, wav

NAMED = [
    (b"NIST_1A\n   1024\n", "SPHERE", "ffmpeg"),
    (b"\0\0\0\x20ftypM4A \0\0\0\0", "MP4", "ffmpeg"),
    (b"\0\0\0\x18ftypisom", "MP4", "ffmpeg"),
    (b"\x1a\x45\xdf\xa3\x01\0\0\0webm", "Matroska", "ffmpeg"),
    (b"#!AMR\n\x3c\x91", "AMR", "ffmpeg"),
    (b"#!AMR-WB\n\x3c\x91", "AMR", "ffmpeg"),
    (bytes.fromhex("fff15080021ffc") + bytes(20), "AAC", "ffmpeg"),
    (bytes.fromhex("fff950801b3ffc") + bytes(20), "AAC", "ffmpeg"),
    (bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"), "ASF", "ffmpeg"),
    (b"wvpk" + bytes(40), "WavPack", "ffmpeg"),
    (b"MAC \x96\x0f", "Monkey", "ffmpeg"),
    (bytes.fromhex("fff8c91800") + bytes([_sum(bytes.fromhex("fff8c91800"))]) + bytes(30), "FLAC frames", "ffmpeg"),
    (b"Creative Voice File\x1a", "VOC", "ffmpeg"),
    (b"FORM\0\0\0\x108SVXVHDR", "8SVX", "ffmpeg"),
    (b"BW64\xff\xff\xff\xffWAVEds64", "BW64", "ffmpeg"),
    (b"MThd\0\0\0\6", "MIDI", "render"),
]
WRONG = [
    (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n", "Git LFS pointer", "git lfs pull"),
    (gzip.compress(b"RIFF", mtime=0), "gzip", "gunzip"),
    (b"PK\x03\x04" + bytes(30), "zip", "unpack"),
    (b"<!DOCTYPE html><html>", "web page", "download"),
    (b"\n  <HTML>", "web page", "download"),
    (b"RIFF\x10\0\0\0AVI LIST", "AVI", "ffmpeg"),
    (b"RIFF\x10\0\0\0sfbkLIST", "RIFF", "exclude"),
    (b"some words", "begins like no audio file", "exclude"),
    (bytes(3000), "begins like no audio file", "exclude"),
]


@pytest.mark.parametrize("before", [b"", b"ID3\3\0\0\0\0\0\x0a" + bytes(10)])
@pytest.mark.parametrize(("data", "name", "way_out"), NAMED)
def test_other_formats_are_skipped_by_name(data, name, way_out, before, open_bytes, monkeypatch):
    # as where the extra is not installed
    monkeypatch.setitem(sys.modules, "noisecli.codecs.audio.pyav.source", None)
    found = problem(lambda: open_bytes(before + data), kind=FileSkipped)
    assert found.reason == "unsupported-format"
    assert name in found.message
    assert way_out in found.message


@pytest.mark.parametrize(("data", "name", "way_out"), WRONG)
def test_what_is_no_audio_is_told_apart(data, name, way_out, open_bytes):
    found = problem(lambda: open_bytes(data), kind=FileFailed)
    assert found.reason == "wrong-content"
    assert name in found.message
    assert way_out in found.message


def test_a_file_that_libsndfile_alone_refuses_is_not_called_damaged(open_bytes, monkeypatch):
    class Refused(libsndfile.soundfile.LibsndfileError):
        error_string = "Some odd words."

    def refuse(*_):
        raise Refused(29)

    monkeypatch.setattr(source, "open_input", refuse)
    found = problem(lambda: open_bytes(wav(form(), bytes(200))))
    assert found.reason == "not-decoded"
    assert found.message.startswith("libsndfile cannot read it, though its header is sound (Some odd words)")
    assert "ffmpeg" in found.message
