"""Rows of audio files: the waveform, and below it the spectrogram on a scale of dB."""

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from noisecli.views import axes
from noisecli.views.canvas import CLEAN_WAVE, LINE, NOISY, Canvas, blank
from noisecli.views.excerpt import Sound, Wave, listen, survey
from noisecli.views.legend import Legend
from noisecli.views.noisy_copy import NoisyCopy, Viewing
from noisecli.views.sheet import Cell, Row, Scaled
from noisecli.views.spectrum import decibels

WIDTH = 320
"""Pixels from the beginning to the end."""
_WAVE_HEIGHT, _SPECTRUM_HEIGHT = 96, 144
_GUTTER, _BAR = 52, 14
_DECIBELS_SHOWN = 80
_LEGEND = Legend(CLEAN_WAVE, "amplitude, and below it dB over time and frequency; 0 dB is a sine at full scale")
_SILENCE = 1e-300
"""Doubles below it have too few digits for a scale of their own."""


def draw_row(source: str, name: str, copies: Sequence[NoisyCopy], viewing: Viewing) -> Row:
    """Draw the audio file at the path `source`, and its noisy copies, on common scales; that of dB is its own so far.

    Raises FileFailed, FileSkipped as the codec does.
    """
    sound = survey(source, viewing)
    clean = listen(source, sound, viewing)
    if not clean.size:
        return Row(name, _about(sound), problem="has no samples to show")
    waves = [clean, *(listen(copy.path, sound, viewing) for copy in copies)]
    peak = max(float(np.abs(wave).max(initial=0)) for wave in waves)
    peak = peak if peak > _SILENCE else 1.0
    spectra = [decibels(wave, sound.rate, _SPECTRUM_HEIGHT, WIDTH) for wave in waves]
    top = 10 * math.ceil(max(float(spectrum.max()) for spectrum in spectra) / 10)
    time = axes.below(WIDTH, sound.start / sound.rate, sound.stop / sound.rate, " s")
    captions = [("original", ()), *((copy.title, copy.notes) for copy in copies)]
    plots = [_draw_waves(clean, wave, peak) for wave in waves]

    def cells(top: float) -> tuple[Cell, ...]:
        drawn = (
            Cell(title, notes, (plot, _draw_spectrum(spectrum, top), time))
            for (title, notes), plot, spectrum in zip(captions, plots, spectra, strict=True)
        )
        return (*drawn, _colour_bar(top))

    return Row(
        name,
        _about(sound),
        cells(top),
        gutter=_left_scales(peak, sound.rate),
        legend=_LEGEND,
        scaled=Scaled(top, cells),
    )


def _about(sound: Sound) -> str:
    length = f"{sound.frames / sound.rate:.3g} s, {sound.rate / 1000:g} kHz, {sound.format}, {sound.dtype}"
    channel = "" if sound.channels == 1 else f", channel 1 of {sound.channels}"
    if sound.stop - sound.start == sound.frames:
        return length + channel
    return f"{length}{channel}, the loudest {(sound.stop - sound.start) / sound.rate:g} s"


def _draw_waves(clean: Wave, noisy: Wave, peak: float) -> Canvas:
    """Draw from the lowest to the highest sample of every column; the clean wave over the noisy one."""
    plot = blank(_WAVE_HEIGHT, WIDTH)
    plot[_WAVE_HEIGHT // 2] = LINE
    rows = np.arange(_WAVE_HEIGHT)[:, None]
    for wave, colour in ((noisy, NOISY), (clean, CLEAN_WAVE)):
        if wave.size:
            low, high = ((1 - side / peak) / 2 * (_WAVE_HEIGHT - 1) for side in _envelope(wave))
            plot[(rows >= np.rint(high)) & (rows <= np.rint(low))] = colour
    return plot


def _envelope(wave: Wave) -> tuple[Wave, Wave]:
    """Return the lowest and the highest sample of every column, each reaching to its neighbour on the left."""
    starts = np.arange(WIDTH) * len(wave) // WIDTH
    low, high = np.minimum.reduceat(wave, starts), np.maximum.reduceat(wave, starts)
    joined_low, joined_high = low.copy(), high.copy()
    np.minimum(low[1:], high[:-1], out=joined_low[1:])
    np.maximum(high[1:], low[:-1], out=joined_high[1:])
    return joined_low, joined_high


def _draw_spectrum(spectrum: NDArray[np.float32], top: float) -> Canvas:
    share = np.clip((spectrum - (top - _DECIBELS_SHOWN)) / _DECIBELS_SHOWN, 0, 1)
    return _coloured(np.rint(share * 255).astype(np.uint8))


def _coloured(shares: NDArray[np.uint8]) -> Canvas:
    return np.asarray(cv2.applyColorMap(shares, cv2.COLORMAP_INFERNO), np.uint8)


def _left_scales(peak: float, rate: int) -> Cell:
    """Amplitude beside the waveforms, frequency beside the spectrograms."""
    amplitude = axes.beside(_GUTTER, _WAVE_HEIGHT, -peak, peak, "", on_the_left=True)
    frequency = axes.beside(_GUTTER, _SPECTRUM_HEIGHT, 0, rate / 2000, " kHz", on_the_left=True)
    return Cell("", (), (amplitude, frequency))


def _colour_bar(top: float) -> Cell:
    scale = np.linspace(255, 0, _SPECTRUM_HEIGHT).astype(np.uint8)
    bar = _coloured(np.repeat(scale[:, None], _BAR, axis=1))
    numbers = axes.beside(_GUTTER, _SPECTRUM_HEIGHT, top - _DECIBELS_SHOWN, top, " dB", on_the_left=False)
    return Cell("", (), (blank(_WAVE_HEIGHT, 1), np.hstack([bar, numbers])))
