"""Boxes in boxes, as AVIF and JPEG 2000 have them."""

import struct
from collections.abc import Iterator

from noisecli.codecs.damage import corrupt, truncated


def boxes(data: bytes, position: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield (kind, start of the body, end) of the boxes in a range."""
    while position < end:
        if position + 8 > end:
            raise truncated("it ends inside a box header")
        size, kind = struct.unpack_from(">I4s", data, position)
        body = position + 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, body)
            body += 8
        stop = position + size if size else end
        if stop < body:
            raise corrupt("a box smaller than its header")
        if stop > end:
            raise truncated("a box is longer than the file")
        yield kind, body, stop
        position = stop


def box(kind: bytes, body: bytes | bytearray) -> bytes:
    """Return one box."""
    return struct.pack(">I4s", 8 + len(body), kind) + body
