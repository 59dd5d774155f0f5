"""Numbers beside plots."""

from collections.abc import Mapping, Sequence

from noisecli.views.canvas import FAINT, Canvas, blank, ticks
from noisecli.views.text import width_of, write

_SIZE = 12
_TICK = 4
_FEWEST = 5
"""With so many intervals, plots around 0 always have numbers on both sides of it."""
_BELOW = 20
"""Pixels of an axis below a plot."""


def below(width: int, low: float, high: float, unit: str) -> Canvas:
    """Return an axis from left to right; its last number has the unit."""
    axis = blank(_BELOW, width)
    places = {number: (number - low) / ((high - low) or 1) * (width - 1) for number in ticks(low, high, 6)}
    end = -8.0
    for text, place in _labelled(places, unit):
        wide = width_of(text, _SIZE)
        left = min(max(place - wide / 2, 0), width - wide)
        axis[:_TICK, round(place)] = FAINT
        if left >= end + 8:
            write(axis, text, round(left), _BELOW - 4, size=_SIZE, colour=FAINT)
            end = left + wide
    return axis


def beside(
    width: int, height: int, low: float, high: float, unit: str, *, on_the_left: bool, power: float = 1.0
) -> Canvas:
    """Return an axis from bottom to top, on the left or on the right of its plot; the topmost number has the unit.

    `power` 0.5 is for plots whose heights are square roots. Numbers without room are omitted, the lower ones first.
    """
    axis = blank(height, width)
    places = {
        number: (1 - max(0.0, (number - low) / ((high - low) or 1)) ** power) * (height - 1)
        for number in ticks(low, high, max(height // 24, _FEWEST))
    }
    above = -float(_SIZE)
    for text, place in reversed(_labelled(places, unit)):
        if place < above + _SIZE:
            continue
        above = place
        baseline = min(max(round(place + _SIZE * 0.36), _SIZE), height - 3)
        if on_the_left:
            axis[round(place), -_TICK:] = FAINT
            write(axis, text, width - _TICK - 3 - width_of(text, _SIZE), baseline, size=_SIZE, colour=FAINT)
        else:
            axis[round(place), :_TICK] = FAINT
            write(axis, text, _TICK + 3, baseline, size=_SIZE, colour=FAINT)
    return axis


def _labelled(places: Mapping[float, float], unit: str) -> Sequence[tuple[str, float]]:
    numbers = [f"{number:.6g}" for number in places]
    return list(zip([*numbers[:-1], f"{numbers[-1]}{unit}"], places.values(), strict=True)) if numbers else []
