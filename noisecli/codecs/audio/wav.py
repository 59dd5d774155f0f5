"""WAV, RIFX, RF64 and W64: the chunk sizes against the file's size."""

from __future__ import annotations

from collections.abc import Iterator

from noisecli.codecs.audio.header import (
    UNKNOWN_SIZE,
    Chunk,
    Header,
    Window,
    check_fits,
    corrupt,
    is_chunk_name,
    iterate_chunks,
    truncated,
)
from noisecli.errors import FileSkipped

_CARRIED = {b"fmt ", b"fact", b"data", b"PEAK", b"ds64", b"JUNK", b"junk", b"PAD ", b"FLLR", b"LIST"}
_INFO_CARRIED = {b"INAM", b"ICOP", b"ISFT", b"IART", b"ICMT", b"ICRD", b"IPRD", b"ITRK", b"IGNR"}
_ENCODINGS = {0x01, 0x02, 0x03, 0x06, 0x07, 0x11, 0x31, 0x38, 0x40, 0x55, 0xFFFE}
_MOST_ENTRIES = 1 << 16
_FIXED = {0x01, 0x03, 0x06, 0x07}
_W64_NAMES_TAIL = bytes.fromhex("f3acd3118cd100c04f8edb8a")
_W64_LEVEL = bytes.fromhex("abf76ad7")


def check_wav(window: Window) -> Header:
    """Check a RIFF, RIFX or RF64 file; its samples must lie inside the file."""
    magic = window.read(0, 4)
    big, rf64 = magic == b"RIFX", magic == b"RF64"
    data: Chunk | None = None
    end, lost = 12, False
    for chunk in iterate_chunks(window, 12, big, _read_long_size(window) if rf64 else None):
        if data is not None and chunk.end > window.size:
            break
        check_fits(chunk, window)
        if chunk.name == b"data" and data is None:
            data = chunk
        lost |= _check_chunk(window, chunk, big)
        end = chunk.end + (chunk.size & 1)
    if data is None:
        raise truncated("the file has no samples in it")
    if data.size == 0 and end < window.size:
        raise corrupt("the header says there are no samples, yet bytes follow")
    total = window.number(4, 4, big)
    if total != UNKNOWN_SIZE and 8 + total > window.size + 1:
        raise truncated("the header promises more chunks than there are")
    return Header("rf64" if rf64 else "wav", trailing_data=end < window.size, lost_metadata=lost)


def _read_long_size(window: Window) -> int:
    """In RF64 a data size of all ones stands for the 64 bits in the ds64 chunk, which comes first."""
    if window.read(12, 4) != b"ds64":
        raise corrupt("an RF64 file without its ds64 chunk")
    return window.number(28, 8)


def _check_chunk(window: Window, chunk: Chunk, big: bool) -> bool:
    """Return whether the chunk holds metadata that gets lost; refuse what libsndfile cannot bear."""
    if chunk.name == b"fmt ":
        encoding = window.number(chunk.start, 2, big)
        if encoding not in _ENCODINGS:
            raise FileSkipped("unsupported-samples", f"a WAV of encoding 0x{encoding:04x}: convert it to PCM first")
    if chunk.name == b"LIST":
        return _check_list(window, chunk, big)
    return chunk.name not in _CARRIED


def _check_list(window: Window, chunk: Chunk, big: bool) -> bool:
    """A size near 2**32 inside a LIST makes libsndfile step backwards for ever; nothing inside may leave the file."""
    kind = window.read(chunk.start, 4)
    lost = kind != b"INFO"
    position = chunk.start + 4
    for _ in range(_MOST_ENTRIES):
        if position + 8 > chunk.end:
            return lost
        name = window.read(position, 4)
        size = window.number(position + 4, 4, big)
        if position + 8 + size > window.size:
            raise corrupt("an entry of a LIST chunk is larger than the file")
        lost |= is_chunk_name(name) and name not in _INFO_CARRIED
        position += 8 + size + (size & 1)
    raise corrupt("a LIST chunk of more entries than any program writes")


def check_w64(window: Window) -> Header:
    """Check a Sony Wave64 file: 64-bit sizes that count their own 24 bytes, chunks on multiples of 8.

    libsndfile plays all that follows the samples as samples, so their number is taken from here.
    """
    if window.number(16, 8) > window.size + 7:
        raise truncated("the header promises more chunks than there are")
    form: Chunk | None = None
    data: Chunk | None = None
    end, lost = 40, False
    for chunk in _iterate_w64(window):
        if data is not None and chunk.end > window.size:
            break
        check_fits(chunk, window)
        form = chunk if chunk.name == b"fmt " else form
        data = chunk if chunk.name == b"data" else data
        lost |= chunk.name not in _CARRIED
        end = chunk.end + (-chunk.end % 8)
    if form is None or data is None:
        raise truncated("the file has no samples in it")
    if data.size == 0 and end < window.size:
        raise corrupt("the header says there are no samples, yet bytes follow")
    frames = _count_frames(window, form, data)
    return Header("w64", frames, trailing_data=end < window.size, lost_metadata=lost)


def _count_frames(window: Window, form: Chunk, data: Chunk) -> int | None:
    """Return the frames in a data chunk where each has the same size."""
    encoding, channels, frame_bytes, bits = (window.number(form.start + at, 2) for at in (0, 2, 12, 14))
    if encoding not in _FIXED:
        return None
    if frame_bytes == 0 or frame_bytes != channels * -(-bits // 8):
        raise corrupt("the size of a frame is not that of its channels")
    return data.size // frame_bytes


def _iterate_w64(window: Window) -> Iterator[Chunk]:
    position = 40
    while position + 24 <= window.size:
        name, tail = window.read(position, 4), window.read(position + 4, 12)
        size = window.number(position + 16, 8)
        if tail != _W64_NAMES_TAIL and name != _W64_LEVEL:
            return
        if size < 24:
            raise corrupt("a chunk smaller than its own header")
        yield Chunk(name, position + 24, size - 24)
        position += size + (-size % 8)
