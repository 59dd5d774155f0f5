"""Noises beside white Gaussian as words: shot=0.01, speckle=0.1..0.3, camera=sidd, corruption=shot, linear, color=pink.

A row names what was asked for in these words, behind the strength and in the order of WORDS.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple, cast, get_args

from noisecli.levels.points import BadLevel, divisor, ends, point
from noisecli.model import AskedNoise
from noisecli.noise.models.coloured import COLORS, STEEPEST, Coloured
from noisecli.noise.models.impulse import SEVERITIES as AMOUNTS
from noisecli.noise.models.impulse import Impulse
from noisecli.noise.models.poisson import SEVERITIES as PHOTONS
from noisecli.noise.models.poisson import Poisson
from noisecli.noise.models.signal_dependent import LARGEST, Camera, OfCamera, Spans, SpeckleOnly

WORDS = ("shot", "speckle", "channel_std", "camera", "corruption", "linear", "color", "slope")
_FLAGS = ("linear",)
_MOST_CHANNELS = 1024


class Corruption(NamedTuple):
    """A noise of ImageNet-C: what is asked for, None for white Gaussian noise, and its published strengths."""

    asked: AskedNoise | None
    severities: tuple[float, ...]


CORRUPTIONS = {
    "gaussian": Corruption(None, ()),
    "shot": Corruption(Poisson(), PHOTONS),
    "impulse": Corruption(Impulse(), AMOUNTS),
    "speckle": Corruption(SpeckleOnly(), SpeckleOnly.SEVERITIES),
}
CAMERAS: tuple[str, ...] = get_args(Camera)


class AskedWords(NamedTuple):
    """A noise, and the words that rows have for it."""

    asked: AskedNoise | None
    words: tuple[str, ...]


def split_label(label: str) -> tuple[str, dict[str, str]]:
    """Return a label's strength, as "std=25" or nothing, and the words of its noise. Raises BadLevel."""
    first, *rest = label.split(",")
    is_noise = first.partition("=")[0] in WORDS
    named = [word.partition("=") for word in ([first, *rest] if is_noise else rest)]
    found = {name: text for name, _, text in named}
    wrong = [name for name, equals, _ in named if name not in WORDS or bool(equals) == (name in _FLAGS)]
    if wrong or len(found) < len(named):
        raise BadLevel(f"{label!r} is not a level")
    return "" if is_noise else first, found


def parse_noise(words: Mapping[str, str], unit: float | None) -> AskedWords:
    """Return the noise that words ask for.

    Parameters
    ----------
    words
        By their names, those of WORDS; a flag has an empty text.
    unit
        Full scale in the unit of a number without one; None: there is no full scale.

    Raises
    ------
    BadLevel
        For what is no number, or out of its range, and for words that say different things.
    """
    linear = "linear" in words
    if "corruption" in words:
        return _corruption(words)
    if "camera" in words:
        if words.keys() - {"camera", "linear"} or words["camera"] not in CAMERAS:
            raise BadLevel(f"camera {words['camera']!r}: alone, one of {', '.join(CAMERAS)}")
        return AskedWords(OfCamera(cast(Camera, words["camera"]), linear), _spelled(words))
    if words.keys() & {"color", "slope"}:
        return _coloured(words)
    if not words:
        return AskedWords(None, ())
    shot, shot_text = _span("shot", words.get("shot"))
    speckle, speckle_text = _span("speckle", words.get("speckle"))
    stds, stds_text = _channel_stds(words.get("channel_std"), unit)
    if 0 == shot[0] < shot[1]:
        raise BadLevel(f"shot {shot_text}: a range is uniform in the logarithm, and starts above 0")
    texts = {"shot": shot_text, "speckle": speckle_text, "channel_std": stds_text}
    return AskedWords(Spans(shot, speckle, linear, stds), _spelled({name: texts.get(name, "") for name in words}))


def _spelled(words: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(name if name in _FLAGS else f"{name}={words[name]}" for name in WORDS if name in words)


def _corruption(words: Mapping[str, str]) -> AskedWords:
    name = words["corruption"]
    if name not in CORRUPTIONS or len(words) > 1:
        raise BadLevel(f"corruption {name!r}: alone, one of {', '.join(CORRUPTIONS)}")
    asked = CORRUPTIONS[name].asked
    return AskedWords(asked, () if asked is None else _spelled(words))


def _coloured(words: Mapping[str, str]) -> AskedWords:
    [name, *others] = words
    if others or words.get("color", "pink") not in COLORS:
        raise BadLevel(f"{name} {words[name]!r}: alone, a slope or one of {', '.join(COLORS)}")
    if name == "color":
        return AskedWords(COLORS[words[name]], _spelled(words))
    slope, unit = point(words[name])
    if unit or not 0 < abs(slope) <= STEEPEST:
        raise BadLevel(f"{words[name]}: a slope is up to {STEEPEST:g} dB an octave, up or down; white noise has none")
    return AskedWords(Coloured(slope), _spelled({name: f"{slope:.9g}"}))


def _span(name: str, text: str | None) -> tuple[tuple[float, float], str]:
    """Return both ends of a share, and how it is spelled."""
    if text is None:
        return (0.0, 0.0), ""
    first, last = ends(text)
    low, high = (number / divisor(unit, 1.0) for number, unit in (first, last))
    if not 0 <= low <= high <= LARGEST or not math.isfinite(high):
        raise BadLevel(f"{name} {text}: from 0 to {LARGEST:g}, the lower end first")
    written = [f"{number:.9g}{unit}" for number, unit in ((first, last) if ".." in text else (last,))]
    return (low, high), "..".join(written)


def _channel_stds(text: str | None, unit: float | None) -> tuple[tuple[float, ...], str]:
    """Return a std for each channel as shares of full scale, and how they are spelled."""
    if text is None:
        return (), ""
    points = [point(part) for part in text.split(":")]
    stds = tuple(number / divisor(written, unit or 1.0) for number, written in points)
    if len(stds) > _MOST_CHANNELS or not all(0 <= std <= LARGEST for std in stds):
        raise BadLevel(f"{text}: noise cannot be less than none, or more than a million times full scale")
    return stds, ":".join(f"{number:.9g}{written}" for number, written in points)
