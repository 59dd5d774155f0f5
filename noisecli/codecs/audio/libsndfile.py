"""libsndfile through soundfile's public face, without the system calls that soundfile adds to every block."""

import os
from typing import Any

import soundfile
from numpy.typing import NDArray

from noisecli.codecs.audio.corrected import CorrectedFile
from noisecli.codecs.audio.header import Correction

UNSUPPORTED = {4, 18}
"""libsndfile's error numbers for encodings that it knows and does not decode."""


class Stream(soundfile.SoundFile):  # type: ignore[misc]
    """An open audio file on a descriptor that stays the caller's.

    soundfile seeks twice around every read and four times around every write of a seekable file (which also makes the
    MP3 and Opus decoders start over and give other samples), and calls fsync when it closes one: 2 ms on a disk.
    """

    def seekable(self) -> bool:
        """Return False, so that soundfile leaves the position alone; seek() still works."""
        return False

    def flush(self) -> None:
        """Do not call fsync: that is the caller's choice."""

    def read_into(self, buffer: NDArray[Any], dtype: str) -> NDArray[Any]:
        """Read frames into a C-contiguous array of this dtype; return the part that was filled.

        soundfile's read(out=...) and write(array) cost twice as much as its calls for buffers.
        """
        frames: int = self.buffer_read_into(buffer, dtype)
        return buffer[:frames]


def open_input(descriptor: int, correction: Correction | None = None) -> Stream:
    """Open an audio file for reading; libsndfile takes the descriptor's position for the file's start."""
    if correction:
        return Stream(CorrectedFile(descriptor, correction), "r")
    os.lseek(descriptor, 0, os.SEEK_SET)
    return Stream(descriptor, "r", closefd=False)


def explain(error: soundfile.LibsndfileError) -> str:
    """Return libsndfile's own words on one line, without the final stop."""
    return " ".join(str(error.error_string).split()).rstrip(".")
