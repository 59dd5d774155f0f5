"""Classes and splits, as the folders of a source name them."""

import re

from noisecli.manifest.entries import Row

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


def class_of(row: Row) -> str:
    """Return the folder that a source lies in: the class, where folders are classes; empty where there is none."""
    below = part_of(row)[1]
    return below[-1] if below else ""
