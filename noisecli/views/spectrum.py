"""How strong each frequency is at each time."""

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

_WINDOW_SECONDS = 0.032
FLOOR_DECIBELS = -140.0
_FRAMES_AT_ONCE = 512
_LARGE = 1e100
"""Squares of larger samples may overflow."""


def decibels(wave: NDArray[Any], rate: int, height: int, width: int) -> NDArray[np.float32]:
    """Return a spectrogram, (height, width) float32, the highest frequency (rate / 2) in the first row.

    Short-time Fourier transform, Hann window; 0 dB is the power of a sine of amplitude 1. Where several frames or bins
    share a pixel, their mean power is taken, so that noise keeps its level at any size.
    """
    length = 2 ** max(5, round(math.log2(rate * _WINDOW_SECONDS)))
    # half a window of silence on both sides: the first column is centred on the first sample
    peak = float(np.abs(wave).max(initial=0))
    unit = peak if peak > _LARGE else 1.0
    padded = np.pad(wave.astype(np.float64) / unit, length // 2)
    frames = max(width, math.ceil((len(padded) - length) / (length // 2)) + 1)
    starts = np.linspace(0, len(padded) - length, frames).astype(np.int64)
    window = np.hanning(length + 1)[:-1]
    windows = np.lib.stride_tricks.sliding_window_view(padded, length)
    power = np.empty((length // 2 + 1, frames))
    for begin in range(0, frames, _FRAMES_AT_ONCE):
        some = windows[starts[begin : begin + _FRAMES_AT_ONCE]] * window
        power[:, begin : begin + _FRAMES_AT_ONCE] = np.square(np.abs(np.fft.rfft(some, axis=1))).T
    power /= float(window.sum() / 2) ** 2
    narrow = cv2.resize(power, (width, power.shape[0]), interpolation=cv2.INTER_AREA)
    shrinks = height < power.shape[0]
    sized = cv2.resize(narrow, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    levels = 10 * np.log10(np.maximum(sized, 10 ** (FLOOR_DECIBELS / 10))) + 20 * math.log10(unit)
    return np.asarray(levels, np.float32)[::-1]
