"""Sources x levels x copies -> tasks. What cannot end well is refused here, before any work."""

from __future__ import annotations

import itertools
import os
import string
from collections.abc import Iterator

from noisecli.codecs import FORMATS, format_of
from noisecli.errors import Refused
from noisecli.model import Level, Task
from noisecli.noise.keys import stream_key
from noisecli.run.manifest import Names
from noisecli.run.settings import Settings
from noisecli.run.walk import Walk
from noisecli.storage import escape_name

SURVIVAL_SAMPLE = 16
_FIELDS = {"stem", "ext", "copy", "level"}


class Plan:
    """Names and orders every output of a request.

    Raises Refused from the constructor: nothing to do, a template that cannot tell outputs apart, two sources for one
    output.
    """

    def __init__(self, settings: Settings, found: Walk) -> None:
        self._settings, self._found = settings, found
        self._levels = settings.noise.levels
        self._copies = range(1, settings.noise.copies + 1)
        self._template = settings.output.name or ("{stem}{ext}" if len(self._copies) == 1 else "{stem}-{copy}{ext}")
        _check_template(self._template, len(self._copies))
        if not found.sources and not found.problems:
            raise Refused(_nothing_found(settings, found))
        self._refuse_collisions()

    def __len__(self) -> int:
        return len(self._found.sources) * len(self._levels) * len(self._copies)

    def tasks(self) -> Iterator[Task]:
        """Yield all tasks in plan order: by source, level, copy. Sources that are gone by now have size 0."""
        sampled = 0
        root = self._settings.source
        for source in self._found.sources:
            size = _size(os.path.join(root, source))
            sample = self._is_lossy(source)
            for level in self._levels:
                for copy in self._copies:
                    measured = sample and sampled < SURVIVAL_SAMPLE
                    sampled += measured
                    yield self._task(source, level, copy, size, measured)

    def _task(self, source: str, level: Level, copy: int, size: int, measured: bool) -> Task:
        below = self._below(level)
        name = self.output_name(source, level, copy)
        clean = f"{below}clean/{name}" if self._settings.output.with_clean else None
        noisy = f"{below}noisy/{name}" if self._settings.output.with_clean else below + name
        key = stream_key(self._settings.noise.seed, os.fsencode(source), level.canonical, copy)
        return Task(source, noisy, clean, level, copy, key, size, measured)

    def _below(self, level: Level) -> str:
        return f"{level.folder}/" if len(self._levels) > 1 else ""

    def output_name(self, source: str, level: Level, copy: int) -> str:
        """Return where an output goes inside its tree."""
        folder, base = os.path.split(escape_name(source))
        stem, suffix = os.path.splitext(base)
        suffix = self._suffix(suffix)
        name = self._template.format(stem=stem, ext=suffix, copy=copy, level=level.folder)
        return f"{folder}/{name}" if folder else name

    def sidecar_names(self, sidecar: str, stems: frozenset[str]) -> Iterator[str]:
        """Yield where a side file goes: into each tree, under the names of the picture or sound it stands beside."""
        folder, base = os.path.split(escape_name(sidecar))
        stem, suffix = os.path.splitext(base)
        beside = os.path.splitext(sidecar)[0] in stems
        for level in self._levels:
            names = [base]
            if beside:
                fields = [{"stem": stem, "ext": suffix, "copy": c, "level": level.folder} for c in self._copies]
                names = list(dict.fromkeys(self._template.format(**values) for values in fields))
            trees = ("clean/", "noisy/") if self._settings.output.with_clean else ("",)
            for tree in trees:
                yield from (os.path.join(self._below(level) + tree, folder, name) for name in names)

    def sidecars(self) -> Iterator[tuple[str, str]]:
        """Yield (side file, where a copy of it goes)."""
        stems = frozenset(os.path.splitext(source)[0] for source in self._found.sources)
        for sidecar in self._found.sidecars:
            for name in self.sidecar_names(sidecar, stems):
                yield sidecar, name

    def input_bytes(self) -> int:
        """Return the bytes of all sources together."""
        return sum(_size(os.path.join(self._settings.source, source)) for source in self._found.sources)

    def refuse_names(self, names: Names) -> None:
        """Refuse side files and outputs that would take the place of the manifest and what goes with it."""
        reserved = set(names)
        carried = self.sidecars() if self._settings.output.sidecars != "skip" else iter(())
        outputs = ((source, self.output_name(source, self._levels[0], 1)) for source in self._found.sources)
        for source, name in itertools.chain(outputs, carried):
            if name in reserved:
                raise Refused(
                    f"{escape_name(source)}: would become {name}, noisecli's own file; use --manifest or --exclude"
                )

    def _suffix(self, suffix: str) -> str:
        wanted = self._settings.output.encoding.format
        return f".{wanted}" if wanted else suffix

    def _is_lossy(self, source: str) -> bool:
        form = format_of(self._suffix(os.path.splitext(source)[1]))
        return form is not None and form.lossy

    def _refuse_collisions(self) -> None:
        """Two sources, or a side file and a source, that would meet in one output."""
        taken: dict[str, str] = {}
        plain = self._settings.output.name is None
        # the default templates keep copies of one source apart from all others'
        copies = self._copies[:1] if plain else self._copies
        pairs = ((self.output_name(s, self._levels[0], c), s) for s in self._found.sources for c in copies)
        for name, source in pairs:
            if name in taken:
                raise Refused(_collision(taken[name], source, name))
            taken[name] = source
        if self._settings.output.sidecars == "skip":
            return
        outputs = {task.output for task in self.tasks()} | {task.clean_output for task in self.tasks()}
        carried: dict[str, str] = {}
        for sidecar, name in self.sidecars():
            if name in outputs or name in carried:
                raise Refused(_collision(sidecar, carried.get(name) or taken.get(name, "another source"), name))
            carried[name] = sidecar


def _check_template(template: str, copies: int) -> None:
    try:
        fields = [name for _, name, _, _ in string.Formatter().parse(template) if name is not None]
        template.format(stem="", ext="", copy=1, level="")
    except (ValueError, IndexError, KeyError, AttributeError) as error:
        raise Refused(f"--name {template}: {error}; the fields are {{stem}} {{ext}} {{copy}} {{level}}") from error
    if "/" in template or not set(fields) <= _FIELDS:
        raise Refused(f"--name {template}: no slash, and no other fields than {{stem}} {{ext}} {{copy}} {{level}}")
    if "stem" not in fields or "ext" not in fields or (copies > 1 and "copy" not in fields):
        needed = "{stem}, {ext}" + (" and {copy}" if copies > 1 else "")
        raise Refused(f"--name {template}: needs {needed}, or outputs would meet in one name")


def _collision(first: str, second: str, output: str) -> str:
    return (
        f"{escape_name(first)} and {escape_name(second)} would both become {output}; rename one, leave one out with "
        "--exclude, or keep the formats apart"
    )


def _nothing_found(settings: Settings, found: Walk) -> str:
    word = {"images": "pictures", "audio": "sounds"}
    others = ", ".join(f"{n} {word[kind]}: noisecli {kind}" for kind, n in found.other_kinds.items())
    left = f" ({found.not_chosen} left out by --include or --limit)" if found.not_chosen else ""
    known = " ".join(suffix for suffix, form in FORMATS.items() if form.kind == settings.kind)
    hint = f"it holds {others}" if others else f"known are {known}"
    return f"{escape_name(settings.source)}: no {word[settings.kind]} there{left}; {hint}"


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0
