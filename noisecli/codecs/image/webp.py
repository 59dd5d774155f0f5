"""WebP: a RIFF of chunks."""

from __future__ import annotations

import struct

from noisecli.codecs.image import exif
from noisecli.codecs.image.header import Header, Metadata, animated, check_size, corrupt, truncated
from noisecli.model import Limits

LARGEST_SIDE = 16383
ZEROS = 256
KNOWN = frozenset((b"VP8X", b"VP8 ", b"VP8L", b"ALPH"))


def read(data: bytes, limits: Limits) -> Header:
    """Walk over the chunks of a WebP."""
    end = 8 + struct.unpack_from("<I", data, 4)[0]
    if end > len(data):
        raise truncated("the WebP is shorter than its size says")
    chunks = _chunks(data, end)
    kinds = [kind for kind, _ in chunks]
    if b"ANIM" in kinds or b"ANMF" in kinds:
        raise animated(kinds.count(b"ANMF"))
    found = dict(chunks)
    width, height = _size(found)
    check_size(width, height, 1, limits)
    exif_payload = found.get(b"EXIF", b"")
    metadata = Metadata(
        exif_payload.removeprefix(b"Exif\0\0"),
        found.get(b"XMP ", b""),
        found.get(b"ICCP", b""),
        lost=any(kind not in KNOWN and kind not in (b"EXIF", b"XMP ", b"ICCP") for kind in kinds),
    )
    # libwebp would make up for missing bits of a picture with what lies behind the file
    whole = data[:end]
    header = Header("webp", width, height, whole, metadata=metadata, orientation=exif.orientation(metadata.exif))
    if end + (end & 1) < len(data):
        header.warn("trailing-data")
    return header


def _chunks(data: bytes, end: int) -> list[tuple[bytes, bytes]]:
    chunks, position = [], 12
    while position + 8 <= end:
        kind, size = struct.unpack_from("<4sI", data, position)
        if position + 8 + size > end:
            raise truncated("a WebP chunk is longer than the file")
        body = data[position + 8 : position + 8 + (32 if kind in (b"VP8 ", b"VP8L") else size)]
        chunks.append((kind, body))
        _check_picture(kind, data[position + 8 : position + 18], size, data[position + 8 + size - ZEROS :][:ZEROS])
        position += 8 + size + (size & 1)
    return chunks


def _check_picture(kind: bytes, start: bytes, size: int, end: bytes) -> None:
    """WebP has no checksum: a picture filled up with zeros decodes to something."""
    if kind not in (b"VP8 ", b"VP8L"):
        return
    if kind == b"VP8 " and int.from_bytes(start[:3], "little") >> 5 > size:
        raise truncated("the WebP's first partition is longer than its chunk")
    if size > ZEROS and not any(end):
        raise truncated("the WebP's end is filled with zeros")


def _size(chunks: dict[bytes, bytes]) -> tuple[int, int]:
    if b"VP8 " in chunks:
        width, height = struct.unpack_from("<HH", chunks[b"VP8 "], 6)
        return width & 0x3FFF, height & 0x3FFF
    if b"VP8L" in chunks:
        (bits,) = struct.unpack_from("<I", chunks[b"VP8L"], 1)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    raise corrupt("the WebP holds no picture")
