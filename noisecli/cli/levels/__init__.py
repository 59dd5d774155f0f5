"""Options of strength: 5,15,25 is a sweep of levels, 0..50 may be cut into so many steps."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import ParamSpec, TypeVar

import click

from noisecli.levels import BadLevel, divisor, ends, parse_level, point
from noisecli.model import Level, Quantity

P = ParamSpec("P")
Result = TypeVar("Result")


def of_an_option(parse: Callable[P, Result]) -> Callable[P, Result]:
    """Turn BadLevel into click's own error of an option."""

    @wraps(parse)
    def parse_option(*args: P.args, **kwargs: P.kwargs) -> Result:
        try:
            return parse(*args, **kwargs)
        except BadLevel as error:
            raise click.BadParameter(str(error)) from None

    return parse_option


@of_an_option
def parse_levels(
    text: str,
    quantity: Quantity,
    unit: float | None,
    *,
    steps: int | None,
    severity_set: str,
    mean: float,
    words: Mapping[str, str] | None = None,
) -> tuple[Level, ...]:
    """Return the sweep that an option's text means, one Level for each subtree.

    Raises click.BadParameter for what is not a level, and for what is surely a slip of units.
    """
    parts = _spread(text, steps) if steps is not None else [part.strip() for part in text.split(",")]
    levels = tuple(parse_level(part, quantity, unit, severity_set, mean, words) for part in parts)
    if unit is not None and quantity in ("std", "var"):
        refuse_slips(text, quantity, unit, max(level.high for level in levels))
    if len({level.canonical for level in levels}) < len(levels):
        raise click.BadParameter(f"{text}: names a level twice")
    return levels


def parse_step(text: str, unit: float | None) -> float:
    """Return one fixed strength as a share of full scale."""
    [first, *others] = parse_levels(text, "std", unit, steps=None, severity_set="imagenet-c", mean=0.0)
    if others or first.low != first.high:
        raise click.BadParameter(f"{text}: one fixed step, such as 1%, 8 or 8/255")
    return first.low


@of_an_option
def parse_share(text: str, unit: float | None) -> float:
    """Return a number with a unit as a share of full scale, or a bare one in the data's own unit."""
    number, written = point(text)
    if written and unit is None:
        raise click.BadParameter(f"{text}: a plain number, in the data's own unit")
    return number / divisor(written, unit or 1.0)


@of_an_option
def parse_limits(text: str, option: str = "--clip") -> tuple[float, float]:
    """Return the two ends of a clip, or of another range that an option names."""
    (low, unit), (high, high_unit) = ends(text)
    if ".." not in text or unit or high_unit:
        raise click.BadParameter(f"{text}: two plain numbers, in the data's own unit: {option} 0..1")
    if low >= high:
        raise click.BadParameter(f"{text}: the lower end comes first")
    return low, high


def _spread(text: str, steps: int) -> list[str]:
    """Evenly spaced points of a range, written in its own unit."""
    if ".." not in text or "," in text:
        raise click.BadParameter("--levels spreads a range: --std 0..50 --levels 6")
    (low, unit), (high, high_unit) = ends(text)
    if unit != high_unit:
        raise click.BadParameter(f"{text}: both ends of a range need the same unit")
    if steps < 2:
        raise click.BadParameter("--levels must be 2 or more")
    return [f"{low + (high - low) * step / (steps - 1):.9g}{unit}" for step in range(steps)]


def refuse_slips(text: str, quantity: Quantity, unit: float, share: float) -> None:
    """0.1 for images, 25 for audio files: the right number in another tool's unit. `share` is the highest asked for."""
    if "%" in text or "/" in text:
        return
    highest = share * unit ** (2 if quantity == "var" else 1)
    if unit > 1 and 0 < highest < 1:
        full = 255 if quantity == "std" else 65025
        raise click.BadParameter(
            f"{text}: levels of images without a unit are grey levels of 0..255; "
            f"write {highest * 100:g}% for a share of full scale, or {highest:g}/{full} if you mean it"
        )
    if unit == 1 and highest > 1:
        raise click.BadParameter(
            f"{text}: levels of audio files without a unit are amplitudes with full scale 1; "
            f"write {highest:g}% or {highest:g}/32768, or use --snr-db"
        )
