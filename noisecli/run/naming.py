"""Where each output goes: the mirrored tree, its subtrees, and the names in it."""

from __future__ import annotations

import os
import string
from collections.abc import Iterator

from noisecli.codecs import split_suffix
from noisecli.errors import Refused
from noisecli.model import Level
from noisecli.run.settings import Settings
from noisecli.storage import escape_name

_FIELDS = {"stem", "ext", "copy", "level"}


class Naming:
    """Names outputs and side files of a request. Raises Refused for a template that cannot tell outputs apart.

    Attributes
    ----------
    mirrors
        Whether every output has its source's own name, so that no two can meet.
    """

    def __init__(self, settings: Settings) -> None:
        levels, output = settings.noise.levels, settings.output
        self._copies = range(1, settings.noise.copies + 1)
        self._subtrees = [(level, f"{level.folder}/" if len(levels) > 1 else "") for level in levels]
        self._with_clean = output.with_clean
        self._suffix = f".{output.encoding.format}" if output.encoding.format else None
        usual = "{stem}{ext}" if len(self._copies) == 1 else "{stem}-{copy}{ext}"
        self._template = usual if output.name is None else output.name
        _check_template(self._template, len(self._copies))
        self.mirrors = self._template == "{stem}{ext}" and self._suffix is None
        self.copies_stay_apart = output.name is None

    def outputs(self, source: str) -> Iterator[tuple[Level, int, str, str | None]]:
        """Yield level, copy, output and clean output for everything made of a source, in plan order."""
        for level, below in self._subtrees:
            for copy in self._copies:
                name = self.name(source, level, copy)
                if self._with_clean:
                    yield level, copy, f"{below}noisy/{name}", f"{below}clean/{name}"
                else:
                    yield level, copy, below + name, None

    def names(self, source: str) -> Iterator[str]:
        """Yield the names inside one tree that could meet another source's; default templates keep copies apart."""
        copies = self._copies[:1] if self.copies_stay_apart else self._copies
        return (self.name(source, self._subtrees[0][0], copy) for copy in copies)

    def name(self, source: str, level: Level, copy: int) -> str:
        """Return an output's name inside its tree."""
        escaped = escape_name(source)
        return escaped if self.mirrors else self._renamed(escaped, level, copy, self._suffix)

    def _renamed(self, path: str, level: Level, copy: int, suffix: str | None) -> str:
        folder, base = os.path.split(path)
        stem, own_suffix = split_suffix(base)
        name = self._template.format(stem=stem, ext=suffix or own_suffix, copy=copy, level=level.folder)
        return f"{folder}/{name}" if folder else name

    def suffix(self, source: str) -> str:
        """Return the suffix of what is made of a source."""
        return self._suffix or os.path.splitext(source)[1]

    def sidecars(self, sidecar: str, stems: frozenset[str]) -> Iterator[str]:
        """Yield where a side file goes: into each tree, under the names of the picture or sound it stands beside."""
        escaped = escape_name(sidecar)
        beside = os.path.splitext(sidecar)[0] in stems
        trees = ("clean/", "noisy/") if self._with_clean else ("",)
        for level, below in self._subtrees:
            names = [escaped]
            if beside:
                names = list(dict.fromkeys(self._renamed(escaped, level, copy, None) for copy in self._copies))
            yield from (below + tree + name for tree in trees for name in names)


def _check_template(template: str, copies: int) -> None:
    try:
        fields = [name for _, name, _, _ in string.Formatter().parse(template) if name is not None]
        template.format(stem="", ext="", copy=1, level="")
    except (ValueError, IndexError, KeyError, AttributeError) as error:
        raise Refused(f"--name {template}: {error}; the fields are {{stem}} {{ext}} {{copy}} {{level}}") from error
    if not template.isprintable():
        raise Refused("--name: has bytes that are no text; the fields are {stem} {ext} {copy} {level}")
    if "/" in template or not set(fields) <= _FIELDS:
        raise Refused(f"--name {template}: no slash, and no other fields than {{stem}} {{ext}} {{copy}} {{level}}")
    if "stem" not in fields or "ext" not in fields or (copies > 1 and "copy" not in fields):
        needed = "{stem}, {ext}" + (" and {copy}" if copies > 1 else "")
        raise Refused(f"--name {template}: needs {needed}, or outputs would meet in one name")
