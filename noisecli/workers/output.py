"""How outputs are written: nothing half-written keeps an output's name; an output and all beside it, or none."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from typing import Any, Generic, NamedTuple, Protocol, Self, TypeVar

from noisecli.model import Task
from noisecli.model.files import CLEAN, STD_MAP, FileKeys
from noisecli.storage import Folder, OutputFile, SourceFile, folder_at, output_error
from noisecli.workers import WorkerContext


class AnySink(Protocol):
    """What is common to the sinks of all kinds."""

    format: str
    lossy: bool
    warnings: Sequence[str]

    def write(self, block: Any) -> None:
        """Take the next block."""

    def finish(self) -> None:
        """Write what is left."""

    def abort(self) -> None:
        """Let go after an error."""


S = TypeVar("S", bound=AnySink)


class Writer(Generic[S]):
    """A sink on an output file; whatever goes wrong, nothing half-written keeps the output's name.

    Parameters
    ----------
    context
        Whose destination it is.
    name
        Relative path of the output.
    task
        What it is made for; it says which files may be replaced.
    open_sink
        Makes the sink on the file.
    source
        What it is made of: nobody may read an output who may not read its source.
    """

    def __init__(
        self,
        context: WorkerContext,
        name: str,
        task: Task,
        open_sink: Callable[[OutputFile], S],
        source: SourceFile | None,
    ) -> None:
        settings = context.settings
        self._announce = partial(context.announce, name)
        self._replace = name in task.replaces
        self._path = folder_at(settings.destination).location_of(name)
        with self.naming_errors():
            folder = held(settings.destination, context.prefix)
        like = None if source is None else source.status
        self._file = folder.create(name, prefix=context.prefix, fsync=settings.running.fsync, like=like)
        try:
            with self.naming_errors():
                self.sink = open_sink(self._file)
        except BaseException:
            self._file.discard()
            raise

    @contextlib.contextmanager
    def naming_errors(self) -> Iterator[None]:
        """Raise errors of the system as this output's: encoders that write by themselves let them through."""
        try:
            yield
        except OSError as error:
            raise output_error(error, self._path) from error

    def write(self, block: Any) -> None:
        """Hand the sink its next block."""
        with self.naming_errors():
            self.sink.write(block)

    def commit(self) -> tuple[int, str]:
        """Finish the sink and put the file in place; return its size and sha256."""
        with self.naming_errors():
            self.sink.finish()
        return self._file.commit(replace=self._replace, announce=self._announce)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            self.sink.abort()
        except Exception:
            # the first error is the one to report
            if kind is None:
                raise
        finally:
            self._file.discard()


@cache
def held(destination: str, prefix: str) -> Folder:
    """Open a destination once in a run, which the prefix tells apart: whatever takes its name in mid-run is not it."""
    return folder_at(destination).hold()


class Committed(NamedTuple):
    """What was written of one task: size and sha256 of each file."""

    format: str
    lossy: bool
    warnings: list[str]
    noisy: tuple[int, str]
    beside: Mapping[FileKeys, tuple[int, str]]
    order: Sequence[int] | None = None
    """Of audio whose channels were put into another order: which of the source's each one is."""


class Pair(Generic[S]):
    """The output of a task, with the clean one and the map of std beside it where asked for. A context manager.

    Parameters
    ----------
    open_sink
        Makes the sink of noisy and clean.
    file
        The source of both; None where there is none.
    open_map
        Makes the sink of the map, where there may be one.

    Attributes
    ----------
    noisy, clean, std_map
        Their writers, those that there are.
    """

    def __init__(
        self,
        context: WorkerContext,
        task: Task,
        open_sink: Callable[[OutputFile], S],
        file: SourceFile | None,
        open_map: Callable[[OutputFile], AnySink] | None = None,
    ) -> None:
        self._file = file
        self._stack = contextlib.ExitStack()
        self.clean: Writer[S] | None = None
        self.std_map: Writer[AnySink] | None = None
        with contextlib.ExitStack() as stack:
            self.noisy = stack.enter_context(Writer(context, task.output, task, open_sink, file))
            if task.clean_output is not None:
                self.clean = stack.enter_context(Writer(context, task.clean_output, task, open_sink, file))
            if task.std_map_output is not None and open_map is not None:
                self.std_map = stack.enter_context(Writer(context, task.std_map_output, task, open_map, file))
            self._stack = stack.pop_all()

    def write(self, noisy: Any, clean: Any) -> None:
        """Hand each its next block."""
        self.noisy.write(noisy)
        if self.clean is not None:
            self.clean.write(clean)

    def commit(self) -> Committed:
        """Put all in place, the noisy one last: a row is written for that, when all are there."""
        if self._file is not None:
            self._file.check_unchanged()
        writers: Mapping[FileKeys, Writer[Any] | None] = {CLEAN: self.clean, STD_MAP: self.std_map}
        beside = {keys: writer.commit() for keys, writer in writers.items() if writer is not None}
        sink, noisy = self.noisy.sink, self.noisy.commit()
        return Committed(sink.format, sink.lossy, list(sink.warnings), noisy, beside, getattr(sink, "order", None))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.__exit__(*error)
