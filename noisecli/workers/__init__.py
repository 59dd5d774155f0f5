"""What every kind's way from a source to its outputs has in common: its face, and how outputs are written."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Generic, NamedTuple, Protocol, Self, TypeVar

from noisecli.codecs import ArraysCodec, Codec
from noisecli.model import Made, Task
from noisecli.settings import Settings
from noisecli.storage import Folder, OutputFile, SourceFile, folder_at, output_error

Row = dict[str, Any]


@dataclass(frozen=True)
class WorkerContext:
    """Where a worker works: the request, how its temporary files' names begin, and the codec, loaded.

    Attributes
    ----------
    announce
        Called with the name and the digest of every output just before it takes its place.
    """

    settings: Settings
    prefix: str
    codec: Codec | ArraysCodec
    announce: Callable[[str, str], None] = lambda name, digest: None


class OpenSource(NamedTuple):
    """A source's file and what its codec made of it; neither where outputs have no source.

    Attributes
    ----------
    size
        Bytes of its samples, where they may be many more than the file's: for the time limit.
    """

    file: SourceFile | None
    source: Any
    size: int = 0


class Maker(Protocol):
    """One kind's way from a source to its outputs, and back again for verify."""

    def open(self, file: SourceFile | None) -> AbstractContextManager[OpenSource]:
        """Have the codec open a source; None where outputs have none. Raises FileFailed or FileSkipped."""

    def make(self, task: Task, opened: OpenSource) -> Made:
        """Make one output. Raises FileFailed or Stopped."""

    def read_row(self, row: Row) -> Any:
        """Return what a row tells of the noise. Raises KeyError, TypeError or ValueError where it does not."""

    def recompute(self, task: Task, opened: OpenSource, told: Any) -> tuple[Row, bool]:
        """Make an output with the noise that read_row() returned. Return its row, and whether samples were lost."""

    def mismatches(self, file: SourceFile, row: Row) -> Iterator[tuple[str, Any, Any]]:
        """Decode an output wholly. Yield each key with what was found and what its row says, where they differ."""

    def samples(self, file: SourceFile) -> Iterator[bytes]:
        """Yield what an output decodes to, its description first."""


class AnySink(Protocol):
    """What is common to the sinks of all kinds."""

    format: str
    lossy: bool

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
        with self.telling():
            folder = _held(settings.destination)
        like = None if source is None else source.status
        self._file = folder.create(name, prefix=context.prefix, fsync=settings.running.fsync, like=like)
        try:
            with self.telling():
                self.sink = open_sink(self._file)
        except BaseException:
            self._file.discard()
            raise

    @contextlib.contextmanager
    def telling(self) -> Iterator[None]:
        """Tell errors of the system as this output's: encoders that write by themselves let them through."""
        try:
            yield
        except OSError as error:
            raise output_error(error, self._path) from error

    def commit(self) -> tuple[int, str]:
        """Finish the sink and put the file in place; return its size and sha256."""
        with self.telling():
            self.sink.finish()
        return self._file.commit(replace=self._replace, announce=self._announce)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            self.sink.abort()
        except Exception:
            # what went wrong first is what people are told
            if kind is None:
                raise
        finally:
            self._file.discard()


@cache
def _held(destination: str) -> Folder:
    """Open a destination once in a worker's life: whatever takes its name in mid-run is not it."""
    return folder_at(destination).hold()


def open_file(root: str, source: str, max_bytes: int) -> AbstractContextManager[SourceFile | None]:
    """Open the file of a task's source; None where it has none."""
    return folder_at(root).open(source, max_bytes) if source else contextlib.nullcontext()
