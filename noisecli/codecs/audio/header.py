"""What an audio file's container promises, read from its own bytes before libsndfile sees them.

libsndfile silently shortens cut files and loops forever on some broken ones; a walk over the headers finds both.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from noisecli.codecs.damage import corrupt, truncated

_WINDOW = 4096
UNKNOWN_SIZE = 0xFFFFFFFF


_PLACEHOLDERS = (0xFFFFFFFF, 0x7FFFFFFF, 0x80000000, 0x7FFFF000, 0x7F000000, 2_000_000_000)
"""Sizes that programs write which cannot go back to put the true one in: into a pipe, over a network."""
_HEADS = (0, 8, 36, 44)
"""What some of them take off: the RIFF header, all before the samples."""
_KNOWN = frozenset((*b"fmt |data|LIST|fact|bext|JUNK|junk|PEAK|iXML".split(b"|"), *b"COMM|SSND|FVER|NAME".split(b"|")))
"""Chunks up to the samples, of WAV and of AIFF."""
_MOST_MOVED = 1 << 24


class Correction(NamedTuple):
    """The file as libsndfile is shown it where it would misread what is there."""

    start: int = 0
    """Where the file begins: bytes before it are left out. Below 0, a patch stands in front that takes more room."""
    patches: tuple[tuple[int, bytes], ...] = ()
    """Positions, counted from the start, and the bytes that stand there instead."""
    end: int | None = None
    """Where it ends, counted from the start; None: where the file does."""
    fill: int = 0
    """Zeros after the end."""


class Places(NamedTuple):
    """Which loudspeakers the channels of a WAV belong to."""

    mask: int
    """0: none."""
    guid: bytes
    """The last 12 bytes of the subformat: ambisonic channels have others."""


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
    least: int = 0
    """How many frames there are at least where the file does not say how many there are."""
    warnings: tuple[str, ...] = ()
    """Other warnings."""
    correction: Correction | None = None
    """None: libsndfile reads the file as it is."""
    places: Places | None = None
    """None: the file does not say."""


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
    """Random reads of an open file from `start` on, which is its position 0; the descriptor's position is left alone.

    Its beginning is remembered.
    """

    def __init__(self, descriptor: int, size: int, start: int = 0) -> None:
        self.size = size - start
        self.start = start
        self.descriptor = descriptor
        self._head = os.pread(descriptor, min(self.size, _WINDOW), start)

    def read(self, offset: int, count: int) -> bytes:
        """Return `count` bytes, fewer at the end of the file."""
        end = min(offset + count, self.size)
        if end <= len(self._head):
            return self._head[offset:end]
        return os.pread(self.descriptor, end - offset, self.start + offset) if end > offset else b""

    def number(self, offset: int, count: int, big: bool = False) -> int:
        """Return an unsigned integer of `count` bytes; a file that ends inside it is cut."""
        data = self.read(offset, count)
        if len(data) < count:
            raise truncated("the file ends inside its header")
        return int.from_bytes(data, "big" if big else "little")


Measure = Callable[[int, int], int]
"""Of a chunk of samples, from where its content starts and the size its header claims: its size."""


def iterate_chunks(
    window: Window,
    start: int,
    big: bool = False,
    *,
    measure: Measure | None = None,
    width: int = 4,
    padding: int = 2,
    samples: bytes = b"data",
) -> Iterator[Chunk]:
    """Yield the chunks of a RIFF, IFF or CAF file in order, ending at the file's end or where no chunk name is.

    Sizes have `width` bytes; chunks are filled up to multiples of `padding`. The chunk of samples is as long as
    `measure` says; without that, one whose size is all ones runs to the file's end. What fills up an odd chunk in front
    of the samples may be missing.
    """
    position, head, seen = start, 4 + width, False
    while position + head <= window.size:
        name = window.read(position, 4)
        if not is_chunk_name(name):
            return
        size = window.number(position + 4, width, big)
        if name == samples and measure:
            size = measure(position + head, size)
        elif name == samples and size == (1 << 8 * width) - 1:
            size = window.size - position - head
        yield Chunk(name, position + head, size)
        seen = seen or name == samples
        position += head + size
        if seen or not size % padding or not is_unpadded(window, position):
            position += -size % padding


def is_placeholder(size: int, head: int = 0) -> bool:
    """Whether a size stands for one that was not known when it was written; `head` bytes may be taken off."""
    return any(known - size in {*_HEADS, head} for known in _PLACEHOLDERS)


def is_chunk_name(name: bytes) -> bool:
    """Whether four bytes can be a chunk's name: printable ASCII."""
    return name.isascii() and name.decode("ascii").isprintable()


def is_unpadded(window: Window, end: int) -> bool:
    """Whether a known chunk begins right behind an odd one, and none a byte further."""
    following = window.read(end, 5)
    return end <= _MOST_MOVED and following[:4] in _KNOWN and following[1:] not in _KNOWN


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
