"""AVIF and JPEG 2000: boxes in boxes, and the codestream's own tile parts."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from noisecli.codecs.image.header import Header, Metadata, animated, check_size, corrupt, truncated, unsupported
from noisecli.model import Limits

SOC_SIZ, SOT, EOC = b"\xff\x4f\xff\x51", 0xFF90, b"\xff\xd9"
_SIZE_PROPERTY = re.compile(rb"\0\0\0\x14ispe\0\0\0\0(.{8})", re.DOTALL)
_CONFIGURATION = re.compile(rb"av1C\x81(..)", re.DOTALL)
_ROTATION = re.compile(rb"\0\0\0\x09irot(.)", re.DOTALL)
_MIRROR = re.compile(rb"\0\0\0\x09imir(.)", re.DOTALL)
_TURNED = {(0, -1): 1, (1, -1): 8, (2, -1): 3, (3, -1): 6, (0, 0): 4, (0, 1): 2, (1, 0): 5, (1, 1): 7}
_TURNED |= {(2, 0): 2, (2, 1): 4, (3, 0): 7, (3, 1): 5}
JP2_BOXES = frozenset((b"uuid", b"xml ", b"uinf", b"jp2i", b"asoc", b"jp2c", b"free"))
"""What may follow a codestream."""
PLAIN_COLOURS = ((1, 13), (1, 2), (2, 2), (1, 1), (2, 13))
"""(primaries, transfer) of nclx boxes that say nothing else than sRGB."""


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


def read_avif(data: bytes, limits: Limits) -> Header:
    """Read size, depth and turns of an AVIF from its properties."""
    meta, trailing, moving = b"", False, False
    for kind, start, end in _top_boxes(data):
        if kind == b"meta":
            meta = data[start:end]
        moving = moving or kind == b"moov"
        trailing = trailing or kind == b""
    if moving:
        raise animated(2, "or more frames")
    sizes = [struct.unpack(">II", found) for found in _SIZE_PROPERTY.findall(meta)]
    if not sizes:
        raise corrupt("the AVIF does not say its size")
    width, height = max(sizes, key=lambda size: size[0] * size[1])
    check_size(width, height, 1, limits)
    header = Header("avif", width, height, data, metadata=_avif_metadata(meta), orientation=_avif_turn(meta))
    header.full_scale = _avif_full_scale(meta)
    if trailing:
        header.warn("trailing-data")
    return header


def _top_boxes(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield the outermost boxes; what follows the media data and is no box is told by an empty kind."""
    seen: set[bytes] = set()
    walk = boxes(data, 0, len(data))
    position = 0
    while True:
        try:
            box = next(walk)
        except StopIteration:
            return
        except Exception:
            known = data[position + 4 : position + 8] in (b"mdat", b"meta", b"free", b"moov", b"ftyp", b"uuid", b"skip")
            if {b"ftyp", b"meta", b"mdat"} <= seen and not known:
                yield b"", position, len(data)
                return
            raise
        if b"\0" in box[0]:
            yield b"", position, len(data)
            return
        seen.add(box[0])
        position = box[2]
        yield box


def _avif_full_scale(meta: bytes) -> float | None:
    found = _CONFIGURATION.search(meta)
    if found is None:
        raise corrupt("the AVIF does not say its depth")
    flags = found[1][1]
    if not flags & 0x40:
        return None
    return 4095.0 if flags & 0x20 else 1023.0


def _avif_turn(meta: bytes) -> int:
    """Return the turn and mirror properties as the EXIF orientation that shows the same."""
    rotation, mirror = _ROTATION.search(meta), _MIRROR.search(meta)
    return _TURNED[rotation[1][0] & 3 if rotation else 0, mirror[1][0] & 1 if mirror else -1]


def _avif_metadata(meta: bytes) -> Metadata:
    icc, lost = b"", b"application/rdf+xml" in meta or b"clap" in meta
    for found in re.finditer(rb"colr(prof|rICC|nclx)", meta):
        start = found.end()
        if found[1] == b"nclx":
            lost = lost or struct.unpack_from(">HH", meta, start) not in PLAIN_COLOURS
        else:
            (size,) = struct.unpack_from(">I", meta, found.start() - 4)
            icc = meta[start : found.start() - 4 + size]
    return Metadata(icc=icc, lost=lost)


def read_jp2(data: bytes, limits: Limits) -> Header:
    """Find the codestream of a JPEG 2000 file and follow its tile parts to the end."""
    lost, start, end = False, 0, len(data)
    if data[:4] != SOC_SIZ:
        start = -1
        for kind, body, stop in boxes(data, 0, len(data)):
            if kind == b"jp2h":
                lost = _check_jp2_header(data[body:stop]) or lost
            elif kind == b"jp2c":
                start, end = body, stop
                break
            lost = lost or kind in (b"uuid", b"xml ")
    if start < 0 or data[start : start + 4] != SOC_SIZ:
        raise truncated("the JPEG 2000 file has no codestream")
    header = _codestream_header(data, start, limits)
    stop = _codestream_end(data, start)
    behind = stop if end == len(data) else end
    more = data[behind + 4 : behind + 8] in JP2_BOXES
    header.metadata = Metadata(lost=lost or more)
    if behind < len(data) and not more:
        header.warn("trailing-data")
    return header


def _check_jp2_header(body: bytes) -> bool:
    """Return whether the header holds a profile or a resolution, which OpenCV drops."""
    kinds = {kind: body[start:end] for kind, start, end in boxes(body, 0, len(body))}
    if b"pclr" in kinds:
        raise unsupported("JPEG 2000 files with a palette are")
    return b"res " in kinds or kinds.get(b"colr", b"\1")[:1] != b"\1"


def _codestream_header(data: bytes, start: int, limits: Limits) -> Header:
    right, bottom, left, top = struct.unpack_from(">4I", data, start + 8)
    (components,) = struct.unpack_from(">H", data, start + 40)
    width, height = right - left, bottom - top
    check_size(width, height, 1, limits)
    if components not in (1, 3, 4):
        raise unsupported(f"JPEG 2000 files of {components} components are")
    parts = {data[start + 42 + 3 * index : start + 45 + 3 * index] for index in range(components)}
    if parts not in ({b"\x07\1\1"}, {b"\x0f\1\1"}):
        raise unsupported("JPEG 2000 samples other than whole planes of 8 or 16 bits are")
    tile_width, tile_height = struct.unpack_from(">II", data, start + 24)
    if not tile_width or not tile_height or -(-width // tile_width) * -(-height // tile_height) > 65535:
        raise corrupt("impossible JPEG 2000 tiles")
    return Header("jp2", width, height, data)


def _codestream_end(data: bytes, start: int) -> int:
    """Return the position behind the end marker, having found every tile part whole."""
    position = start + 2
    while True:
        marker, length = struct.unpack_from(">HH", data, position)
        if marker != SOT:
            if marker >> 8 != 0xFF:
                raise truncated("the JPEG 2000 codestream has no end marker")
            position += 2 + length
            continue
        (part,) = struct.unpack_from(">I", data, position + 6)
        if part == 0:
            position = data.rfind(EOC)
        else:
            position += part
        if 0 < part < 14 or position < 0 or position + 2 > len(data):
            raise truncated("a JPEG 2000 tile part is longer than the file")
        if data[position : position + 2] == EOC:
            return position + 2
