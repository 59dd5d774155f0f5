"""Sources x levels x copies -> tasks. What cannot end well is refused here, before any work."""

import itertools
import os
from collections.abc import Iterable, Iterator
from functools import cached_property

from noisecli.errors import Refused
from noisecli.keys import stream_key
from noisecli.kinds import KINDS, format_of
from noisecli.manifest.destination import Names, runs_in
from noisecli.model import SideFile, Task
from noisecli.run.labels import Labels, forms
from noisecli.run.naming import Named, Naming, options_that_rename
from noisecli.run.sources import Listing
from noisecli.run.tars import tars_of
from noisecli.settings import Settings
from noisecli.shards import is_of_shards, split_manifest
from noisecli.storage import Folder, escape_name, folder_at

SURVIVAL_SAMPLE = 16


class Plan:
    """Names and orders every output of a request.

    Raises Refused from the constructor: nothing to do, two sources for one output.
    """

    def __init__(self, settings: Settings, found: Listing) -> None:
        self._settings, self._found = settings, found
        self.tars = tars_of(settings, found)
        self.naming = Naming(settings, None if self.tars is None else self.tars.packed)
        if not found.sources and not found.problems and not found.masks:
            raise Refused(_nothing_found(settings, found))
        self._refuse_collisions()

    def __len__(self) -> int:
        return self.count(self._found.sources) * len(self._settings.noise.levels) * self._settings.noise.copies

    def is_own(self, source: str) -> bool:
        """Whether a file of the source folder is this run's to make or report: of a shard, its part."""
        shard = self._settings.choice.shard
        whole = source if self.tars is None else self.tars.unit_of(source)
        return shard is None or shard.has_name(escape_name(whole))

    def count(self, files: Iterable[str]) -> int:
        """Count those that are this run's own."""
        return sum(map(self.is_own, files))

    def tasks(self) -> Iterator[Task]:
        """Yield the run's tasks in plan order: by source, level, copy. Sources that are gone by now have size 0.

        Which outputs are measured, all sources decide, in a shard too.
        """
        sampled = 0
        seed, folder = self._settings.noise.seed, self._found.folder
        canonical = {level: level.canonical for level in self._settings.noise.levels}
        for source in self._found.sources:
            sample = sampled < SURVIVAL_SAMPLE and self._may_lose(source)
            if not self.is_own(source):
                sampled += sample * len(self._settings.noise.levels) * self._settings.noise.copies
                continue
            size = _size(folder, source)
            path = os.fsencode(source)
            for level, copy, output, clean, std_map in self.naming.outputs(source):
                key = stream_key(seed, path, canonical[level], copy)
                measured = sample and sampled < SURVIVAL_SAMPLE
                sampled += measured
                task = Task(source, output, clean, level, copy, key, size, measured)
                yield task if std_map is None else task._replace(std_map_output=std_map)

    def outputs(self, *, own: bool = False) -> Iterator[str]:
        """Yield the names of all outputs and of what is beside them; `own` as for named()."""
        for named in self.named(own=own):
            yield from named.names

    def named(self, *, own: bool = False) -> Iterator[Named]:
        """Yield all outputs; of a shard's `own` alone, or of the whole run."""
        for source in self._found.sources:
            if not own or self.is_own(source):
                yield from self.naming.outputs(source)

    @cached_property
    def labels(self) -> Labels:
        """What becomes of side files; they are looked into where their names are not enough."""
        settings, output = self._settings, self._settings.output
        options = options_that_rename(settings.noise.copies, output.name, output.encoding.format)
        return Labels(self.naming, self._found, self._read, options, KINDS[settings.kind])

    def _read(self, name: str, longest: int | None) -> bytes | None:
        with folder_at(self._settings.source).open(name) as file:
            if longest is not None:
                return os.pread(file.fileno(), longest, 0)
            return file.read() if file.size <= forms.LONGEST else None

    def sidecars(self, *, own: bool = False) -> Iterator[SideFile]:
        """Yield all side files, where they are carried at all; `own` as for outputs()."""
        if self._settings.output.sidecars != "skip":
            yield from (side for side in self.labels.files() if not own or self.is_own(side.source))

    def refuse_names(self, names: Names) -> None:
        """Refuse side files and outputs that would take the place of the manifest and what goes with it."""
        others = {name for run in runs_in(self._settings.destination) for name in run}
        # what a dataset of Hugging Face's brings along may have that name too
        whole, shard = split_manifest(names.manifest)
        reserved = {*names, *Names.of(whole), *(others - {"metadata.jsonl"})}
        outputs = ((name, name) for name in self.outputs())
        sidecars = ((side.source, side.name) for side in self.sidecars())
        for source, name in itertools.chain(outputs, sidecars):
            first = name.partition("/")[0]
            if first in reserved or (shard is not None and is_of_shards(first)):
                words = f"would become {name}, noisecli's own file; use --manifest or --exclude"
                raise Refused(f"{escape_name(source)}: {words}")

    def _may_lose(self, source: str) -> bool:
        form = format_of(self.naming.suffix(source))
        return form is not None and (form.lossy or form.partly)

    def _refuse_collisions(self) -> None:
        """Two sources, or a side file and a source, that would meet in one output."""
        sources = self._found.sources
        if not self.naming.mirrors or any(not source.isascii() for source in sources):
            _refuse_meetings((source, name) for source in sources for name in self.naming.names(source))
        if self.naming.has_maps:
            map_name = self.naming.map_name
            _refuse_meetings((source, map_name(name)) for source in sources for name in self.naming.names(source))
        if self._settings.output.sidecars != "skip":
            outputs = dict.fromkeys(self.outputs(), "another source")
            for side in self.sidecars():
                if side.name in outputs:
                    raise Refused(_collision(side.source, outputs[side.name], side.name))
                outputs[side.name] = side.source


def refuse_nesting(settings: Settings) -> None:
    """Outputs inside the source would be sources of the next run; a source inside DST may be written over."""
    source, destination = folder_at(settings.source), folder_at(settings.destination)
    whole_folder = settings.choice.names is None
    if source.is_same(destination) or (whole_folder and source.contains(destination)):
        raise Refused(
            f"{escape_name(settings.destination)}: lies inside the source folder {escape_name(settings.source)}; "
            "choose a folder outside of it"
        )
    if whole_folder and destination.contains(source):
        raise Refused(
            f"{escape_name(settings.source)}: lies inside the destination {escape_name(settings.destination)}, whose "
            "outputs may take its files' places; choose another folder for them"
        )


def refuse_followed(settings: Settings, found: Listing) -> None:
    """Refuse the same of folders outside of the source that symbolic links lead to."""
    destination = folder_at(settings.destination)
    for path in sorted(found.followed | found.linked):
        folder = folder_at(path)
        if path in found.followed and folder.contains(destination):
            raise Refused(
                f"{escape_name(settings.destination)}: lies inside {escape_name(path)}, which a symbolic link of the "
                "source folder leads to; choose a folder outside of it"
            )
        if destination.contains(folder):
            raise Refused(
                f"{escape_name(path)}: lies inside the destination {escape_name(settings.destination)}, and a symbolic "
                "link of the source folder leads there; choose another folder for the outputs"
            )


def _collision(first: str, second: str, output: str) -> str:
    return (
        f"{escape_name(first)} and {escape_name(second)} would both become {output}; rename one, leave one out with "
        "--exclude, or keep the formats apart"
    )


def _refuse_meetings(named: Iterable[tuple[str, str]]) -> None:
    """Refuse a name that two sources have, or one that is the folder of another."""
    taken: dict[str, str] = {}
    for source, name in named:
        if name in taken:
            raise Refused(_collision(taken[name], source, name))
        taken[name] = source
    _refuse_files_as_folders(taken)


def _refuse_files_as_folders(taken: dict[str, str]) -> None:
    """With another suffix, a file may get the name of a folder beside it."""
    for folder in {os.path.dirname(name) for name in taken}:
        while folder and folder not in taken:
            folder = os.path.dirname(folder)  # noqa: PLW2901
        if folder:
            raise Refused(
                f"{escape_name(taken[folder])}: would become {folder}, the folder of other outputs; rename one, or "
                "leave one out with --exclude"
            )


def _nothing_found(settings: Settings, found: Listing) -> str:
    kind = KINDS[settings.kind]
    others = ", ".join(f"{KINDS[other].counted(n)}: noisecli {other}" for other, n in found.other_kinds.items())
    left = f" ({found.not_chosen} left out by --include or --limit)" if found.not_chosen else ""
    hint = f"it holds {others}" if others else f"known are {' '.join(kind.formats)}"
    return f"{escape_name(settings.source)}: no {kind.nouns} there{left}; {hint}"


def _size(folder: Folder, source: str) -> int:
    try:
        found = folder.look(source, follow=True)
    except OSError:
        return 0
    return 0 if found is None else found.st_size
