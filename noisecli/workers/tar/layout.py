"""Which members the tars of a chunk get, and in which order. Light: the parent compares what is there with it."""

import os
from collections.abc import Container, Iterable, Iterator, Sequence
from typing import NamedTuple

from noisecli.errors import FileFailed
from noisecli.kinds import kinds_of, suffix_of
from noisecli.model import Task
from noisecli.settings import Settings
from noisecli.storage import TarFolder, escape_name, folder_at
from noisecli.storage.tar.names import renamed, split_key, split_tar
from noisecli.tarjob import TarJob


class Entry(NamedTuple):
    """A member to be written."""

    name: str
    source: str
    is_made: bool
    """Whether it is an output; else it is the source's own bytes."""


class Layout:
    """The tars that a chunk's tasks go into.

    Raises FileProblem from the constructor where the tar that they come from cannot be read.

    Attributes
    ----------
    samples
        The files of each sample, in order, relative to the source folder; what is of no sample is by itself.
    tasks
        Those of each source.
    tars
        The tars to be written.
    """

    def __init__(self, settings: Settings, tasks: Sequence[Task]) -> None:
        job = tasks[0].tar
        assert job is not None
        self.job, self._template, self._source = job, settings.template, folder_at(settings.source)
        self._kind = settings.kind
        self.tasks: dict[str, list[Task]] = {}
        self._outputs: dict[tuple[str, str, int], str] = {}
        self._copies: dict[str, dict[tuple[str, int], None]] = {}
        for task in tasks:
            self.tasks.setdefault(task.source, []).append(task)
            for output in task.names:
                tar, member = split_tar(output) or ("", output)
                self._outputs[task.source, tar, task.copy] = member
                self._copies.setdefault(tar, {})[task.level.folder, task.copy] = None
        self.tars = list(self._copies)
        self.samples = [] if job.is_probe else list(self._samples(job))

    def _samples(self, job: TarJob) -> Iterator[list[str]]:
        members: Iterable[str] = job.members
        if not job.members:
            assert isinstance(self._source, TarFolder)
            members = self._source.members(job.name)
            self._refuse_changed(members)
        omitted = frozenset(job.omitted)
        for names in self._grouped(members):
            chosen = [name for name in names if name not in omitted]
            if len(chosen) == len(names) or any(name in self.tasks for name in chosen):
                yield chosen

    def _refuse_changed(self, members: Sequence[str]) -> None:
        """Raise FileFailed where a tar is not the one that was listed: a new image would go along without noise."""
        known = {*self.tasks, *self.job.omitted, *self.job.unnoised}
        is_new = any(
            name not in known and self._kind in kinds_of(suffix_of(name)) and not os.path.basename(name).startswith(".")
            for name in members
        )
        if is_new or not self.tasks.keys() <= set(members):
            raise FileFailed("changed", "changed since it was listed; run again when its writer is done")

    def _grouped(self, members: Iterable[str]) -> Iterator[list[str]]:
        """Yield the members of each sample, and with them what has no key and lies between two of them."""
        key, sample, keyless = "", list[str](), list[str]()
        for name in members:
            own = self._key(name)
            if not own:
                keyless.append(name)
                continue
            if own == key:
                sample += [*keyless, name]
            else:
                yield from filter(None, [sample, *([name] for name in keyless)])
                key, sample = own, [name]
            keyless = []
        yield from filter(None, [sample, *([name] for name in keyless)])

    def _key(self, name: str) -> str:
        return split_key(self._own(name))[0]

    def _own(self, name: str) -> str:
        """Return a file's name as a member."""
        if self.job.members:
            return escape_name(name)
        return escape_name((split_tar(name) or ("", name))[1])

    def entries(self, tar: str, sample: Sequence[str], failed: Container[str] = ()) -> list[Entry]:
        """Return the members of a sample in a tar, all of a copy together; none where one of its sources failed."""
        if any(name in failed for name in sample):
            return []
        return [
            self._entry(tar, name, level, copy)
            for number, (level, copy) in enumerate(self._copies[tar])
            for name in sample
            if number == 0 or self._key(name)
        ]

    def _entry(self, tar: str, name: str, level: str, copy: int) -> Entry:
        output = self._outputs.get((name, tar, copy))
        if output is not None:
            return Entry(output, name, True)
        return Entry(renamed(self._own(name), self._template, None, copy, level), name, False)
