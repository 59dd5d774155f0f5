"""One level as text: 25, 10%, 25/255, 5..50. Rows of a manifest hold levels in these words too."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import cast, get_args

from noisecli.levels.noises import CORRUPTIONS, parse_noise, split_label
from noisecli.levels.points import BadLevel, divisor, ends, point
from noisecli.model import Level, Quantity

__all__ = ["SEVERITIES", "BadLevel", "divisor", "ends", "parse_label", "parse_level", "point"]

SEVERITIES = {
    # Hendrycks and Dietterich (2019), ImageNet-C and CIFAR-10-C, gaussian_noise: std as a share of full scale
    "imagenet-c": (0.0, 0.08, 0.12, 0.18, 0.26, 0.38),
    "cifar-c": (0.0, 0.04, 0.06, 0.08, 0.09, 0.10),
    # Shah, M. A. et al. (2024), Speech Robust Bench: the SNR in dB of noise from the environment
    "srb": (math.inf, 40.0, 30.0, 20.0, 10.0, 0.0),
}
_RATIOS = ("srb",)
"""Those that are signal-to-noise ratios in dB."""
_LARGEST_DB = 1000
_LARGEST_SHARE = 1e6


def parse_level(
    text: str,
    quantity: Quantity,
    unit: float | None,
    severity_set: str,
    mean: float,
    words: Mapping[str, str] | None = None,
) -> Level:
    """Return the level that a number or a range stands for. Raises BadLevel.

    Parameters
    ----------
    text
        Empty where words alone say how strong.
    unit
        Full scale in the unit of a number without one; None: there is no full scale, see noisecli.kinds.Kind.bare_unit.
    words
        Which noise, where it is not white Gaussian: see noisecli.levels.noises.
    """
    asked, spelled = parse_noise(words or {}, unit)
    if not text and asked is not None:
        return Level("std", 0.0, 0.0, "", mean, asked=asked, words=spelled)
    severities = CORRUPTIONS[(words or {}).get("corruption", "gaussian")].severities or SEVERITIES[severity_set]
    level = _strength(text, quantity, unit, severities, mean)
    if quantity == "severity" and severity_set in _RATIOS:
        level = _as_ratios(level)
    # by the words that a row has, not by more digits than they have
    (low, low_unit), (high, high_unit) = ends(level.text)
    if low_unit != high_unit:
        bare = (unit or 1.0) ** (2 if quantity == "var" else 1)
        low *= divisor(high_unit, bare) / divisor(low_unit, bare)
    return replace(level, written=(low, high), asked=asked, words=spelled)


def parse_label(label: str, unit: float | None, severity_set: str = "imagenet-c") -> Level:
    """Return the level that a row names, see Level.label. Raises BadLevel. It does not say whose severities are."""
    strength, words = split_label(label)
    quantity, _, text = (strength or "std=").partition("=")
    if quantity not in get_args(Quantity) or (strength and not text):
        raise BadLevel(f"{label!r} is not a level")
    return parse_level(text, cast(Quantity, quantity), unit, severity_set, 0.0, words)


def _strength(text: str, quantity: Quantity, unit: float | None, severities: tuple[float, ...], mean: float) -> Level:
    first, last = ends(text)
    plain = "..".join(f"{number:.9g}{written}" for number, written in ((first, last) if ".." in text else (last,)))
    if quantity == "severity":
        return _severity(plain, first, last, severities, mean)
    if quantity in ("snr_db", "level_dbfs"):
        if first[1] or last[1]:
            raise BadLevel(f"{text}: decibels take no unit")
        low, high = first[0], last[0]
        if max(abs(low), abs(high)) > _LARGEST_DB:
            raise BadLevel(f"{text}: decibels end at {_LARGEST_DB}, on both sides")
        if quantity == "level_dbfs" and high > 0:
            raise BadLevel(f"{text}: full scale is 0 dBFS, and levels are below; write {-abs(high):g}")
    elif unit is None:
        return _own_level(plain, quantity, first, last, mean)
    else:
        bare = unit ** (2 if quantity == "var" else 1)
        low, high = first[0] / divisor(first[1], bare), last[0] / divisor(last[1], bare)
        if low < 0:
            raise BadLevel(f"{text}: noise cannot be less than none")
        if high > _LARGEST_SHARE:
            raise BadLevel(f"{text}: is more than a million times full scale")
    if low > high:
        raise BadLevel(f"{text}: the lower end comes first")
    return Level(quantity, low, high, plain, mean)


def _own_level(text: str, quantity: Quantity, first: tuple[float, str], last: tuple[float, str], mean: float) -> Level:
    """Return a level in the data's own unit, or relative to each array's own std (of its variance, for var)."""
    if first[1] != last[1] or last[1] not in ("", "%"):
        raise BadLevel(f"{text}: arrays have no full scale; write 0.5 in their own unit, or 5% of their std")
    scale = 100.0 if last[1] else 1.0
    low, high = first[0] / scale, last[0] / scale
    if low < 0:
        raise BadLevel(f"{text}: noise cannot be less than none")
    if low > high:
        raise BadLevel(f"{text}: the lower end comes first")
    return Level(quantity, low, high, text, mean, relative=bool(last[1]))


def _severity(
    text: str, first: tuple[float, str], last: tuple[float, str], stds: tuple[float, ...], mean: float
) -> Level:
    low, high = first[0], last[0]
    if first[1] or last[1] or not (low.is_integer() and high.is_integer() and 0 <= low <= high <= 5):
        raise BadLevel(f"{text}: severities are whole numbers from 0 to 5")
    chosen = stds[int(low) : int(high) + 1]
    return Level("severity", chosen[0], chosen[-1], text, mean, chosen if len(chosen) > 1 else ())


def _as_ratios(level: Level) -> Level:
    """Return severities that are signal-to-noise ratios in dB; one of 0 is no noise, and needs no signal."""
    is_none = level.low == level.high == math.inf
    return replace(level, low=0.0, high=0.0) if is_none else replace(level, ratios=True)
