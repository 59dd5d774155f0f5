"""JPEG 2000: the boxes around its codestream, and the codestream's own tile parts."""

import struct

from noisecli.codecs.damage import corrupt, truncated
from noisecli.codecs.image.boxes import boxes
from noisecli.codecs.image.header import Header, Metadata, check_size, unsupported
from noisecli.model import Limits

SOC_SIZ, _SOT, _EOC = b"\xff\x4f\xff\x51", 0xFF90, b"\xff\xd9"
_JP2_BOXES = frozenset((b"uuid", b"xml ", b"uinf", b"jp2i", b"asoc", b"jp2c", b"free"))
"""What may follow a codestream."""


def read(data: bytes, limits: Limits) -> Header:
    """Find the codestream of a JPEG 2000 file and follow its tile parts to the end."""
    lost, start, end = set[str](), 0, len(data)
    if data[:4] != SOC_SIZ:
        start = -1
        for kind, body, stop in boxes(data, 0, len(data)):
            if kind == b"jp2h":
                lost |= _check_jp2_header(data[body:stop])
            elif kind == b"jp2c":
                start, end = body, stop
                break
            if kind in (b"uuid", b"xml "):
                lost.add(kind.decode().strip())
    if start < 0 or data[start : start + 4] != SOC_SIZ:
        raise truncated("the JPEG 2000 file has no codestream")
    header = _codestream_header(data, start, limits)
    stop = _codestream_end(data, start)
    after = stop if end == len(data) else end
    more = data[after + 4 : after + 8] in _JP2_BOXES
    if more:
        lost.add("boxes")
    header.metadata = Metadata(lost=lost)
    header.warn("trailing-data", when=after < len(data) and not more)
    return header


def _check_jp2_header(body: bytes) -> set[str]:
    """Return which of a profile and a resolution the header holds: OpenCV drops them."""
    kinds = {kind: body[start:end] for kind, start, end in boxes(body, 0, len(body))}
    if b"pclr" in kinds:
        raise unsupported("JPEG 2000 files with a palette are")
    held = {"density": b"res " in kinds, "icc": kinds.get(b"colr", b"\1")[:1] != b"\1"}
    return {name for name, there in held.items() if there}


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
    return Header("jp2", width, height, data, components * (1 if parts == {b"\x07\1\1"} else 2))


def _codestream_end(data: bytes, start: int) -> int:
    """Return the position after the end marker, having found every tile part whole."""
    position = start + 2
    while True:
        marker, length = struct.unpack_from(">HH", data, position)
        if marker != _SOT:
            if marker >> 8 != 0xFF:
                raise truncated("the JPEG 2000 codestream has no end marker")
            position += 2 + length
            continue
        (part,) = struct.unpack_from(">I", data, position + 6)
        if part == 0:
            position = data.rfind(_EOC)
        else:
            position += part
        if 0 < part < 14 or position < 0 or position + 2 > len(data):
            raise truncated("a JPEG 2000 tile part is longer than the file")
        if data[position : position + 2] == _EOC:
            return position + 2
