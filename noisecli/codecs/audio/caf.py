"""Apple's Core Audio Format: 64-bit chunk sizes against the file's size, and the table of packets."""

from noisecli.codecs.audio.header import Chunk, Header, Window, fitting, is_chunk_name, iterate_chunks, lost_names
from noisecli.codecs.damage import corrupt, truncated

_CARRIED = {b"desc", b"data", b"free", b"peak", b"info", b"kuki", b"pakt"}
_KEYS = set(b"title copyright software artist comment comments date album license tracknumber genre".split())
_MOST_KEYS = 64
_LONGEST_KEY = 40
_PIECE = 1 << 16
_LONGEST_SIZE = 4
_EDIT_COUNT = 4
"""Bytes in front of the packets."""


def check_caf(window: Window) -> Header:
    """Check an Apple Core Audio file; a data size of -1 runs to the file's end."""
    end, lost = 8, set[bytes]()
    held: dict[bytes, Chunk] = {}
    for chunk in fitting(iterate_chunks(window, 8, big=True, width=8, padding=1), window, b"data"):
        held.setdefault(chunk.name, chunk)
        empty = chunk.name == b"data" and chunk.size <= _EDIT_COUNT
        if empty and chunk.end < window.size and not is_chunk_name(window.read(chunk.end, 4)):
            raise corrupt("the header says there are no samples, yet bytes follow")
        lost |= {chunk.name} - _CARRIED
        end = chunk.end
    if b"data" not in held:
        raise truncated("the file has no samples in it")
    lost |= _other_keys(window, held[b"info"]) if b"info" in held else set()
    padded = end + 1 == window.size and window.read(end, 1) == b"\0"
    frames = None
    if b"desc" in held and window.read(held[b"desc"].start + 8, 4) == b"alac":
        frames = _check_packets(window, held)
    part = b"desc" in held and _ends_in_part(window, held[b"desc"], held[b"data"].size - _EDIT_COUNT)
    trailing = part or (end < window.size and not padded)
    return Header("caf", frames, trailing_data=trailing, lost_metadata=lost_names(lost))


def _ends_in_part(window: Window, desc: Chunk, size: int) -> bool:
    """Whether so many bytes are whole frames and part of one."""
    frame_bytes = window.number(desc.start + 16, 4, big=True)
    return window.read(desc.start + 8, 4) == b"lpcm" and frame_bytes > 0 and size % frame_bytes > 0


def _other_keys(window: Window, info: Chunk) -> set[bytes]:
    """Return the keys of the text tags that libsndfile does not know, and those given twice."""
    texts = window.read(info.start + 4, min(info.size - 4, _PIECE)).split(b"\0")
    keys = [key[:_LONGEST_KEY].lower() for key in texts[:-1:2]]
    others = [key for at, key in enumerate(keys[:_MOST_KEYS]) if key not in _KEYS or key in keys[:at]]
    return {*others} | ({b"info"} if len(keys) > _MOST_KEYS or info.size - 4 > _PIECE else set())


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
