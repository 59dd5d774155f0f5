"""Make the little sounds of sample_data: plucked strings and sung vowels.

A sound is a float array of shape (frames,) or (frames, 2), peak 0.7 of full scale, so there is room for noise above it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Sound = NDArray[np.float64]

PEAK = 0.7
SEMITONES = {"C": -9, "D": -7, "E": -5, "F": -4, "G": -2, "A": 0, "B": 2}
FORMANTS = {
    "a": ((730, 90), (1090, 110), (2440, 170)),
    "e": ((530, 70), (1840, 110), (2480, 170)),
    "i": ((270, 60), (2290, 120), (3010, 180)),
    "o": ((570, 80), (840, 90), (2410, 170)),
    "u": ((300, 60), (870, 90), (2240, 170)),
}


def pitch(note: str) -> float:
    """Frequency in Hz of a note such as `A4` (440)."""
    return float(440 * 2 ** ((SEMITONES[note[0]] + 12 * (int(note[1:]) - 4)) / 12))


def pluck(frequency: float, seconds: float, rate: int, seed: int) -> Sound:
    """A plucked string after Karplus and Strong (1983): a burst of noise, averaged each time it comes round."""
    period = round(rate / frequency - 0.5)  # averaging neighbours delays by half a frame
    wave = np.random.default_rng(seed).random(period) * 2 - 1
    wave -= wave.mean()
    periods = [wave]
    for _ in range(int(seconds * rate) // period):
        wave = 0.996 * (0.5 * wave + 0.5 * np.roll(wave, 1))
        periods.append(wave)
    string = np.concatenate(periods)[: int(seconds * rate)]
    ending = min(string.size, rate // 20)
    string[-ending:] *= np.linspace(1, 0, ending)
    return string


def melody(notes: Sequence[str], seconds: float, rate: int) -> Sound:
    """Notes one after the other, each ringing on into the next two."""
    total = np.zeros(int(seconds * rate))
    step = seconds / (len(notes) + 1)
    for number, note in enumerate(notes):
        string = pluck(pitch(note), min(3 * step, seconds - number * step), rate, seed=number)
        start = int(number * step * rate)
        total[start : start + string.size] += string[: total.size - start]
    return normalise(total)


def guitar(notes: Sequence[str], seconds: float, rate: int) -> Sound:
    """The same melody in stereo: the right ear hears it a little later and duller."""
    left = melody(notes, seconds, rate)
    delay = rate // 80
    right = np.concatenate([np.zeros(delay), left[:-delay]])
    right = np.convolve(right, [0.25, 0.5, 0.25], mode="same")
    return np.stack([left, 0.8 * right], axis=-1)


def sing(vowels: str, pitches: Sequence[float], seconds: float, rate: int) -> Sound:
    """Vowels gliding into one another: the harmonics of a voice, weighted by the resonances of a mouth."""
    time = np.arange(int(seconds * rate)) / rate
    place = time / seconds
    fundamental = np.interp(place, np.linspace(0, 1, len(pitches)), pitches)
    fundamental *= 1 + 0.012 * np.sin(2 * np.pi * 5.5 * time)
    phase = 2 * np.pi * np.cumsum(fundamental) / rate
    voice = np.zeros_like(time)
    for harmonic in range(1, int(0.45 * rate / fundamental.max())):
        strength = resonance(harmonic * fundamental, vowels, place) / harmonic**1.1
        voice += strength * np.sin(harmonic * phase)
    breath = 0.004 * (np.random.default_rng(len(vowels)).random(time.size) - 0.5) * np.abs(voice).max()
    return normalise((voice + breath) * np.clip(12 * np.minimum(place, 1 - place), 0, 1))


def resonance(frequency: Sound, vowels: str, place: Sound) -> Sound:
    """How much the mouth lets through at each moment; the formants slide from vowel to vowel."""
    moments = np.linspace(0.1, 0.9, len(vowels))
    total = np.zeros_like(frequency)
    for number, weight in enumerate((1.0, 0.6, 0.3)):
        centre = np.interp(place, moments, [FORMANTS[vowel][number][0] for vowel in vowels])
        width = np.interp(place, moments, [FORMANTS[vowel][number][1] for vowel in vowels])
        total += weight / (1 + ((frequency - centre) / width) ** 2)
    return total


def duet(vowels: str, low: Sequence[float], high: Sequence[float], seconds: float, rate: int) -> Sound:
    """Two voices in stereo, one nearer to each ear."""
    first, second = sing(vowels, low, seconds, rate), sing(vowels, high, seconds, rate)
    return normalise(np.stack([first + 0.4 * second, 0.4 * first + second], axis=-1))


def normalise(sound: Sound) -> Sound:
    """Scale to the common peak."""
    loudest = float(np.abs(sound).max())
    return sound * (PEAK / loudest)
