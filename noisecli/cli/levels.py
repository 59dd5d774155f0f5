"""The level grammar: 25, 10%, 25/255, 5..50, 5,15,25, and 0..50 in so many steps."""

from __future__ import annotations

import math
import re
from typing import Literal

import click

from noisecli.model import Kind, Level

Quantity = Literal["std", "var", "snr_db", "severity"]

SEVERITIES = {
    # Hendrycks and Dietterich (2019), ImageNet-C and CIFAR-10-C, gaussian_noise: std as a share of full scale
    "imagenet-c": (0.0, 0.08, 0.12, 0.18, 0.26, 0.38),
    "cifar-c": (0.0, 0.04, 0.06, 0.08, 0.09, 0.10),
}
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_POINT = re.compile(rf"\s*({_NUMBER})\s*(%|/\s*{_NUMBER})?\s*\Z", re.ASCII)
_LARGEST_DB = 1000
_LARGEST_SHARE = 1e6
_BARE_UNIT = {"images": 255.0, "audio": 1.0, "arrays": 1.0, "weights": 1.0, "latents": 1.0, "adversarial": 255.0}
_OWN_UNIT = ("arrays", "weights", "latents")
"""Kinds without a full scale: bare numbers are in the data's own unit, % is a share of an array's own std."""


def parse_levels(
    text: str, quantity: Quantity, kind: Kind, *, steps: int | None, severity_set: str, mean: float
) -> tuple[Level, ...]:
    """Return the sweep that an option's text stands for, one Level for each subtree.

    Raises click.BadParameter for what is no level, and for what is surely a slip of units.
    """
    parts = _spread(text, steps) if steps is not None else [part.strip() for part in text.split(",")]
    levels = tuple(_level(part, quantity, kind, severity_set, mean) for part in parts)
    if quantity in ("std", "var"):
        _refuse_slips(text, quantity, kind, levels)
    if len({level.canonical for level in levels}) < len(levels):
        raise click.BadParameter(f"{text}: names a level twice")
    return levels


def parse_step(text: str, kind: Kind) -> float:
    """Return one fixed strength as a share of full scale."""
    [first, *others] = parse_levels(text, "std", kind, steps=None, severity_set="", mean=0.0)
    if others or first.low != first.high:
        raise click.BadParameter(f"{text}: one fixed step, such as 1%, 8 or 8/255")
    return first.low


def parse_share(text: str, kind: Kind) -> float:
    """Return a number with a unit as a share of full scale, or a bare one in the data's own unit."""
    number, unit = _point(text)
    if unit and kind in _OWN_UNIT:
        raise click.BadParameter(f"{text}: a plain number, in the data's own unit")
    return number / _divisor(unit, _BARE_UNIT[kind])


def parse_limits(text: str, option: str = "--clip") -> tuple[float, float]:
    """Return the two ends of a clip, or of another range that an option names."""
    (low, unit), (high, high_unit) = _ends(text)
    if ".." not in text or unit or high_unit:
        raise click.BadParameter(f"{text}: two plain numbers, in the data's own unit: {option} 0..1")
    if low >= high:
        raise click.BadParameter(f"{text}: the lower end comes first")
    return low, high


def _point(text: str) -> tuple[float, str]:
    match = _POINT.match(text)
    if match is None:
        raise click.BadParameter(f"{text!r} is no level; write 25, 10%, 25/255, 5..50 or 5,15,25")
    number, unit = float(match[1]), (match[2] or "").replace(" ", "")
    if not math.isfinite(number) or (unit.startswith("/") and float(unit[1:]) <= 0):
        raise click.BadParameter(f"{text!r} is no finite level")
    return number, unit


def _divisor(unit: str, bare: float) -> float:
    if unit == "%":
        return 100.0
    return float(unit[1:]) if unit else bare


def _ends(text: str) -> tuple[tuple[float, str], tuple[float, str]]:
    low, dots, high = text.partition("..")
    last = _point(high if dots else low)
    first = _point(low)
    # 5..50% means 5%..50%
    return (first[0], first[1] or last[1]), last


def _spread(text: str, steps: int) -> list[str]:
    """Evenly spaced points of a range, written in its own unit."""
    if ".." not in text or "," in text:
        raise click.BadParameter("--levels spreads a range: --std 0..50 --levels 6")
    (low, unit), (high, high_unit) = _ends(text)
    if unit != high_unit:
        raise click.BadParameter(f"{text}: both ends of a range need the same unit")
    if steps < 2:
        raise click.BadParameter("--levels must be 2 or more")
    return [f"{low + (high - low) * step / (steps - 1):.9g}{unit}" for step in range(steps)]


def _level(text: str, quantity: Quantity, kind: Kind, severity_set: str, mean: float) -> Level:
    first, last = _ends(text)
    plain = "..".join(f"{number:.9g}{unit}" for number, unit in ((first, last) if ".." in text else (last,)))
    if quantity == "severity":
        return _severity(plain, first, last, SEVERITIES[severity_set], mean)
    if quantity == "snr_db":
        if first[1] or last[1]:
            raise click.BadParameter(f"{text}: decibels take no unit")
        low, high = first[0], last[0]
        if max(abs(low), abs(high)) > _LARGEST_DB:
            raise click.BadParameter(f"{text}: decibels end at {_LARGEST_DB}, on both sides")
    elif kind in _OWN_UNIT:
        return _own_level(plain, quantity, first, last, mean)
    else:
        bare = _BARE_UNIT[kind] ** (2 if quantity == "var" else 1)
        low, high = first[0] / _divisor(first[1], bare), last[0] / _divisor(last[1], bare)
        if low < 0:
            raise click.BadParameter(f"{text}: noise cannot be less than none")
        if high > _LARGEST_SHARE:
            raise click.BadParameter(f"{text}: is more than a million times full scale")
    if low > high:
        raise click.BadParameter(f"{text}: the lower end comes first")
    return Level(quantity, low, high, plain, mean)


def _own_level(text: str, quantity: Quantity, first: tuple[float, str], last: tuple[float, str], mean: float) -> Level:
    """Return a level in the data's own unit, or relative to each array's own std (of its variance, for var)."""
    if first[1] != last[1] or last[1] not in ("", "%"):
        raise click.BadParameter(f"{text}: arrays have no full scale; write 0.5 in their own unit, or 5% of their std")
    scale = 100.0 if last[1] else 1.0
    low, high = first[0] / scale, last[0] / scale
    if low < 0:
        raise click.BadParameter(f"{text}: noise cannot be less than none")
    if low > high:
        raise click.BadParameter(f"{text}: the lower end comes first")
    return Level(quantity, low, high, text, mean, relative=bool(last[1]))


def _severity(
    text: str, first: tuple[float, str], last: tuple[float, str], stds: tuple[float, ...], mean: float
) -> Level:
    low, high = first[0], last[0]
    if first[1] or last[1] or not (low.is_integer() and high.is_integer() and 0 <= low <= high <= 5):
        raise click.BadParameter(f"{text}: severities are whole numbers from 0 to 5")
    chosen = stds[int(low) : int(high) + 1]
    return Level("severity", chosen[0], chosen[-1], text, mean, chosen if len(chosen) > 1 else ())


def _refuse_slips(text: str, quantity: Quantity, kind: Kind, levels: tuple[Level, ...]) -> None:
    """0.1 for pictures, 25 for sounds: the right number in another tool's unit."""
    if "%" in text or "/" in text:
        return
    highest = max(level.high for level in levels) * _BARE_UNIT[kind] ** (2 if quantity == "var" else 1)
    if kind in ("images", "adversarial") and 0 < highest < 1:
        full = 255 if quantity == "std" else 65025
        raise click.BadParameter(
            f"{text}: bare levels of pictures are grey levels of 0..255; "
            f"write {highest * 100:g}% for a share of full scale, or {highest:g}/{full} if you mean it"
        )
    if kind == "audio" and highest > 1:
        raise click.BadParameter(
            f"{text}: bare levels of sounds are amplitudes with full scale 1; "
            f"write {highest:g}% or {highest:g}/32768, or use --snr-db"
        )
