"""A finished output is opened again: by its header, it must be what was written."""

import os

import soundfile

from noisecli.codecs.audio.detect import inspect
from noisecli.codecs.audio.encoding import Target
from noisecli.codecs.audio.libsndfile import Stream, explain, open_input
from noisecli.codecs.audio.subtypes import PADDED
from noisecli.errors import FileProblem
from noisecli.model import SampleSpec


def check_written(descriptor: int, target: Target, spec: SampleSpec, frames: int) -> int:
    """Read the header of an output that is closed and settled, by our own walk and by libsndfile.

    Return the number of frames in the file: `frames`, or more where the subtype comes in whole blocks. Raises OSError
    where the file is not what was written, whatever the system said.
    """
    try:
        header = inspect(descriptor, os.fstat(descriptor).st_size)
        stream = open_input(descriptor)
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
