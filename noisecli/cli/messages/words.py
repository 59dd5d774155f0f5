"""Numbers of things in words."""

import math

_SIZES = ("bytes", "kB", "MB", "GB", "TB")


def count(number: int, noun: str) -> str:
    """Return a number of things in words."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def decibels(value: float) -> str:
    """Return a ratio in dB, never -0.0."""
    return f"{round(value, 1) + 0.0:.1f} dB"


def figure(value: float) -> str:
    """Return a number with three digits that count: 24.4, 0.0102, 1,230."""
    if value == 0 or not 1e-4 <= abs(value) < 1e9:
        return f"{value:.3g}"
    value = float(f"{value:.3g}")
    return f"{value:,.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"


def size(number: int) -> str:
    """Return a number of bytes: 1 byte, 812 kB, 37 MB."""
    if number < 1000:
        return count(number, "byte")
    # what would round to 1,000 is 1 of the next
    step = min(math.floor(math.log(number * 1.0005, 1000)), len(_SIZES) - 1)
    value = number / 1000**step
    return f"{value:,.{1 if value < 9.95 else 0}f} {_SIZES[step]}"


def duration(seconds: float) -> str:
    """Return a time: 0.04 s, 2.1 s, 42 s, 3 min 20 s, 2 h 5 min."""
    if seconds < 9.95:
        return f"{max(seconds, 0.01):.{2 if seconds < 0.1 else 1}f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60:,} h {minutes % 60} min"
