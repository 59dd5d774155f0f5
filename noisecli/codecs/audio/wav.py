"""WAV, RIFX and RF64: the chunk sizes against the file's size."""

from noisecli.codecs.audio.form import Form, count_frames, fill_block, read_form
from noisecli.codecs.audio.header import (
    UNKNOWN_SIZE,
    Chunk,
    Correction,
    Header,
    Window,
    check_total,
    fitting,
    is_chunk_name,
    is_placeholder,
    iterate_chunks,
    lost_names,
    require_samples,
)
from noisecli.codecs.audio.misplaced import end_of_samples, pad
from noisecli.codecs.damage import corrupt, truncated
from noisecli.errors import FileSkipped
from noisecli.words import warning

CARRIED = {b"fmt ", b"fact", b"data", b"PEAK", b"ds64", b"JUNK", b"junk", b"PAD ", b"FLLR", b"LIST"}
_INFO_CARRIED = {b"INAM", b"ICOP", b"ISFT", b"IART", b"ICMT", b"ICRD", b"IPRD", b"ITRK", b"IGNR"}
_LONGEST_READ = 2046
"""Bytes of an entry of INFO, its zero included: libsndfile silently passes over a longer one."""
_MOST_ENTRIES = 1 << 16
_FACT_SIZE = 4
_LONG_AT = 28
_LONG_PLACEHOLDERS = ((1 << 64) - 1, (1 << 63) - 1)
_MOST_LOST = 64


def check_wav(window: Window) -> Header:
    """Check a RIFF, RIFX or RF64 file; its samples must lie inside the file."""
    walk = _Walk(window)
    data, form = require_samples(walk.data, walk.end, window), walk.form
    if form is None:
        raise corrupt("it has no format chunk")
    frames = None if form.frames_are_fixed else count_frames(form, data.size, walk.fact)
    correction = fill_block(form, data, big=walk.big) or walk.correct(data)
    return Header(
        "rf64" if walk.rf64 else "wav",
        frames,
        trailing_data=walk.end < window.size or form.ends_in_part(data.size),
        lost_metadata=lost_names(walk.lost | (walk.after if correction and correction.end else set())),
        warnings=(*form.warnings, *walk.check_sizes(data, form)),
        correction=pad(window, walk.unpadded, correction),
        places=form.places,
    )


class _Walk:
    """What the chunks of a file hold."""

    def __init__(self, window: Window) -> None:
        self._window = window
        magic = window.read(0, 4)
        self.big, self.rf64 = magic == b"RIFX", magic == b"RF64"
        self.total = window.number(4, 4, self.big)
        self._long_size = _read_long_size(window) if self.rf64 else 0
        self.form: Form | None = None
        self.fact: int | None = None
        self.data: Chunk | None = None
        self.end = 12
        self.lost, self.after = set[bytes](), set[bytes]()
        self.unpadded = list[int]()
        chunks = iterate_chunks(window, 12, self.big, measure=self._measure)
        for chunk in fitting(chunks, window, b"data"):
            self._take(chunk)
            if chunk.start - 8 < self.end:
                self.unpadded.append(chunk.start - 8)
            self.end = chunk.end + (chunk.size & 1)

    def _take(self, chunk: Chunk) -> None:
        if chunk.name == b"fmt ":
            self.form = self.form or read_form(self._window, chunk, self.big)
        elif chunk.name == b"fact" and chunk.size >= _FACT_SIZE:
            self.fact = self._window.number(chunk.start, _FACT_SIZE, self.big)
        elif chunk.name == b"data":
            self.data = self.data or chunk
        elif chunk.name == b"LIST":
            self.lost |= _check_list(self._window, chunk, self.big)
        else:
            self.lost |= {chunk.name} - CARRIED
        if self.data and chunk.name not in (b"data", b"fact"):
            self.after.add(chunk.name)

    def _said(self, size: int) -> int:
        """In RF64 a data size of all ones stands for the 64 bits in the ds64 chunk."""
        return self._long_size if self.rf64 and size == UNKNOWN_SIZE else size

    def _measure(self, start: int, size: int) -> int:
        """Return the bytes of samples: all to the file's end where their number was not known to who wrote it."""
        said, rest = self._said(size), self._window.size - start
        is_long = self.rf64 and size == UNKNOWN_SIZE
        if said > rest and (said in _LONG_PLACEHOLDERS if is_long else is_placeholder(size, start)):
            return end_of_samples(self._window, start, self.big) - start
        never_closed = is_long or 8 + self.total <= start or is_placeholder(self.total)
        if said or not never_closed or self._is_walkable(start):
            return said
        return end_of_samples(self._window, start, self.big) - start

    def _is_walkable(self, start: int) -> bool:
        """Whether chunks alone follow."""
        end = start
        for chunk in iterate_chunks(self._window, start, self.big):
            end = chunk.end
        return 0 <= self._window.size - end <= 1 or end + (end & 1) == self._window.size

    def correct(self, data: Chunk) -> Correction | None:
        """Libsndfile finds the end of what says too much, and no samples in what says none."""
        said = self._said(self._window.number(data.start - 4, 4, self.big))
        if data.size == said or (said and not self.rf64 and data.end == self._window.size):
            return None
        if self.rf64:
            return Correction(patches=((_LONG_AT, data.size.to_bytes(8, "little")),))
        size = min(data.size, UNKNOWN_SIZE).to_bytes(4, "big" if self.big else "little")
        return Correction(patches=((data.start - 4, size),))

    def check_sizes(self, data: Chunk, form: Form) -> tuple[str, ...]:
        """Return warnings of sizes that are not the file's. Raises FileFailed where bytes are missing."""
        window, total = self._window, 8 + self.total
        if data.size != self._said(window.number(data.start - 4, 4, self.big)):
            if form.ends_in_part(data.size):
                raise truncated("its last frame is cut")
            return (warning("unknown-length", ["data size"]),)
        if self.rf64 or is_placeholder(self.total) or self.end - 1 <= total <= self.end + 1 or total == window.size:
            return ()
        if total > self.end < window.size:
            check_total(total, window)
        return (warning("wrong-length", ["riff size"]),)


def _read_long_size(window: Window) -> int:
    """The ds64 chunk comes first."""
    if window.read(12, 4) != b"ds64":
        raise corrupt("an RF64 file without its ds64 chunk")
    return window.number(_LONG_AT, 8)


def _check_list(window: Window, chunk: Chunk, big: bool) -> set[bytes]:
    """A size near 2**32 inside a LIST makes libsndfile step backwards forever; no entry may end beyond the file."""
    kind = window.read(chunk.start, 4)
    if kind == b"wavl":
        words = "is a WAV of samples in several pieces (LIST wavl); write it as one piece with the program that made it"
        raise FileSkipped("unsupported-samples", words)
    lost = {kind} - {b"INFO"}
    position, seen = chunk.start + 4, set[bytes]()
    for _ in range(_MOST_ENTRIES):
        if position + 8 > chunk.end:
            return lost
        name = window.read(position, 4)
        size = window.number(position + 4, 4, big)
        if position + 8 + size > window.size:
            raise corrupt("an entry of a LIST chunk is larger than the file")
        if is_chunk_name(name) and len(lost) < _MOST_LOST:
            padded = position + 8 + size + (size & 1) <= chunk.end
            once = name not in seen and size <= _LONGEST_READ and padded
            lost |= {name} - (_INFO_CARRIED if once else set())
            seen.add(name)
        position += 8 + size + (size & 1)
    raise corrupt("a LIST chunk of more entries than any program writes")
