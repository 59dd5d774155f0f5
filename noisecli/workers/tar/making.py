"""One chunk -> its tars. A sample that fails is left out with its labels; the tar is there whole, or not at all."""

import contextlib
import os
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from noisecli.errors import FileFailed, FileProblem, FileSkipped
from noisecli.kinds import KINDS, beginnings, kinds_of, suffix_of
from noisecli.model import Made, Outcome, Problem, Task
from noisecli.settings import Settings
from noisecli.storage import Folder, SourceFile, TarFolder, escape_name, folder_at
from noisecli.storage.permissions import Status
from noisecli.storage.tar.writer import TarWriter
from noisecli.workers.output import held
from noisecli.workers.problems import problem_of
from noisecli.workers.tar.layout import Layout

DoSource = Callable[[list[Task]], Iterable[Outcome]]


class TarMaking:
    """Makes the tars of chunks, in one worker process; see noisecli.workers.worker.Making."""

    def __init__(
        self, settings: Settings, prefix: str, announce: Callable[[str, str], None], do_source: DoSource
    ) -> None:
        self._settings, self._prefix, self._announce, self._do_source = settings, prefix, announce, do_source

    def work(self, tasks: Sequence[Task]) -> list[Outcome]:
        """Make the tars of a chunk. Raises what no source can be blamed for."""
        job = tasks[0].tar
        assert job is not None
        try:
            return _Tars(self._settings, self._prefix, tasks, self._do_source).make(self._announce)
        except FileProblem as problem:
            return [problem_of(job.name, problem)]


class _Tars:
    """The tars of one chunk."""

    def __init__(self, settings: Settings, prefix: str, tasks: Sequence[Task], do_source: DoSource) -> None:
        self._settings, self._prefix, self._do_source = settings, prefix, do_source
        self._source: Folder = folder_at(settings.source)
        self._layout = Layout(settings, tasks)
        self._replaces = {name for task in tasks for name in task.replaces}
        self._writers: dict[str, TarWriter] = {}

    def make(self, announce: Callable[[str, str], None]) -> list[Outcome]:
        """Write them; return what became of their samples."""
        folder = held(self._settings.destination, self._prefix)
        assert isinstance(folder, TarFolder)
        fsync, like, job = self._settings.running.fsync, self._readers(), self._layout.job
        outcomes: list[Outcome] = []
        with contextlib.ExitStack() as stack:
            stack.callback(folder.end)
            for tar in self._layout.tars:
                writer = folder.begin(tar, prefix=self._prefix, fsync=fsync, like=like)
                self._writers[tar] = stack.enter_context(writer)
            if job.is_probe:
                for tasks in self._layout.tasks.values():
                    list(self._do_source(tasks))
                return []
            for sample in self._layout.samples:
                outcomes.extend(self._make_sample(sample))
            if any(isinstance(outcome, Made) for outcome in outcomes):
                for tar, writer in self._writers.items():
                    writer.commit(replace=tar in self._replaces, announce=partial(announce, tar))
        return outcomes

    def _readers(self) -> Status | None:
        """Return who may read all that goes into the tars."""
        if self._layout.job.members:
            return self._source.readers(self._layout.tasks)
        with self._source.open(next(iter(self._layout.tasks))) as file:
            return file.status

    def _make_sample(self, sample: list[str]) -> list[Outcome]:
        made: list[Outcome] = []
        sources = [name for name in sample if name in self._layout.tasks]
        problem: Problem | None = None
        for name in sources:
            for outcome in self._do_source(self._layout.tasks[name]):
                if isinstance(outcome, Problem):
                    problem = outcome
                else:
                    made.append(outcome)
            if problem is not None:
                break
        with contextlib.ExitStack() as stack:
            if problem is None:
                carried: dict[str, SourceFile] = {}
                problem = self._open_others(sample, carried, stack)
            if problem is None:
                self._append(sample, carried)
                return made
        for writer in self._writers.values():
            writer.drop()
        return [problem, *(_left_out(name, problem) for name in sources if escape_name(name) != problem.source)]

    def _open_others(
        self, sample: list[str], carried: dict[str, SourceFile], stack: contextlib.ExitStack
    ) -> Problem | None:
        """Open what goes along as it is; return what keeps the sample out."""
        for name in sample:
            try:
                if name not in self._layout.tasks:
                    opened = self._source.open(name, self._settings.running.limits.max_bytes)
                    carried[name] = stack.enter_context(opened)
                    self._refuse_samples(name, opened)
            except FileProblem as error:
                return problem_of(name, error)
        for tar, writer in self._writers.items():
            try:
                writer.refuse_taken([entry.name for entry in self._layout.entries(tar, sample)])
            except FileFailed as error:
                return problem_of(next((name for name in sample if name in self._layout.tasks), sample[0]), error)
        return None

    def _refuse_samples(self, name: str, file: SourceFile) -> None:
        """Raise FileSkipped for an image or sound whose name does not say so: a clean one among noisy ones."""
        settings = self._settings
        if name in self._layout.job.unnoised or kinds_of(suffix_of(name)) or not KINDS[settings.kind].unsupported:
            return
        if what := beginnings.told_by(os.pread(file.fileno(), beginnings.LENGTH, 0)):
            words = f"is {what} by its first bytes, and its name does not say so"
            raise FileSkipped(
                "unsupported-format", f"{words}; name it by its format; --exclude carries it along as it is"
            )

    def _append(self, sample: list[str], carried: dict[str, SourceFile]) -> None:
        for tar, writer in self._writers.items():
            for entry in self._layout.entries(tar, sample):
                if entry.is_made:
                    writer.add_made(entry.name)
                else:
                    file = carried[entry.source]
                    writer.add(entry.name, file.fileno(), file.size)


def _left_out(name: str, problem: Problem) -> Problem:
    words = f"left out with {problem.source}, of the same sample, which {problem.message}"
    return Problem(escape_name(name), problem.status, problem.reason, words)
