"""Sony Wave64: 64-bit chunk sizes against the file's size."""

from collections.abc import Iterator

from noisecli.codecs.audio.header import Chunk, Header, Window, check_total, fitting, lost_names, require_samples
from noisecli.codecs.audio.wav import CARRIED
from noisecli.codecs.damage import corrupt

_FIXED = {0x01, 0x03, 0x06, 0x07}
_NAMES_TAIL = bytes.fromhex("f3acd3118cd100c04f8edb8a")
_LEVEL = bytes.fromhex("abf76ad7")


def check_w64(window: Window) -> Header:
    """Check a file: sizes count their own 24 bytes, chunks begin on multiples of 8.

    libsndfile plays all that follows the samples as samples, so their number is taken from here.
    """
    check_total(window.number(16, 8), window, padding=7)
    held: dict[bytes, Chunk] = {}
    end, lost = 40, set[bytes]()
    for chunk in fitting(_iterate(window), window, b"data"):
        held[chunk.name] = chunk
        lost |= {chunk.name} - CARRIED
        end = chunk.end + (-chunk.end % 8)
    data = require_samples(held.get(b"data") if b"fmt " in held else None, end, window)
    frames = _count_frames(window, held[b"fmt "], data)
    return Header("w64", frames, trailing_data=end < window.size, lost_metadata=lost_names(lost))


def _count_frames(window: Window, form: Chunk, data: Chunk) -> int | None:
    """Return the frames in a data chunk where each has the same size."""
    encoding, channels, frame_bytes, bits = (window.number(form.start + at, 2) for at in (0, 2, 12, 14))
    if encoding not in _FIXED:
        return None
    if frame_bytes == 0 or frame_bytes != channels * -(-bits // 8):
        raise corrupt("the size of a frame is not that of its channels")
    return data.size // frame_bytes


def _iterate(window: Window) -> Iterator[Chunk]:
    position = 40
    while position + 24 <= window.size:
        name, tail = window.read(position, 4), window.read(position + 4, 12)
        size = window.number(position + 16, 8)
        if tail != _NAMES_TAIL and name != _LEVEL:
            return
        if size < 24:
            raise corrupt("a chunk smaller than its own header")
        yield Chunk(name, position + 24, size - 24)
        position += size + (-size % 8)
