"""The words of a row's `warnings`: a fixed one each, and what it speaks of."""

from collections.abc import Iterable
from typing import Literal, cast

_MOST_THINGS = 12

Warn = Literal[
    "wrong-suffix",
    "trailing-data",
    "decoder-warning",
    "metadata-lost",
    "palette-to-colour",
    "cmyk-to-colour",
    "grey-alpha-to-colour-alpha",
    "transparency-to-alpha",
    "name-not-utf8",
    "not-finite",
    "overshoot",
    "padded",
    "integers-kept",
    "labels-kept",
    "none-chosen",
    "scales-kept",
    "buffers-kept",
    "negative-variance",
    "tied",
    "depth",
    "alpha-assumed",
    "leading-data",
    "unknown-length",
    "wrong-length",
    "channel-layout",
    "lossy-mask",
]
"""The fixed words of a row's `warnings`."""


def warning(word: Warn, what: Iterable[str] = ()) -> str:
    """Return a row's warning: its fixed word, and what it speaks of where there is such: "metadata-lost: exif, icc"."""
    things = sorted(set(what))
    shown = things if len(things) <= _MOST_THINGS else [*things[:_MOST_THINGS], f"{len(things) - _MOST_THINGS} more"]
    return f"{word}: {', '.join(shown)}" if shown else word


def merged(warnings: Iterable[str]) -> list[str]:
    """Return warnings, sorted, those of one word as one."""
    things: dict[str, set[str]] = {}
    for text in warnings:
        word, _, what = text.partition(": ")
        things.setdefault(word, set()).update(filter(None, what.split(", ")))
    return sorted(warning(cast("Warn", word), what) for word, what in things.items())


def word_of(text: str) -> str:
    """Return the fixed word of a row's warning."""
    return text.partition(":")[0]
