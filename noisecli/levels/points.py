"""One number with its unit: 25, 10%, 25/255; and ranges of them, 5..50."""

import math
import re

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_POINT = re.compile(rf"\s*({_NUMBER})\s*(%|/\s*{_NUMBER})?\s*\Z", re.ASCII)


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
