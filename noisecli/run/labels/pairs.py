"""Which side file belongs to which source: by its name beside it, or by the same name in a parallel folder.

A parallel folder is one whose path differs from that of the sources in one place, by two folder names at most:
`labels/train` and `images/train`, `Annotations` and `JPEGImages`, `annotations/xmls` and `images`.
"""

import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

_REST = re.compile(r"(?:\.[A-Za-z][\w-]*)+")
"""What a label may have behind its source's stem: .txt, .normalized.txt, .jpg.json."""
_WIDEST = 2
_NEVER = {
    ".py",
    ".yaml",
    ".yml",
    ".names",
    ".data",
    ".md",
    ".rst",
    ".sh",
    ".cfg",
    ".toml",
    ".ini",
    ".ipynb",
    ".html",
    ".log",
}
"""Suffixes that no label has: what describes a data set may have the name of one of its files by chance."""
_NO_LABELS = {"classes", "labels", "names", "readme", "license", "notes", "data"}


class Pair(NamedTuple):
    """A side file, and the source that it belongs to: its name is that of the source, or its stem, and a rest."""

    source: str
    rest: str
    has_full_name: bool
    """Whether the name begins with the whole of the source's: a.jpg.json."""


@dataclass
class Pairs:
    """Side files by what they belong to."""

    found: dict[str, Pair] = field(default_factory=dict)
    left_out: set[str] = field(default_factory=set)
    """Those of sources that were not chosen."""
    ambiguous: dict[str, list[str]] = field(default_factory=dict)
    """Those that several parallel folders have a source for, and two of the sources."""
    without_source: list[str] = field(default_factory=list)
    """Those in a folder where most files of their suffix have one."""
    without_label: list[str] = field(default_factory=list)
    """Sources in a folder where most have a label."""


def pair(side_files: Sequence[str], sources: Sequence[str], not_chosen: Iterable[str] = ()) -> Pairs:
    """Pair side files with sources, by relative paths alone."""
    known = _Known(sources, not_chosen)
    pairs = Pairs()
    apart: defaultdict[str, list[str]] = defaultdict(list)
    for name in side_files:
        if os.path.splitext(name)[1].lower() in _NEVER:
            continue
        folder = os.path.dirname(name)
        beside = ((known.at(folder, head), head, rest) for head, rest in _splits(name))
        match = next(((hit, head, rest) for hit, head, rest in beside if hit is not None), None)
        if match is None:
            apart[folder].append(name)
        else:
            _add(pairs, known, name, *match)
    for folder, names in apart.items():
        parallel = _parallel(known, folder, names)
        for name in names if folder else _of_labels(known, parallel, names):
            hits = [(hit, head, rest) for head, rest in _splits(name) for hit in islice(known.among(parallel, head), 2)]
            if len({os.path.dirname(hit) for hit, _, _ in hits}) > 1:
                pairs.ambiguous[name] = sorted({hit for hit, _, _ in hits})
            elif hits:
                _add(pairs, known, name, *hits[0])
    _count_what_is_alone(pairs, side_files, sources)
    return pairs


class _Known:
    """Sources, and dataset files that were not chosen, by folder and by name with and without suffix."""

    def __init__(self, sources: Iterable[str], not_chosen: Iterable[str]) -> None:
        self._at: dict[tuple[str, str], str] = {}
        self._folders: defaultdict[str, list[str]] = defaultdict(list)
        self._by_shape: defaultdict[tuple[str, str, int], dict[str, None]] = defaultdict(dict)
        self.sources = set(sources)
        names = (*sources, *not_chosen)
        self.sizes = Counter(map(os.path.dirname, {os.path.splitext(name)[0] for name in names}))
        for name in names:
            folder, base = os.path.split(name)
            for key in (base, os.path.splitext(base)[0]):
                if (folder, key) not in self._at:
                    self._at[folder, key] = name
                    self._folders[key].append(folder)
        for folder in dict.fromkeys(folder for folder, _ in self._at):
            for width, outside in _shapes(folder):
                self._by_shape[(*outside, width)][folder] = None

    def at(self, folder: str, key: str) -> str | None:
        """Return what has this name or stem in a folder."""
        return self._at.get((folder, key))

    def among(self, folders: dict[str, None], key: str) -> Iterator[str]:
        """Yield what has this name or stem in any of the folders, in an order that is always the same."""
        holding = self._folders.get(key, ())
        few = (f for f in holding if f in folders) if len(holding) < len(folders) else iter(folders)
        yield from (hit for folder in few if (hit := self._at.get((folder, key))) is not None)

    def near(self, folder: str, distance: int) -> dict[str, None]:
        """Return the folders that differ from one in one place, by so many names in all."""
        return dict.fromkeys(
            other
            for width, outside in _shapes(folder)
            if 0 <= distance - width <= _WIDEST
            for other in self._by_shape.get((*outside, distance - width), ())
            if other != folder
        )


def _shapes(folder: str) -> Iterator[tuple[int, tuple[str, str]]]:
    """Yield what is left of a path without the names in one place: how many those are, what is before and behind."""
    parts = folder.split("/") if folder else []
    for width in range(min(_WIDEST, len(parts)) + 1):
        for start in range(len(parts) - width + 1):
            yield width, ("/".join(parts[:start]), "/".join(parts[start + width :]))


def _parallel(known: _Known, folder: str, names: list[str]) -> dict[str, None]:
    """Return the nearest folders that have sources for side files of one folder."""
    for distance in range(1, 2 * _WIDEST + 1):
        near = known.near(folder, distance)
        heads = (head for name in names for head, _ in _splits(name))
        if near and any(next(known.among(near, head), None) for head in heads):
            return near
    return {}


def _of_labels(known: _Known, parallel: dict[str, None], names: list[str]) -> list[str]:
    """Return the files at SRC's root that are labels: of their suffix most have a source, and most sources have one.

    Of the others, as train.csv, one has the name of a source by chance.
    """
    by_suffix: defaultdict[str, dict[str, str | None]] = defaultdict(dict)
    for name in names:
        hits = (hit for head, _ in _splits(name) for hit in islice(known.among(parallel, head), 1))
        by_suffix[os.path.splitext(name)[1]][name] = next(hits, None)
    labels: list[str] = []
    for hit_of in by_suffix.values():
        paired = {name: hit for name, hit in hit_of.items() if hit is not None}
        places = {os.path.dirname(hit) for hit in paired.values()}
        if 2 * len(paired) > max(len(hit_of), sum(known.sizes[place] for place in places)):
            labels += paired
    return labels


def _splits(name: str) -> Iterator[tuple[str, str]]:
    """Yield a file's name cut before each of its suffixes, the last one first."""
    base = os.path.basename(name)
    stem, suffix = os.path.splitext(base)
    yield stem, suffix
    while (found := os.path.splitext(stem))[1]:
        stem, suffix = found[0], found[1] + suffix
        if not _REST.fullmatch(suffix):
            return
        yield stem, suffix


def _add(pairs: Pairs, known: _Known, name: str, hit: str, head: str, rest: str) -> None:
    if hit in known.sources:
        pairs.found[name] = Pair(hit, rest, has_full_name=os.path.basename(hit) == head)
    else:
        pairs.left_out.add(name)


def _count_what_is_alone(pairs: Pairs, side_files: Iterable[str], sources: Sequence[str]) -> None:
    """Fill in the labels without a source and the sources without a label, where most have one."""
    labelled: defaultdict[tuple[str, str, str], set[str]] = defaultdict(set)
    groups: defaultdict[tuple[str, str], list[list[str]]] = defaultdict(lambda: [[], []])
    for name in side_files:
        folder, base = os.path.split(name)
        stem, suffix = os.path.splitext(base)
        found = pairs.found.get(name)
        if found is not None:
            labelled[os.path.dirname(found.source), folder, suffix].add(found.source)
            groups[folder, suffix][0].append(name)
        elif name not in pairs.ambiguous and name not in pairs.left_out and stem.lower() not in _NO_LABELS:
            groups[folder, suffix][1].append(name)
    for paired, alone in groups.values():
        if len(paired) > len(alone):
            pairs.without_source += alone
    inside: defaultdict[str, list[str]] = defaultdict(list)
    for source in sources:
        inside[os.path.dirname(source)].append(source)
    alone_too: set[str] = set()
    for (folder, _, _), having in labelled.items():
        if 2 * len(having) > len(inside[folder]):
            alone_too.update(source for source in inside[folder] if source not in having)
    pairs.without_source.sort()
    pairs.without_label = sorted(alone_too)
