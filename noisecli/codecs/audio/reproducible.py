"""What libsndfile writes that two runs would not share, or gets wrong, corrected in place."""

import os

from noisecli.codecs.audio.encoding import Target
from noisecli.codecs.audio.header import Chunk, Window, iterate_chunks
from noisecli.codecs.audio.ogg import set_serial
from noisecli.codecs.region import write_at


def settle(descriptor: int, target: Target, frames: int, key: bytes) -> None:
    """Make a finished file, no longer open in libsndfile, the same bytes in every run.

    The first four bytes of `key` become the serial number of an Ogg stream.
    """
    size = frames * target.frame_bytes
    if target.container == "OGG":
        set_serial(descriptor, int.from_bytes(key[:4], "little"))
    elif target.container in ("WAV", "WAVEX", "AIFF") and target.subtype in ("FLOAT", "DOUBLE"):
        _clear_peak_time(descriptor, big=target.container == "AIFF")
    elif target.container == "AIFF" and size % 2:
        _correct_odd_aiff(descriptor, frames, size)


def _iterate(descriptor: int, big: bool) -> list[Chunk]:
    window = Window(descriptor, os.fstat(descriptor).st_size)
    return list(iterate_chunks(window, 12, big or window.read(0, 4) == b"RIFX"))


def _clear_peak_time(descriptor: int, big: bool) -> None:
    """A PEAK chunk: version, the seconds of the clock, then a value and a position for each channel."""
    for chunk in _iterate(descriptor, big):
        if chunk.name == b"PEAK":
            write_at(descriptor, bytes(4), chunk.start + 4)


def _correct_odd_aiff(descriptor: int, frames: int, size: int) -> None:
    """Of an odd number of sample bytes, libsndfile counts the pad byte after them as one more sample."""
    for chunk in _iterate(descriptor, big=True):
        if chunk.name == b"COMM":
            write_at(descriptor, frames.to_bytes(4, "big"), chunk.start + 2)
        elif chunk.name == b"SSND":
            write_at(descriptor, (size + 8).to_bytes(4, "big"), chunk.start - 4)
