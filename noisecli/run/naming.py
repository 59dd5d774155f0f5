"""Where each output goes: the mirrored tree, its subtrees, and the names in it."""

import os
import re
import string
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from noisecli.errors import Refused
from noisecli.kinds import KINDS, split_suffix
from noisecli.model import Level
from noisecli.settings import Settings
from noisecli.storage import escape_name, file_at, is_tar_location
from noisecli.storage.tar.names import renamed, split_tar

LONGEST_NAME = 255
"""Bytes in the name of a file, on all file systems that matter."""
_FIELDS = {"stem", "ext", "copy", "level"}
_KNOWN = "the fields are {stem} {ext} {copy} {level}"
_ZEROS = re.compile(r"0?[1-9]d?\Z", re.ASCII)


class Named(NamedTuple):
    """One output of a source, and the files beside it."""

    level: Level
    copy: int
    output: str
    clean: str | None = None
    std_map: str | None = None

    @property
    def names(self) -> list[str]:
        """All of its files."""
        return [name for name in (self.output, self.clean, self.std_map) if name]


class Naming:
    """Names outputs and side files of a request. Raises Refused for a template that cannot tell outputs apart.

    `mirrors` says whether every output has its source's own name, so that no two can meet. `packed` says, where outputs
    go into tars, into which, by source.
    """

    def __init__(self, settings: Settings, packed: Mapping[str, str] | None = None) -> None:
        levels, output = settings.noise.levels, settings.output
        self._copies = range(1, settings.noise.copies + 1)
        self._subtrees = [(level, f"{level.folder}/" if len(levels) > 1 else "") for level in levels]
        self._with_clean, self.has_maps = output.with_clean, output.with_std_map
        self._map_suffix = KINDS[settings.kind].std_map
        self._suffix = f".{output.encoding.format}" if output.encoding.format else None
        self._template = settings.template
        _check_template(self._template, len(self._copies))
        self._packed, self._in_tar = packed or {}, is_tar_location(settings.destination)
        self.mirrors = self._template == "{stem}{ext}" and self._suffix is None and not self._packed
        self.copies_stay_apart = output.name is None

    def outputs(self, source: str) -> Iterator[Named]:
        """Yield everything made of a source, in plan order."""
        for level, below in self._subtrees:
            for copy in self._copies:
                name = self.name(source, level, copy)
                clean = f"{below}clean/{name}" if self._with_clean else None
                std_map = f"{below}{self.map_name(name)}" if self.has_maps else None
                noisy = "noisy/" if clean or std_map else ""
                yield Named(level, copy, f"{below}{noisy}{name}", clean, std_map)

    def names(self, source: str) -> Iterator[str]:
        """Yield the names inside one tree that could meet another source's; default templates keep copies apart."""
        copies = self._copies[:1] if self.copies_stay_apart else self._copies
        for copy in copies:
            name = self.name(source, self._subtrees[0][0], copy)
            if not self.copies_stay_apart and (why := _unfit(os.path.basename(name))):
                raise Refused(f"{escape_name(source)}: --name {self._template} makes {name}, {why}; choose another")
            yield name

    def map_name(self, name: str) -> str:
        """Return the name of the map beside an output, which has this name inside its tree."""
        return f"std-map/{split_suffix(name)[0]}{self._map_suffix}"

    def name(self, source: str, level: Level, copy: int) -> str:
        """Return an output's name inside its tree."""
        escaped = escape_name(source)
        if self._packed:
            escaped = f"{self._packed[source]}/{escaped}"
        return escaped if self.mirrors else self._renamed(escaped, level, copy, self._suffix)

    def _renamed(self, path: str, level: Level, copy: int, suffix: str | None) -> str:
        if self._in_tar:
            tar, member = split_tar(path) or ("", path)
            return f"{tar}/{renamed(member, self._template, suffix, copy, level.folder)}"
        folder, base = os.path.split(path)
        stem, own_suffix = split_suffix(base)
        name = self._template.format(stem=stem, ext=suffix or own_suffix, copy=copy, level=level.folder)
        return f"{folder}/{name}" if folder else name

    def suffix(self, source: str) -> str:
        """Return the suffix of what is made of a source."""
        return self._suffix or os.path.splitext(source)[1]

    def trees(self) -> Iterator[tuple[Level, str]]:
        """Yield the trees that outputs and side files go into, as what is in front of their names."""
        trees = ["clean/"] * self._with_clean + ["noisy/"] * (self._with_clean or self.has_maps)
        for level, below in self._subtrees:
            yield from ((level, below + tree) for tree in trees or [""])

    @property
    def suffix_is_last(self) -> bool:
        """Whether outputs end in their suffix: else no label can be beside one by its stem."""
        return self._template.endswith("{ext}")

    @property
    def copies(self) -> int:
        """How many copies are made of each source."""
        return len(self._copies)

    def outputs_of(self, source: str, level: Level) -> list[str]:
        """Return the names of all copies of a source, inside a tree."""
        return [self.name(source, level, copy) for copy in self._copies]

    def labels_of(self, label: str, source: str, rest: str, level: Level, *, full: bool) -> list[str]:
        """Return the names of a label beside each copy: that of the source, with suffix where `full`, and a rest."""
        folder = escape_name(os.path.dirname(label))
        if full:
            names = [os.path.basename(output) + escape_name(rest) for output in self.outputs_of(source, level)]
        else:
            stem = escape_name(os.path.basename(label)).removesuffix(escape_name(rest))
            # in front of the last suffix a label has all that its source's output has
            front, last = self._template.removesuffix("{ext}"), escape_name(rest)
            inner, end = (
                (last, "") if front == self._template else (self._suffix or split_suffix(escape_name(source))[1], last)
            )
            names = [front.format(stem=stem, ext=inner, copy=copy, level=level.folder) + end for copy in self._copies]
        return [f"{folder}/{name}" if folder else name for name in names]


def options_that_rename(copies: int, name: str | None, form: str | None) -> str:
    """Return the options that give outputs other names, in words."""
    said = [f"--copies {copies}"] if copies > 1 else []
    said += [f"--name {name}"] if name is not None else []
    said += [f"--format {form}"] if form is not None else []
    return " ".join(said)


def _unfit(name: str) -> str | None:
    """Why no file can have the name that a template made of a source's, or nobody would see it."""
    if len(os.fsencode(name)) > LONGEST_NAME:
        return f"longer than {LONGEST_NAME} bytes"
    return "which is hidden" if name.startswith(".") else None


def refuse_existing(path: str, *, force: bool, way_out: str = "choose another name, or add --force") -> None:
    """Refuse a file named for output that already exists, unless forced, and in any case what is no file."""
    folder, name = file_at(path)
    if folder.has(name, follow=True) and not folder.is_file(name):
        raise Refused(f"{escape_name(path)}: is no regular file, and nothing else is replaced; choose another name")
    if folder.has(name) and not force:
        raise Refused(f"{escape_name(path)}: already exists; {way_out}")


def _check_template(template: str, copies: int) -> None:
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as error:
        raise Refused(f"--name {template}: {error}; {_KNOWN}") from error
    fields = [field for _, field, _, _ in parts if field is not None]
    for _, field, form, conversion in parts:
        if field is not None and (field not in _FIELDS or conversion or not _is_form(field, form or "")):
            raise Refused(f"--name {template}: {_KNOWN}, and no other; {{copy:03}} has leading zeros")
    if "/" in template or not template.isprintable():
        raise Refused(f"--name {template}: a file name, without slashes and control characters")
    if "stem" not in fields or "ext" not in fields or (copies > 1 and "copy" not in fields):
        needed = "{stem}, {ext}" + (" and {copy}" if copies > 1 else "")
        raise Refused(f"--name {template}: needs {needed}, or outputs would meet in one name")
    shortest = template.format(stem="a", ext=".b", copy=1, level="std-1")
    if shortest.startswith("."):
        raise Refused(f"--name {template}: names that begin with a dot are hidden, and the next run would not see them")
    if len(os.fsencode(shortest)) > LONGEST_NAME:
        raise Refused(f"--name {template}: is too long; names have {LONGEST_NAME} bytes at most")


def _is_form(field: str, form: str) -> bool:
    return not form or (field == "copy" and _ZEROS.match(form) is not None)
