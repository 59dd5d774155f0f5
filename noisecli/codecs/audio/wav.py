"""WAV, RIFX and RF64: the chunk sizes against the file's size."""

from noisecli.codecs.audio.header import (
    UNKNOWN_SIZE,
    Chunk,
    Header,
    Window,
    check_total,
    fitting,
    is_chunk_name,
    iterate_chunks,
    lost_names,
    require_samples,
)
from noisecli.codecs.damage import corrupt
from noisecli.errors import FileSkipped

CARRIED = {b"fmt ", b"fact", b"data", b"PEAK", b"ds64", b"JUNK", b"junk", b"PAD ", b"FLLR", b"LIST"}
_INFO_CARRIED = {b"INAM", b"ICOP", b"ISFT", b"IART", b"ICMT", b"ICRD", b"IPRD", b"ITRK", b"IGNR"}
_ENCODINGS = {0x01, 0x02, 0x03, 0x06, 0x07, 0x11, 0x31, 0x38, 0x40, 0x55, 0xFFFE}
_MOST_ENTRIES = 1 << 16
_MOST_LOST = 64


def check_wav(window: Window) -> Header:
    """Check a RIFF, RIFX or RF64 file; its samples must lie inside the file."""
    magic = window.read(0, 4)
    big, rf64 = magic == b"RIFX", magic == b"RF64"
    data: Chunk | None = None
    end, lost = 12, set[bytes]()
    chunks = iterate_chunks(window, 12, big, long_data=_read_long_size(window) if rf64 else None)
    for chunk in fitting(chunks, window, b"data"):
        if chunk.name == b"data" and data is None:
            data = chunk
        lost |= _check_chunk(window, chunk, big)
        end = chunk.end + (chunk.size & 1)
    require_samples(data, end, window)
    total = window.number(4, 4, big)
    if total != UNKNOWN_SIZE:
        check_total(8 + total, window)
    return Header("rf64" if rf64 else "wav", trailing_data=end < window.size, lost_metadata=lost_names(lost))


def _read_long_size(window: Window) -> int:
    """In RF64 a data size of all ones stands for the 64 bits in the ds64 chunk, which comes first."""
    if window.read(12, 4) != b"ds64":
        raise corrupt("an RF64 file without its ds64 chunk")
    return window.number(28, 8)


def _check_chunk(window: Window, chunk: Chunk, big: bool) -> set[bytes]:
    """Return the names of the chunk's metadata that gets lost; refuse what makes libsndfile fail."""
    if chunk.name == b"fmt ":
        encoding = window.number(chunk.start, 2, big)
        if encoding not in _ENCODINGS:
            raise FileSkipped("unsupported-samples", f"is a WAV of encoding 0x{encoding:04x}; convert it to PCM first")
    if chunk.name == b"LIST":
        return _check_list(window, chunk, big)
    return {chunk.name} - CARRIED


def _check_list(window: Window, chunk: Chunk, big: bool) -> set[bytes]:
    """A size near 2**32 inside a LIST makes libsndfile step backwards forever; no entry may end beyond the file."""
    kind = window.read(chunk.start, 4)
    lost = {kind} - {b"INFO"}
    position = chunk.start + 4
    for _ in range(_MOST_ENTRIES):
        if position + 8 > chunk.end:
            return lost
        name = window.read(position, 4)
        size = window.number(position + 4, 4, big)
        if position + 8 + size > window.size:
            raise corrupt("an entry of a LIST chunk is larger than the file")
        if is_chunk_name(name) and len(lost) < _MOST_LOST:
            lost |= {name} - _INFO_CARRIED
        position += 8 + size + (size & 1)
    raise corrupt("a LIST chunk of more entries than any program writes")
