"""What is shown of an audio file: its first channel, all of it or the loudest seconds of a long one."""

from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noisecli.codecs import Source
from noisecli.codecs.audio import open_source
from noisecli.codecs.audio.subtypes import TRANSFORMED
from noisecli.storage import SourceFile
from noisecli.views.noisy_copy import Viewing

_LONGEST_SECONDS = 30
EXCERPT_SECONDS = 10
_PIECES_PER_SECOND = 10

Wave = NDArray[np.float64]
"""Samples of one channel, full scale 1, all finite."""
_LARGEST = 1e300
"""Twice of it, a scale from the lowest to the highest sample, is finite."""
_LOUDEST = 1e100
"""Energies of louder samples need not be told apart; that of all of them is finite."""


@dataclass(frozen=True)
class Sound:
    """An audio file's format, and which of its frames are shown."""

    format: str
    rate: int
    channels: int
    dtype: str
    frames: int
    start: int
    stop: int


def survey(path: str, viewing: Viewing) -> Sound:
    """Read an audio file once, and choose what to show. Raises FileFailed, FileSkipped as the codec does."""
    with SourceFile(path, viewing.limits.max_bytes) as file, closing(open_source(file, viewing.limits)) as source:
        rate = source.spec.sample_rate or 1
        piece = max(1, rate // _PIECES_PER_SECOND)
        energies, frames = _energies(source, piece)
        start, stop = 0, frames
        if frames > _LONGEST_SECONDS * rate:
            start = _loudest(energies, EXCERPT_SECONDS * rate // piece) * piece
            stop = min(frames, start + EXCERPT_SECONDS * rate)
        return Sound(source.format, rate, source.spec.shape[1], source.spec.dtype, frames, start, stop)


def listen(path: str, sound: Sound, viewing: Viewing) -> Wave:
    """Return the first channel between start and stop; what is not finite is silent."""
    pieces: list[Wave] = [np.zeros(0)]
    position = 0
    with SourceFile(path, viewing.limits.max_bytes) as file, closing(open_source(file, viewing.limits)) as source:
        # it counts in integers and in what encoders take where they store something else
        is_scaled = source.spec.is_float and source.subtype not in TRANSFORMED
        full_scale = viewing.full_scale or 1.0 if is_scaled else source.spec.full_scale
        for block in source.blocks():
            wanted = block[max(0, sound.start - position) : max(0, sound.stop - position), 0]
            if len(wanted):
                pieces.append(_finite(wanted, _LARGEST) / full_scale)
            position += len(block)
            if position >= sound.stop:
                break
    return np.concatenate(pieces)


def _finite(samples: NDArray[Any], most: float) -> Wave:
    return np.clip(np.nan_to_num(samples.astype(np.float64), posinf=0.0, neginf=0.0), -most, most)


def _energies(source: Source, piece: int) -> tuple[NDArray[np.float64], int]:
    """Return the energy of the first channel in every piece of so many frames, and the number of frames."""
    energies: list[NDArray[np.float64]] = [np.zeros(1)]
    rest = np.zeros(0)
    frames = 0
    for block in source.blocks():
        frames += len(block)
        rest = np.concatenate([rest, np.square(_finite(block[:, 0], _LOUDEST))])
        whole = len(rest) // piece * piece
        energies.append(rest[:whole].reshape(-1, piece).sum(axis=1))
        rest = rest[whole:]
    return np.concatenate(energies)[1:], frames


def _loudest(energies: NDArray[np.float64], pieces: int) -> int:
    """Return the piece with which the loudest excerpt of so many pieces begins."""
    sums = np.concatenate([[0.0], energies.cumsum()])
    return int((sums[pieces:] - sums[:-pieces]).argmax())
