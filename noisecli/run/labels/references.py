"""Names of sources and labels inside of a file: which file each means, and what it becomes."""

import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

_FIRST_LOOKED_AT = 32
_ABSOLUTE = re.compile(r"/|\\|[A-Za-z]:[/\\]")
_SEVERAL = re.compile(r"[\s|,;]")
_SHORT_NUMBER = re.compile(r"\d{1,2}", re.ASCII)


@dataclass
class Names:
    """References that were looked up: what each means, relative to the source folder, and those that mean nothing."""

    found: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    absolute: str | None = None
    """The first that is an absolute path: in a copy it would lead to the source folder, and not to its outputs."""

    @property
    def is_whole(self) -> bool:
        """Whether each of them means a file of this tree."""
        return bool(self.found) and not self.missing and self.absolute is None

    def join(self, other: "Names") -> None:
        """Take in what was found by another look."""
        self.found.update(other.found)
        self.missing += other.missing
        self.absolute = self.absolute or other.absolute


Look = Callable[..., Names]
"""look(references, stems=True): file names, or else names without suffix where those are allowed."""
Swap = Callable[[str, int], str | None]
"""swap(reference, copy from 0): what it becomes; None where there is no such output."""


class Reading(NamedTuple):
    """A side file of a form that is known: what it names, and what writes it with a swap for so many copies."""

    names: Names
    write: Callable[[Swap, int], str]


class Index:
    """Every file that may be named: sources, those left out, side files. By path, by name and by stem."""

    def __init__(self, with_stems: Iterable[str], others: Iterable[str]) -> None:
        self._by_name, self._by_stem = _Table(), _Table()
        for name in with_stems:
            self._by_name.add(name, name)
            self._by_stem.add(os.path.splitext(name)[0], name)
        for name in others:
            self._by_name.add(name, name)

    def look(self, side_file: str, references: Sequence[str], *, stems: bool = True) -> Names:
        """Look up the references of a side file: by file names, or else by stems."""
        names = _look(side_file, references, self._by_name)
        if names.is_whole or not stems:
            return names
        by_stem = _look(side_file, references, self._by_stem)
        # words are stems of files by chance, if only some are
        return by_stem if len(by_stem.found) > max(len(names.found), len(by_stem.missing)) else names


class _Table:
    """Paths, with or without their suffixes, by whole and by their last name."""

    def __init__(self) -> None:
        self._whole: dict[str, str] = {}
        self._by_last: defaultdict[str, list[str]] = defaultdict(list)

    def add(self, key: str, name: str) -> None:
        """Add a file. Of several with one key the first stays: what becomes of a name does not depend on the file."""
        if key not in self._whole:
            self._whole[key] = name
            self._by_last[key.rpartition("/")[2]].append(key)

    def find(self, folder: str, tail: str) -> str | None:
        """Return the file whose path ends in a tail: in the side file's own folder, below SRC, or in any folder."""
        for key in (f"{folder}/{tail}" if folder else tail, tail):
            if key in self._whole:
                return self._whole[key]
        end = f"/{tail}"
        keys = self._by_last.get(tail.rpartition("/")[2], ())
        return next((self._whole[key] for key in keys if key.endswith(end)), None)


def _look(side_file: str, references: Sequence[str], table: _Table) -> Names:
    folder = os.path.dirname(side_file)
    parts = {reference: _parts(folder, reference) for reference in references}
    above = _above(folder, parts.values(), table)
    if above is None:
        return Names(missing=list(parts))
    names = Names()
    for reference, own in parts.items():
        is_below = own[: len(above)] == above
        hit = table.find(folder, "/".join(own[len(above) :])) if is_below and len(own) > len(above) else None
        if hit is None:
            names.missing.append(reference)
            continue
        names.found[reference] = hit
        if names.absolute is None and _ABSOLUTE.match(reference):
            names.absolute = reference
    return names


def _above(folder: str, every: Iterable[list[str]], table: _Table) -> list[str] | None:
    """Return the folders in front of all references that are not below the source folder; None: none is known."""
    for own in islice(every, _FIRST_LOOKED_AT):
        for depth in range(len(own)):
            if depth and _SEVERAL.search(own[depth - 1]):
                # two names in one line
                break
            if table.find(folder, "/".join(own[depth:])) is not None:
                return own[:depth]
    return None


def _parts(folder: str, reference: str) -> list[str]:
    """Return the names in a reference; what climbs out of its own folder is taken relative to the source folder."""
    if "://" in reference:
        return []
    plain = reference.replace("\\", "/") if "/" not in reference else reference
    if plain.startswith("../"):
        plain = os.path.normpath(f"{folder}/{plain}")
    return [part for part in plain.split("/") if part not in ("", ".", "..")]


def is_short_number(reference: str) -> bool:
    """Whether it is more likely a class or a count than the stem of a file."""
    return _SHORT_NUMBER.fullmatch(reference) is not None


def renamed(reference: str, means: str, new_name: str) -> str:
    """Return a reference with the new name of what it means in place of the old one; folders stay."""
    cut = max(reference.rfind("/"), reference.rfind("\\")) + 1
    base = os.path.basename(new_name)
    is_full = reference[cut:] == os.path.basename(means)
    return reference[:cut] + (base if is_full else os.path.splitext(base)[0])
