"""One level as text: 25, 10%, 25/255, 5..50. Rows of a manifest hold levels in these words too."""

import math
import re
from dataclasses import replace
from typing import cast, get_args

from noisecli.model import Level, Quantity

SEVERITIES = {
    # Hendrycks and Dietterich (2019), ImageNet-C and CIFAR-10-C, gaussian_noise: std as a share of full scale
    "imagenet-c": (0.0, 0.08, 0.12, 0.18, 0.26, 0.38),
    "cifar-c": (0.0, 0.04, 0.06, 0.08, 0.09, 0.10),
}
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_POINT = re.compile(rf"\s*({_NUMBER})\s*(%|/\s*{_NUMBER})?\s*\Z", re.ASCII)
_LARGEST_DB = 1000
_LARGEST_SHARE = 1e6


class BadLevel(ValueError):
    """A text that is not a level; its message says why, and what to write."""


def point(text: str) -> tuple[float, str]:
    """Return a number and its unit: "", "%" or "/255". Raises BadLevel."""
    match = _POINT.match(text)
    if match is None:
        raise BadLevel(f"{text!r} is not a level; write 25, 10%, 25/255, 5..50 or 5,15,25")
    number, unit = float(match[1]), (match[2] or "").replace(" ", "")
    if not math.isfinite(number) or (unit.startswith("/") and float(unit[1:]) <= 0):
        raise BadLevel(f"{text!r} is not a finite level")
    return number, unit


def divisor(unit: str, bare: float) -> float:
    """Return what a number of a unit is divided by to be a share of full scale; `bare` where it has none."""
    if unit == "%":
        return 100.0
    return float(unit[1:]) if unit else bare


def ends(text: str) -> tuple[tuple[float, str], tuple[float, str]]:
    """Return both ends of a range, the same twice for a single number. Raises BadLevel."""
    low, dots, high = text.partition("..")
    last = point(high if dots else low)
    first = point(low)
    # 5..50% means 5%..50%
    return (first[0], first[1] or last[1]), last


def parse_level(text: str, quantity: Quantity, unit: float | None, severity_set: str, mean: float) -> Level:
    """Return the level that a number or a range stands for. Raises BadLevel.

    Parameters
    ----------
    unit
        Full scale in the unit of a number without one; None: there is no full scale, see noisecli.kinds.Kind.bare_unit.
    """
    level = _strength(text, quantity, unit, severity_set, mean)
    # by the words that a row has, not by more digits than they have
    (low, low_unit), (high, high_unit) = ends(level.text)
    if low_unit != high_unit:
        bare = (unit or 1.0) ** (2 if quantity == "var" else 1)
        low *= divisor(high_unit, bare) / divisor(low_unit, bare)
    return replace(level, written=(low, high))


def parse_label(label: str, unit: float | None, severity_set: str = "imagenet-c") -> Level:
    """Return the level that a row names, see Level.label. Raises BadLevel. It does not say whose severities are."""
    quantity, _, text = label.partition("=")
    if quantity not in get_args(Quantity):
        raise BadLevel(f"{label!r} is not a level")
    return parse_level(text, cast(Quantity, quantity), unit, severity_set, 0.0)


def _strength(text: str, quantity: Quantity, unit: float | None, severity_set: str, mean: float) -> Level:
    first, last = ends(text)
    plain = "..".join(f"{number:.9g}{written}" for number, written in ((first, last) if ".." in text else (last,)))
    if quantity == "severity":
        return _severity(plain, first, last, SEVERITIES[severity_set], mean)
    if quantity == "snr_db":
        if first[1] or last[1]:
            raise BadLevel(f"{text}: decibels take no unit")
        low, high = first[0], last[0]
        if max(abs(low), abs(high)) > _LARGEST_DB:
            raise BadLevel(f"{text}: decibels end at {_LARGEST_DB}, on both sides")
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
