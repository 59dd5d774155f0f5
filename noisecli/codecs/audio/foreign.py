"""What is read elsewhere, or is no audio file at all, by its first bytes: named with the way out."""

from typing import NamedTuple

from noisecli.codecs.audio.flac_frames import read_head
from noisecli.codecs.audio.header import Window
from noisecli.errors import FileFailed, FileProblem, FileSkipped

_FFMPEG = "convert it first: ffmpeg -i IN OUT.wav"


class Foreign(NamedTuple):
    """One format: bytes at a position, its name, and what to do."""

    position: int
    magic: bytes
    name: str
    way_out: str = _FFMPEG


_FORMATS = (
    Foreign(0, b"NIST_1A", "a SPHERE file", "convert it first: sph2pipe -f wav IN OUT.wav, or ffmpeg -i IN OUT.wav"),
    Foreign(4, b"ftyp", "an MP4 (m4a, mov)"),
    Foreign(0, b"\x1a\x45\xdf\xa3", "a Matroska or WebM file"),
    Foreign(0, b"#!AMR", "an AMR file"),
    Foreign(0, bytes.fromhex("3026b2758e66cf11"), "an ASF (wma)"),
    Foreign(0, b"ADIF", "an AAC file"),
    Foreign(0, b"FLV", "a Flash video"),
    Foreign(0, b"wvpk", "a WavPack file"),
    Foreign(0, b"MAC ", "a Monkey's Audio file"),
    Foreign(0, b"MPCK", "a Musepack file"),
    Foreign(0, b"MP+", "a Musepack file"),
    Foreign(0, b"TTA1", "a True Audio file"),
    Foreign(0, b"DSD ", "a DSF file"),
    Foreign(0, b"FRM8", "a DSDIFF file"),
    Foreign(0, b"Creative Voice File", "a VOC file"),
    Foreign(0, b"\x64\xa3", "an IRCAM file"),
    Foreign(0, b".RMF", "a RealMedia file"),
    Foreign(0, b"BW64", "a BW64"),
    Foreign(8, b"8SVX", "an IFF 8SVX"),
    Foreign(8, b"16SV", "an IFF 16SV"),
    Foreign(8, b"MAUD", "an IFF MAUD"),
    Foreign(0, b"MThd", "a MIDI file, notes without samples", "exclude it, or render it first"),
)
_CONTENTS = (
    Foreign(0, b"version https://git-lfs", "a Git LFS pointer, not the file itself", "fetch it: git lfs pull"),
    Foreign(0, b"\x1f\x8b", "compressed with gzip", "unpack it first: gunzip"),
    Foreign(0, b"PK\x03\x04", "a zip archive", "unpack it first"),
    Foreign(0, b"BZh", "compressed with bzip2", "unpack it first: bunzip2"),
    Foreign(0, b"\xfd7zXZ", "compressed with xz", "unpack it first: unxz"),
    Foreign(8, b"AVI ", "a video (AVI)", "take its sound out first: ffmpeg -i IN OUT.wav"),
    Foreign(0, b"RIFF", "a RIFF file without audio in it", "exclude it, or convert it first"),
)
_WEB = (b"<!doctype html", b"<html", b"<?xml", b"<head")
_ADTS, _ADTS_MASK = 0xFFF0, 0xFFF6


def foreign(window: Window, start: int) -> FileProblem:
    """Return the problem of a file that no check here is for; tags in front of it end at `start`."""
    head = window.read(start, 512)
    for known in _FORMATS:
        if head.startswith(known.magic, known.position):
            return FileSkipped("unsupported-format", f"is {known.name}, which is not read here; {known.way_out}")
    if read_head(head[:16], start):
        words = "holds FLAC frames without the header of a FLAC in front"
        return FileSkipped("unsupported-format", f"{words}, which is not read here; {_FFMPEG}")
    if int.from_bytes(head[:2], "big") & _ADTS_MASK == _ADTS:
        return FileSkipped("unsupported-format", f"is an AAC file, which is not read here; {_FFMPEG}")
    for known in _CONTENTS:
        if head.startswith(known.magic, known.position):
            return FileFailed("wrong-content", f"is {known.name}; {known.way_out}")
    if head.lstrip().lower().startswith(_WEB):
        return FileFailed("wrong-content", "is a web page, not an audio file; download it again")
    return FileFailed(
        "wrong-content", "begins like no audio file that is known here, whatever its name says; exclude it"
    )
