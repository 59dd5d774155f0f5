"""In the worker processes: one source -> its outputs. This page is what every kind's way has in common."""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeVar

from noisecli.codecs import AnySource, ArraysCodec, Codec
from noisecli.engines import Job
from noisecli.kinds import KINDS, format_of
from noisecli.model import Made, Outcome, Task
from noisecli.settings import Settings
from noisecli.storage import SourceFile, folder_at

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


class Done(NamedTuple):
    """A worker's answer to a chunk of tasks."""

    outcomes: list[Outcome]
    versions: dict[str, str]


class Maker(Protocol):
    """One kind's way from a source to its outputs, and back again for verify."""

    def open(self, file: SourceFile | None) -> AbstractContextManager[OpenSource]:
        """Have the codec open a source; None where outputs have none. Raises FileFailed or FileSkipped."""

    def make(self, task: Task, opened: OpenSource) -> Made:
        """Make one output. Raises FileFailed or Stopped."""

    def read_row(self, row: Row) -> Any:
        """Return the noise that a row records. Raises KeyError, TypeError or ValueError where it does not."""

    def recompute(self, task: Task, opened: OpenSource, noise: Any) -> tuple[Row, bool]:
        """Make an output once more with the noise that read_row() returned; return its row, and whether it is lossy."""

    def mismatches(self, file: SourceFile, row: Row) -> Iterator[tuple[str, Any, Any]]:
        """Decode an output wholly. Yield each key with what was found and what its row says, where they differ."""

    def samples(self, file: SourceFile) -> Iterator[bytes]:
        """Yield what an output decodes to, its description first."""


def making_job(
    settings: Settings,
    journal: tuple[str, tuple[int, int]] | None,
    run_prefix: str,
    announce: Callable[[str, str], None] | None = None,
) -> Job:
    """Return the job of making a request's outputs; see noisecli.workers.worker.Making."""
    return Job(
        "noisecli.workers.worker:Making",
        (settings, journal, run_prefix, announce),
        KINDS[settings.kind].modules,
        reads=(settings.source, settings.noise.mask or ""),
        writes=((settings.destination, run_prefix),),
        desk=None if journal is None else ("noisecli.manifest.lock:Appending", journal),
    )


OneSource = TypeVar("OneSource", bound=AnySource)


def check_suffix(source: OneSource, file: SourceFile) -> OneSource:
    """Return an opened source, with a warning where the file's suffix stands for another format.

    RF64 is what a WAV over 4 GiB becomes: either may have the other's suffix. An unknown suffix contradicts nothing.
    """
    named = format_of(file.suffix)
    if named is not None and named.name != source.format and {named.name, source.format} != {"wav", "rf64"}:
        source.warnings = [*source.warnings, "wrong-suffix"]
    return source


def open_file(root: str, source: str, max_bytes: int) -> AbstractContextManager[SourceFile | None]:
    """Open the file of a task's source; None where it has none."""
    return folder_at(root).open(source, max_bytes) if source else contextlib.nullcontext()
