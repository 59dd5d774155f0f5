"""The noise that a row records, read again: somebody may have edited it."""

import sys
from typing import Any, NamedTuple

from noisecli.errors import shown
from noisecli.noise.draw import Draw
from noisecli.noise.models import MODELS, noise_of_row

Row = dict[str, Any]


class RecordedNoise(NamedTuple):
    """The std and mean of each array, and the share of its own std where that was asked for."""

    draws: dict[str, Draw]
    std_fraction: float | None


def draw_of(entry: Row, noise: object = None) -> Draw:
    """Return the noise of an output or an array. Raises KeyError or ValueError where its entry does not say.

    What rounding left nothing of was added all the same. `noise` is the word of an array's row, which its entry lacks.
    """
    std, mean = _number(entry["std"]), _number(entry["mean"])
    if std < 0:
        raise ValueError(f"std {std}")
    word = entry["noise"] if noise is None else noise
    if word not in MODELS:
        raise ValueError(f"noise {shown(word)}")
    own = noise_of_row({**entry, "noise": word})
    shared = entry.get("shared_channels")
    if shared is not None and not isinstance(shared, bool):
        raise ValueError(f"shared_channels {shown(shared)}")
    return Draw(bool(std or mean) or not own.is_none, std, mean, own, shared)


def arrays_of(row: Row) -> list[Row] | None:
    """Return what a row says of each of its arrays; None where that is not a list of named arrays."""
    entries = row.get("parts")
    if not isinstance(entries, list):
        return None
    sound = all(isinstance(entry, dict) and isinstance(entry.get("name"), str) for entry in entries)
    return entries if sound else None


def noise_of(row: Row) -> RecordedNoise:
    """Return the noise of a file of arrays. Raises KeyError or ValueError where its row does not say."""
    entries = arrays_of(row)
    if entries is None:
        raise ValueError("parts that are no list of arrays")
    draws = {entry["name"]: draw_of(entry, row["noise"]) for entry in entries}
    share = row["std_fraction"]
    return RecordedNoise(draws, None if share is None else _number(share))


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= sys.float_info.max:
        raise ValueError(f"{shown(value)} is not a number")
    return float(value)
