"""libsndfile through soundfile's public face, without the system calls that soundfile adds to every block."""

from __future__ import annotations

import os
from typing import Any

import soundfile

_SYSTEM = 2
_UNSUPPORTED = {4, 18}
"""libsndfile's error numbers for encodings that it knows and does not decode."""


class Stream(soundfile.SoundFile):  # type: ignore[misc]
    """An open sound on a descriptor that stays the caller's.

    soundfile seeks twice around every read and four times around every write of a seekable file (which also makes the
    MP3 and Opus decoders start over and give other samples), and calls fsync when it closes one: 2 ms on a disk.
    """

    def seekable(self) -> bool:
        """Say no, so that soundfile leaves the position alone; seek() works all the same."""
        return False

    def flush(self) -> None:
        """Leave fsync to who knows whether it is wanted."""


def open_input(descriptor: int) -> Stream:
    """Open a sound for reading; libsndfile takes the descriptor's position for the file's start."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    return Stream(descriptor, "r", closefd=False)


def open_output(descriptor: int, **settings: Any) -> Stream:
    """Open an empty file for writing; settings are those of soundfile.SoundFile."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    return Stream(descriptor, "w", closefd=False, **settings)


def is_unsupported(error: soundfile.LibsndfileError) -> bool:
    """Whether an error means that the file is sound and its encoding is not supported."""
    return error.code in _UNSUPPORTED


def is_system_error(error: soundfile.LibsndfileError) -> bool:
    """Whether an error comes from the operating system."""
    return bool(error.code == _SYSTEM)


def explain(error: soundfile.LibsndfileError) -> str:
    """Return libsndfile's own words on one line, without the final stop."""
    return " ".join(str(error.error_string).split()).rstrip(".")
