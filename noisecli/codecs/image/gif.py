"""GIF: blocks from the screen to the trailer."""

import struct

from noisecli.codecs.damage import corrupt, truncated
from noisecli.codecs.image.header import Header, Metadata, animated, check_size
from noisecli.model import Limits

_IMAGE, _EXTENSION, _TRAILER = 0x2C, 0x21, 0x3B
_GRAPHIC_CONTROL = 0xF9
_LOOPS = b"NETSCAPE2.0"
_EXTENSIONS = {0x01: "text", 0xFE: "comment", 0xFF: "application"}
_EMPTIEST = 64
"""A screen of more than a million pixels may be this much bigger than the images on it."""


def read(data: bytes, limits: Limits) -> Header:
    """Count the images of a GIF and see that it ends as it should."""
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    check_size(width, height, 1, limits)
    position = 13 + _table_size(flags)
    frames, covered, lost = 0, 0, set[str]()
    while True:
        if position >= len(data):
            raise truncated("the GIF has no end mark")
        block = data[position]
        if block == _TRAILER:
            break
        if block == _IMAGE:
            across, down, flags = struct.unpack_from("<4xHHB", data, position + 1)
            position, frames, covered = position + 11 + _table_size(flags), frames + 1, covered + across * down
            _check_plausible(across * down, len(data))
        elif block == _EXTENSION:
            if data[position + 1] != _GRAPHIC_CONTROL and data[position + 3 : position + 14] != _LOOPS:
                lost.add(_EXTENSIONS.get(data[position + 1], "extension"))
            position += 2
        else:
            raise corrupt(f"GIF block {block:#04x} does not exist")
        position = _skip(data, position)
    if frames > 1:
        raise animated(frames)
    if width * height > max(covered * _EMPTIEST, 1 << 20):
        raise corrupt(f"a GIF screen of {width} x {height} for {covered} pixels")
    header = Header("gif", width, height, data, 4, metadata=Metadata(lost=lost))
    header.warn("palette-to-colour")
    header.warn("trailing-data", when=position + 1 < len(data))
    return header


def _table_size(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _skip(data: bytes, position: int) -> int:
    """Return the position after a chain of sub-blocks."""
    while True:
        if position >= len(data):
            raise truncated("the GIF ends inside a block")
        size = data[position]
        position += size + 1
        if size == 0:
            return position


def _check_plausible(pixels: int, size: int) -> None:
    """An LZW code of 12 bits stands for 4096 pixels at most."""
    if pixels > size * 8 // 3 * 4096:
        raise truncated(f"{size} bytes cannot hold the {pixels} pixels the GIF claims")
