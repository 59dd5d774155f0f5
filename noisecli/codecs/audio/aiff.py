"""AIFF and AIFF-C: the chunk sizes against the file's size."""

from noisecli.codecs.audio.header import (
    UNKNOWN_SIZE,
    Chunk,
    Correction,
    Header,
    Window,
    check_total,
    fitting,
    is_placeholder,
    iterate_chunks,
    lost_names,
)
from noisecli.codecs.audio.misplaced import end_of_samples, pad
from noisecli.codecs.damage import corrupt, truncated
from noisecli.words import warning

_ONCE = {b"NAME", b"AUTH", b"(c) ", b"ANNO", b"APPL"}
"""Of several, libsndfile keeps the last."""
_CARRIED = _ONCE | {b"COMM", b"SSND", b"FVER", b"PEAK", b"FLLR"}
_HEAD = 8
"""Bytes in front of the samples in their chunk."""
_PLAIN = {b"NONE", b"twos", b"sowt", b"raw ", b"fl32", b"FL32", b"fl64", b"FL64", b"in24", b"in32", b"23ni", b"42ni"}


def check_aiff(window: Window) -> Header:
    """Check an AIFF or AIFF-C file: its samples must lie inside the file, and be as many as COMM says.

    Programs that write into pipes leave all sizes 0, or at a number no file reaches.
    """
    total = window.number(4, 4, big=True)
    compressed = window.read(8, 4) == b"AIFC"
    streamed = total == 0 or is_placeholder(total & ~0xFF)
    form: Chunk | None = None
    held: Chunk | None = None
    end, lost, seen, gaps = 12, set[bytes](), set[bytes](), list[int]()

    def measure(start: int, size: int) -> int:
        unsaid = size == 0 or (size > window.size - start and is_placeholder(size & ~0xFF))
        return end_of_samples(window, start, big=True) - start if streamed and unsaid else size

    chunks = iterate_chunks(window, 12, big=True, measure=measure, samples=b"SSND")
    for chunk in fitting(chunks, window, b"SSND", checked=b"COMM"):
        if chunk.name == b"COMM":
            form = chunk
        elif chunk.name == b"SSND":
            held = chunk
        lost |= {chunk.name} - (_CARRIED - (seen & _ONCE))
        seen.add(chunk.name)
        gaps += [chunk.start - 8] if chunk.start - 8 < end else []
        end = chunk.end + (chunk.size & 1)
    needed = _count_bytes(window, form, compressed) if form else None
    streamed &= held is not None and held.size != window.number(held.start - 4, 4, big=True)
    if streamed and form and held:
        if not _is_plain(window, form, compressed):
            raise corrupt("the sizes of its compressed samples were never written")
        warnings = (warning("unknown-length", ["data size"]), *_depth(window, form, compressed))
        correction = pad(window, gaps, _correct(window, form, held))
        return Header("aiff", lost_metadata=lost_names(lost), warnings=warnings, correction=correction)
    if form is None or needed is None or (held is None and needed):
        raise truncated("the file has no samples in it")
    there = max(0, held.size - _HEAD - window.number(held.start, 4, big=True)) if held else 0
    if needed > there:
        raise truncated(f"{needed:,} bytes of samples are promised, {there:,} are there")
    check_total(8 + total, window)
    frame_bytes = _frame_bytes(window, form) if _is_plain(window, form, compressed) else 0
    part = there % frame_bytes if frame_bytes else 0
    more = (warning("wrong-length", ["sample count"]),) if 0 < frame_bytes <= there - needed else ()
    return Header(
        "aiff",
        trailing_data=end < window.size or part > 1 or (part == 1 and there % 2 == 1),
        lost_metadata=lost_names(lost),
        warnings=(*more, *_depth(window, form, compressed)),
        correction=pad(window, gaps, None),
    )


def _is_plain(window: Window, form: Chunk, compressed: bool) -> bool:
    return not compressed or window.read(form.start + 18, 4) in _PLAIN


def _depth(window: Window, form: Chunk, compressed: bool) -> tuple[str, ...]:
    """Samples of odd depths come back in as many bits as their bytes have."""
    bits = window.number(form.start + 6, 2, big=True)
    odd = bits % 8 and _is_plain(window, form, compressed)
    return (warning("depth", [f"{bits} to {(bits + 7) // 8 * 8} bits"]),) if odd else ()


def _correct(window: Window, form: Chunk, held: Chunk) -> Correction:
    """Return the file with its sizes as they are: libsndfile makes a file of no samples of the ones there."""
    frames = (held.size - _HEAD) // (_frame_bytes(window, form) or 1)
    sizes = ((4, window.size - 8), (form.start + 2, frames), (held.start - 4, held.size))
    return Correction(patches=tuple((at, min(size, UNKNOWN_SIZE).to_bytes(4, "big")) for at, size in sizes))


def _count_bytes(window: Window, chunk: Chunk, compressed: bool) -> int:
    """Bytes of samples that COMM promises; 0 when the encoding has no fixed size."""
    if not _is_plain(window, chunk, compressed):
        return 0
    return window.number(chunk.start + 2, 4, big=True) * _frame_bytes(window, chunk)


def _frame_bytes(window: Window, form: Chunk) -> int:
    channels, bits = (window.number(form.start + at, 2, big=True) for at in (0, 6))
    return channels * ((bits + 7) // 8)
