"""A finished output: what two runs would not share is corrected in place, and by its header it must be as written."""

import os

import soundfile

from noisecli.codecs.audio.detect import inspect
from noisecli.codecs.audio.encoding import Target
from noisecli.codecs.audio.form import KS
from noisecli.codecs.audio.header import Chunk, Places, Window, iterate_chunks
from noisecli.codecs.audio.libsndfile import Stream, explain, open_input
from noisecli.codecs.audio.ogg import set_serial
from noisecli.codecs.audio.subtypes import PADDED
from noisecli.codecs.audio.w64 import iterate_w64
from noisecli.codecs.region import write_at
from noisecli.errors import FileProblem
from noisecli.model import SampleSpec


def settle(descriptor: int, target: Target, frames: int, key: bytes) -> None:
    """Make a finished file, no longer open in libsndfile, the same bytes in every run.

    The first four bytes of `key` become the serial number of an Ogg stream.
    """
    size = frames * target.frame_bytes
    if target.channels.places:
        _write_places(descriptor, target.channels.places)
    if target.subtype in PADDED and target.container in ("WAV", "W64"):
        _write_fact(descriptor, frames)
    if target.container == "OGG":
        set_serial(descriptor, int.from_bytes(key[:4], "little"))
    elif target.container in ("WAV", "WAVEX", "AIFF") and target.subtype in ("FLOAT", "DOUBLE"):
        _clear_peak_time(descriptor, big=target.container == "AIFF")
    elif target.container == "AIFF" and size % 2:
        _correct_odd_aiff(descriptor, frames, size)


def _iterate(descriptor: int, big: bool) -> list[Chunk]:
    window = Window(descriptor, os.fstat(descriptor).st_size)
    return list(iterate_chunks(window, 12, big or window.read(0, 4) == b"RIFX"))


def _write_places(descriptor: int, places: Places) -> None:
    """An extensible format has them behind its valid bits; libsndfile writes masks of its own choice."""
    big = os.pread(descriptor, 4, 0) == b"RIFX"
    for chunk in _iterate(descriptor, big):
        if chunk.name == b"fmt ":
            write_at(descriptor, places.mask.to_bytes(4, "big" if big else "little"), chunk.start + 20)
            if places.guid != KS and not big:
                write_at(descriptor, places.guid, chunk.start + 28)


def _write_fact(descriptor: int, frames: int) -> None:
    """Where the last block is filled up, this count is the true one; libsndfile counts whole blocks, or writes none."""
    window = Window(descriptor, os.fstat(descriptor).st_size)
    is_w64 = window.read(0, 4) == b"riff"
    big = window.read(0, 4) == b"RIFX"
    for chunk in iterate_w64(window) if is_w64 else iterate_chunks(window, 12, big):
        if chunk.name == b"fact":
            write_at(descriptor, frames.to_bytes(8 if is_w64 else 4, "big" if big else "little"), chunk.start)


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


def check_written(descriptor: int, target: Target, spec: SampleSpec, frames: int) -> int:
    """Read the header of an output that is closed and settled, by our own walk and by libsndfile.

    Return the number of frames in the file: `frames`, or more where the subtype comes in whole blocks. Raises OSError
    where the file is not what was written, whatever the system said.
    """
    try:
        header = inspect(descriptor, os.fstat(descriptor).st_size)
        stream = open_input(descriptor, header.correction)
    except (FileProblem, soundfile.LibsndfileError) as error:
        said = explain(error) if isinstance(error, soundfile.LibsndfileError) else str(error)
        raise OSError(f"it reads back as damaged ({said})") from None
    try:
        found = f"{stream.format} {stream.subtype}, {stream.channels} x {stream.samplerate} Hz"
        wanted = f"{target.container} {target.subtype}, {spec.shape[-1]} x {spec.sample_rate} Hz"
        held: int = stream.frames
        if header.format != target.format or found != wanted:
            raise OSError(f"it reads back as {found}, not {wanted}")
        for count in (held, held if header.frames is None else header.frames):
            if count != frames and not (target.subtype in PADDED and count > frames):
                raise OSError(f"{frames:,} frames were written, {count:,} read back")
        if target.container == "FLAC":
            _check_flac(stream, header.md5, frames)
    finally:
        stream.close()
    return held


def _check_flac(stream: Stream, md5: bytes | None, frames: int) -> None:
    """The encoder writes the hash of all samples last; the last frame ends where the file does."""
    if md5 is None:
        raise OSError("it reads back without the hash of its samples")
    try:
        stream.seek(frames - 1)
        complete = len(stream.read(1)) == 1
    except soundfile.LibsndfileError:
        complete = False
    if not complete:
        raise OSError("its last frame cannot be read back")
