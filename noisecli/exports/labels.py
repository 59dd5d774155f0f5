"""What an export says of a file beside its path: its class and split, whether it has noise, and how much was drawn."""

import re
from typing import NamedTuple

from noisecli.manifest.entries import Row
from noisecli.manifest.finished import FinishedRun

_SPLIT = re.compile(
    r"(?:^|[-._ 0-9])(?:train|training|validation|valid|val|dev|test|testing|eval|evaluation)(?:[-._ 0-9]|$)"
)
"""Folders that stand for a part of a dataset, not for a class, by the words that Hugging Face datasets knows them."""


def part_of(row: Row) -> tuple[str, list[str]]:
    """Return the folders of a source: those down to the one that names a split, joined, and those below it."""
    folders = str(row.get("source") or "").split("/")[:-1]
    for number, folder in enumerate(folders, 1):
        if _SPLIT.search(folder.lower()):
            return "/".join(folders[:number]), folders[number:]
    return "", folders


def class_of(row: Row) -> str | None:
    """Return the folder that a source lies in: the class, where folders are classes; None where there is none."""
    below = part_of(row)[1]
    return below[-1] if below else None


def is_noisy(row: Row) -> bool:
    """Whether an output is not what its source is: an adversarial one has a step of eps, with noise or without."""
    return bool(row.get("applied", True) or row.get("eps"))


class Said(NamedTuple):
    """What at least one row of a run says: where none does, a column is left out.

    Attributes
    ----------
    classes
        Whether a source lies in a folder that is a class.
    levels
        Whether outputs have different levels: in a sweep, or drawn from a range.
    drawn
        Whether a level was drawn from a range.
    both
        Whether the run was asked for outputs with noise and for outputs without: a sweep with a level of none, as
        --std 0,25, or a range with one, as --severity 0..5.
    """

    classes: bool
    levels: bool
    drawn: bool
    both: bool

    @property
    def level_columns(self) -> list[str]:
        """The names of a row's level in words, and as a number where numbers were drawn."""
        return ["level", *["drawn"] * self.drawn]


def said_in(run: FinishedRun) -> Said:
    """Read what the rows of a run say."""
    classes = drawn = drawn_none = False
    noisy: dict[str, bool] = {}
    for row in run.parsed():
        level, changed = str(row.get("level")), is_noisy(row)
        classes = classes or class_of(row) is not None
        drawn = drawn or row.get("drawn") is not None
        drawn_none = drawn_none or (row.get("drawn") == 0 and not changed)
        noisy[level] = noisy.get(level, False) or changed
    return Said(classes, drawn or len(noisy) > 1, drawn, drawn_none or len({*noisy.values()}) == 2)
