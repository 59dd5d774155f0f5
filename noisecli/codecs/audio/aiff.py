"""AIFF and AIFF-C: the chunk sizes against the file's size."""

from noisecli.codecs.audio.header import Chunk, Header, Window, check_total, fitting, iterate_chunks, lost_names
from noisecli.codecs.damage import truncated

_CARRIED = {b"COMM", b"SSND", b"FVER", b"PEAK", b"NAME", b"AUTH", b"(c) ", b"ANNO", b"APPL", b"FLLR"}
_PLAIN = {b"NONE", b"twos", b"sowt", b"raw ", b"fl32", b"FL32", b"fl64", b"FL64", b"in24", b"in32", b"23ni", b"42ni"}


def check_aiff(window: Window) -> Header:
    """Check an AIFF or AIFF-C file: its samples must lie inside the file, and be as many as COMM says."""
    total = window.number(4, 4, big=True)
    compressed = window.read(8, 4) == b"AIFC"
    needed: int | None = None
    held: int | None = None
    end, lost = 12, set[bytes]()
    for chunk in fitting(iterate_chunks(window, 12, big=True), window, b"SSND", checked=b"COMM"):
        if chunk.name == b"COMM":
            needed = _count_bytes(window, chunk, compressed)
        elif chunk.name == b"SSND":
            held = max(0, chunk.size - 8 - window.number(chunk.start, 4, big=True))
        lost |= {chunk.name} - _CARRIED
        end = chunk.end + (chunk.size & 1)
    if needed is None or (held is None and needed):
        raise truncated("the file has no samples in it")
    if needed > (held or 0):
        raise truncated(f"{needed:,} bytes of samples are promised, {held:,} are there")
    check_total(8 + total, window)
    return Header("aiff", trailing_data=end < window.size, lost_metadata=lost_names(lost))


def _count_bytes(window: Window, chunk: Chunk, compressed: bool) -> int:
    """Bytes of samples that COMM promises; 0 when the encoding has no fixed size."""
    if compressed and window.read(chunk.start + 18, 4) not in _PLAIN:
        return 0
    channels = window.number(chunk.start, 2, big=True)
    frames = window.number(chunk.start + 2, 4, big=True)
    bits = window.number(chunk.start + 6, 2, big=True)
    return frames * channels * ((bits + 7) // 8)
