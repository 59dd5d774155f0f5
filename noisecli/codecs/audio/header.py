"""What an audio file's container promises, read from its own bytes before libsndfile sees them.

libsndfile silently shortens cut files and loops forever on some broken ones; a walk over the headers finds both.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from noisecli.codecs.damage import corrupt, truncated

_WINDOW = 4096
UNKNOWN_SIZE = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Header:
    """The findings of a container check."""

    format: str
    """noisecli's word: wav, flac, ogg, mp3, aiff, au, caf, w64 or rf64."""
    frames: int | None = None
    """How many frames the file holds where its container knows better than libsndfile, -1 when the file does not say,
    None when libsndfile's count is right."""
    trailing_data: bool = False
    """Whether bytes follow the container's end."""
    lost_metadata: frozenset[str] = frozenset()
    """Names of the metadata that libsndfile does not keep."""
    md5: bytes | None = None
    """Of a FLAC: the hash of all its samples, None where none is known."""


class Chunk(NamedTuple):
    """One chunk: its name, where its content starts, and the size its header claims."""

    name: bytes
    start: int
    size: int

    @property
    def end(self) -> int:
        """The first byte after the content."""
        return self.start + self.size


class Window:
    """Random reads of an open file; its beginning is remembered, the descriptor's position is left alone."""

    def __init__(self, descriptor: int, size: int) -> None:
        self.size = size
        self._descriptor = descriptor
        self._head = os.pread(descriptor, min(size, _WINDOW), 0)

    def read(self, offset: int, count: int) -> bytes:
        """Return `count` bytes, fewer at the end of the file."""
        end = min(offset + count, self.size)
        if end <= len(self._head):
            return self._head[offset:end]
        return os.pread(self._descriptor, end - offset, offset) if end > offset else b""

    def number(self, offset: int, count: int, big: bool = False) -> int:
        """Return an unsigned integer of `count` bytes; a file that ends inside it is cut."""
        data = self.read(offset, count)
        if len(data) < count:
            raise truncated("the file ends inside its header")
        return int.from_bytes(data, "big" if big else "little")


def iterate_chunks(
    window: Window, start: int, big: bool = False, *, long_data: int | None = None, width: int = 4, padding: int = 2
) -> Iterator[Chunk]:
    """Yield the chunks of a RIFF, IFF or CAF file in order, ending at the file's end or where no chunk name is.

    Sizes have `width` bytes; chunks are filled up to multiples of `padding`. A data chunk whose size is all ones is
    `long_data` bytes long, and runs to the file's end without that: so write programs into a pipe.
    """
    position, head = start, 4 + width
    while position + head <= window.size:
        name = window.read(position, 4)
        if not is_chunk_name(name):
            return
        size = window.number(position + 4, width, big)
        if size == (1 << 8 * width) - 1 and name == b"data":
            size = window.size - position - head if long_data is None else long_data
        yield Chunk(name, position + head, size)
        position += head + size + -size % padding


def is_chunk_name(name: bytes) -> bool:
    """Whether four bytes can be a chunk's name: printable ASCII."""
    return name.isascii() and name.decode("ascii").isprintable()


def lost_names(names: Iterable[bytes]) -> frozenset[str]:
    """Return the names of chunks as a warning shows them."""
    return frozenset(name.decode("latin-1").strip() for name in names)


def check_fits(chunk: Chunk, window: Window) -> None:
    """Refuse a chunk that promises more bytes than the file has."""
    if chunk.end > window.size:
        raise truncated(f"the header promises {chunk.end - window.size:,} bytes more than there are")


def check_total(total: int, window: Window, padding: int = 1) -> None:
    """Refuse a file shorter than all its chunks together; the last one's padding may be missing."""
    if total > window.size + padding:
        raise truncated("the header promises more chunks than there are")


def fitting(chunks: Iterator[Chunk], window: Window, samples: bytes, checked: bytes = b"") -> Iterator[Chunk]:
    """Yield the chunks that lie inside the file, to the first after the samples that does not: it is trailing data.

    Raises FileFailed where one up to the samples, or one named `checked`, does not.
    """
    seen = False
    for chunk in chunks:
        if seen and chunk.end > window.size and chunk.name != checked:
            return
        check_fits(chunk, window)
        seen = seen or chunk.name == samples
        yield chunk


def require_samples(data: Chunk | None, end: int, window: Window) -> Chunk:
    """Return the chunk of samples. Raises FileFailed where there is none, or an empty one and bytes after `end`."""
    if data is None:
        raise truncated("the file has no samples in it")
    if data.size == 0 and end < window.size:
        raise corrupt("the header says there are no samples, yet bytes follow")
    return data
