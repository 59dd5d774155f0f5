"""The record of a format that PyAV decodes."""

from collections.abc import Callable
from typing import NamedTuple

from noisecli.codecs.audio.header import Window


class Container(NamedTuple):
    """One format: noisecli's word for it, ffmpeg's, what people call it, and the walk that finds a cut.

    `check` returns whether bytes follow the container's end. ffmpeg silently shortens what is cut, as libsndfile does.
    """

    format: str
    demuxer: str
    title: str
    check: Callable[[Window], bool]
    counted: bool = True
    """Whether a file says in any way how much there is."""
