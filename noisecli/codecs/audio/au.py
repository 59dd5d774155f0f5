"""AU, as Sun and NeXT wrote it: a header and bare samples."""

from noisecli.codecs.audio.header import UNKNOWN_SIZE, Chunk, Header, Window, check_fits, require_samples
from noisecli.codecs.damage import corrupt


def check_au(window: Window) -> Header:
    """Check a file; a data size of all ones runs to the file's end."""
    big = window.read(0, 4) == b".snd"
    start, size = window.number(4, 4, big), window.number(8, 4, big)
    if start < 24:
        raise corrupt("the samples start inside the header")
    note = window.read(24, start - 24).strip(b"\0 ")
    if size == UNKNOWN_SIZE:
        size = max(0, window.size - start)
    data = Chunk(b"data", start, size)
    check_fits(data, window)
    require_samples(data, data.end, window)
    return Header("au", trailing_data=data.end < window.size, lost_metadata=frozenset({"note"} if note else ()))
