"""AIFF, AIFF-C, CAF and AU: the chunk sizes against the file's size."""

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

_AIFF_CARRIED = {b"COMM", b"SSND", b"FVER", b"PEAK", b"NAME", b"AUTH", b"(c) ", b"ANNO", b"APPL", b"FLLR"}
_AIFF_PLAIN = {
    b"NONE",
    b"twos",
    b"sowt",
    b"raw ",
    b"fl32",
    b"FL32",
    b"fl64",
    b"FL64",
    b"in24",
    b"in32",
    b"23ni",
    b"42ni",
}
_CAF_CARRIED = {b"desc", b"data", b"free", b"peak", b"info", b"kuki", b"pakt"}
_PIECE = 1 << 16
_LONGEST_SIZE = 4
_EDIT_COUNT = 4
"""Bytes in front of the packets."""
_UNKNOWN_64 = 0xFFFFFFFFFFFFFFFF


def check_aiff(window: Window) -> Header:
    """Check an AIFF or AIFF-C file: its samples must lie inside the file, and be as many as COMM says."""
    total = window.number(4, 4, big=True)
    compressed = window.read(8, 4) == b"AIFC"
    needed: int | None = None
    held: int | None = None
    end, lost = 12, False
    for chunk in iterate_chunks(window, 12, big=True):
        if held is not None and chunk.end > window.size and chunk.name != b"COMM":
            break
        check_fits(chunk, window)
        if chunk.name == b"COMM":
            needed = _count_bytes(window, chunk, compressed)
        elif chunk.name == b"SSND":
            held = max(0, chunk.size - 8 - window.number(chunk.start, 4, big=True))
        lost |= chunk.name not in _AIFF_CARRIED
        end = chunk.end + (chunk.size & 1)
    if needed is None or (held is None and needed):
        raise truncated("the file has no samples in it")
    if needed > (held or 0):
        raise truncated(f"{needed:,} bytes of samples are promised, {held:,} are there")
    if 8 + total > window.size + 1:
        raise truncated("the header promises more chunks than there are")
    return Header("aiff", trailing_data=end < window.size, lost_metadata=lost)


def _count_bytes(window: Window, chunk: Chunk, compressed: bool) -> int:
    """Bytes of samples that COMM promises; 0 when the encoding has no fixed size."""
    if compressed and window.read(chunk.start + 18, 4) not in _AIFF_PLAIN:
        return 0
    channels = window.number(chunk.start, 2, big=True)
    frames = window.number(chunk.start + 2, 4, big=True)
    bits = window.number(chunk.start + 6, 2, big=True)
    return frames * channels * ((bits + 7) // 8)


def check_caf(window: Window) -> Header:
    """Check an Apple Core Audio file; a data size of -1 runs to the file's end."""
    end, lost = 8, False
    held: dict[bytes, Chunk] = {}
    for chunk in _iterate_caf(window):
        if b"data" in held and chunk.end > window.size:
            break
        check_fits(chunk, window)
        held.setdefault(chunk.name, chunk)
        empty = chunk.name == b"data" and chunk.size <= _EDIT_COUNT
        if empty and chunk.end < window.size and not is_chunk_name(window.read(chunk.end, 4)):
            raise corrupt("the header says there are no samples, yet bytes follow")
        lost |= chunk.name not in _CAF_CARRIED
        end = chunk.end
    if b"data" not in held:
        raise truncated("the file has no samples in it")
    padded = end + 1 == window.size and window.read(end, 1) == b"\0"
    frames = None
    if b"desc" in held and window.read(held[b"desc"].start + 8, 4) == b"alac":
        frames = _check_packets(window, held)
    return Header("caf", frames, trailing_data=end < window.size and not padded, lost_metadata=lost)


def _check_packets(window: Window, held: dict[bytes, Chunk]) -> int:
    """Check the table of packets' sizes, 7 bits in a byte; return the frames in them.

    Of a table that it cannot read, libsndfile makes a file of no frames.
    """
    if b"pakt" not in held:
        raise corrupt("the table of its packets is missing")
    table = held[b"pakt"]
    packets, frames = window.number(table.start, 8, big=True), window.number(table.start + 8, 8, big=True)
    position, total, size, length = table.start + 24, 0, 0, 0
    while packets:
        piece = window.read(position, min(_PIECE, table.end - position))
        if not piece:
            raise corrupt("the table of its packets ends early")
        position += len(piece)
        for byte in piece:
            size, length = size << 7 | (byte & 0x7F), length + 1
            if length > _LONGEST_SIZE:
                raise corrupt("the table of its packets holds no sizes")
            if byte < 0x80:
                total, packets, size, length = total + size, packets - 1, 0, 0
                if not packets:
                    break
    missing = total + _EDIT_COUNT - held[b"data"].size
    if missing > 0:
        raise truncated(f"its packets have {missing:,} bytes more than there are")
    return frames


def _iterate_caf(window: Window) -> Iterator[Chunk]:
    position = 8
    while position + 12 <= window.size:
        name = window.read(position, 4)
        if not is_chunk_name(name):
            return
        size = window.number(position + 4, 8, big=True)
        if size == _UNKNOWN_64 and name == b"data":
            size = window.size - position - 12
        yield Chunk(name, position + 12, size)
        position += 12 + size


def check_au(window: Window) -> Header:
    """Check a Sun/NeXT file; a data size of all ones runs to the file's end."""
    big = window.read(0, 4) == b".snd"
    start, size = window.number(4, 4, big), window.number(8, 4, big)
    if start < 24:
        raise corrupt("the samples start inside the header")
    note = window.read(24, start - 24).strip(b"\0 ")
    if size == UNKNOWN_SIZE:
        size = max(0, window.size - start)
    check_fits(Chunk(b"data", start, size), window)
    if size == 0 and start < window.size:
        raise corrupt("the header says there are no samples, yet bytes follow")
    return Header("au", trailing_data=start + size < window.size, lost_metadata=bool(note))
