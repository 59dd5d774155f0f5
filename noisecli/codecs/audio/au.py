"""AU, as Sun and NeXT wrote it: a header and bare samples."""

from noisecli.codecs.audio.header import (
    UNKNOWN_SIZE,
    Chunk,
    Correction,
    Header,
    Window,
    check_fits,
    require_samples,
)
from noisecli.codecs.damage import corrupt
from noisecli.errors import FileSkipped
from noisecli.words import warning

_BITS_OF_CODES = {23: 4, 25: 3, 26: 5}
_BYTES_OF_CODES = {1: 1, 2: 1, 3: 2, 4: 3, 5: 4, 6: 4, 7: 8, 27: 1}
_READ = {*range(1, 8), 27, *_BITS_OF_CODES}


def check_au(window: Window) -> Header:
    """Check a file; a data size of all ones, or none, runs to the file's end."""
    big = window.read(0, 4) == b".snd"
    start, size, encoding, channels = (window.number(at, 4, big) for at in (4, 8, 12, 20))
    if start < 24:
        raise corrupt("the samples start inside the header")
    if encoding not in _READ:
        words = f"is an AU of encoding {encoding}; convert it first (ffmpeg -i IN OUT.wav)"
        raise FileSkipped("unsupported-samples", words)
    note = window.read(24, start - 24).strip(b"\0 ")
    streamed = size == UNKNOWN_SIZE or (size == 0 and start < window.size)
    correction = None
    if streamed:
        if size == 0:
            # libsndfile knows the other one
            correction = Correction(patches=((8, b"\xff" * 4),))
        size = max(0, window.size - start)
    data = Chunk(b"data", start, size)
    check_fits(data, window)
    require_samples(data, data.end, window)
    bits = _BITS_OF_CODES.get(encoding, 0) * channels
    return Header(
        "au",
        frames=size * 8 // bits if bits else None,
        trailing_data=data.end < window.size or size % (channels * _BYTES_OF_CODES.get(encoding, 1) or 1) > 0,
        lost_metadata=frozenset({"note"} if note else ()),
        warnings=(warning("unknown-length", ["data size"]),) if streamed else (),
        correction=correction,
    )
