"""JPEG 2000: the boxes around its codestream, and the codestream's own tile parts."""

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noisecli.codecs.damage import corrupt, truncated
from noisecli.codecs.image.boxes import boxes
from noisecli.codecs.image.header import Header, Metadata, check_size, unsupported
from noisecli.model import Limits

SOC_SIZ, _SOT, _EOC = b"\xff\x4f\xff\x51", 0xFF90, b"\xff\xd9"
_JP2_BOXES = frozenset((b"uuid", b"xml ", b"uinf", b"jp2i", b"asoc", b"jp2c", b"free"))
"""What may follow a codestream."""
_WAY_OUT = "convert it to PNG or TIFF first"
_COLOUR_SPACE, _LUMA_SPACE = 16, 18
_SPACES, _OTHER_SPACES = (0, _COLOUR_SPACE, 17, _LUMA_SPACE), (20, 21)
"""Numbers of colour spaces: none named, sRGB, grey and its luma and chroma; and wider ones of red, green and blue."""
_LUMA = b"luma"


def read(data: bytes, limits: Limits) -> Header:
    """Find the codestream of a JPEG 2000 file and follow its tile parts to the end."""
    lost, start, end, colour, place = set[str](), 0, len(data), b"", 0
    is_bare = data[:4] == SOC_SIZ
    if not is_bare:
        start = -1
        for kind, body, stop in boxes(data, 0, len(data)):
            if kind == b"jp2h":
                colour = _check_jp2_header(data[body:stop], lost)
                place = data.find(b"colr\1", body) + 10
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
    header.format = "j2k" if is_bare else "jp2"
    header.metadata = Metadata(lost=lost, icc=colour if colour != _LUMA else b"")
    if colour == _LUMA and header.pixel_bytes in (3, 6):
        # what OpenCV makes of it are other colours
        header.data, header.is_luma = data[:place] + bytes((_COLOUR_SPACE,)) + data[place + 1 :], True
    header.warn("trailing-data", when=after < len(data) and not more)
    return header


def _check_jp2_header(body: bytes, lost: set[str]) -> bytes:
    """Return the profile that the header holds, or _LUMA; note a resolution, which OpenCV drops."""
    kinds: dict[bytes, bytes] = {}
    for kind, start, end in boxes(body, 0, len(body)):
        kinds.setdefault(kind, body[start:end])
    if b"pclr" in kinds:
        raise unsupported("JPEG 2000 files with a palette are", _WAY_OUT)
    if b"res " in kinds:
        lost.add("density")
    colour = kinds.get(b"colr", b"")
    if colour[:1] == b"\1":
        space = int.from_bytes(colour[3:7], "big")
        if space in _OTHER_SPACES:
            lost.add("colour-space")
        elif space not in _SPACES:
            raise unsupported(f"JPEG 2000 files of colour space {space} are", _WAY_OUT)
        return _LUMA if space == _LUMA_SPACE else b""
    if colour[:1] == b"\2" and colour[19:23] not in (b"RGB ", b"GRAY"):
        raise unsupported("JPEG 2000 files of inks or other colours than red, green and blue are", _WAY_OUT)
    return colour[3:]


def _codestream_header(data: bytes, start: int, limits: Limits) -> Header:
    right, bottom, left, top = struct.unpack_from(">4I", data, start + 8)
    (components,) = struct.unpack_from(">H", data, start + 40)
    width, height = right - left, bottom - top
    check_size(width, height, 1, limits)
    if components not in (1, 3, 4):
        raise unsupported(f"JPEG 2000 files of {components} components are", _WAY_OUT)
    parts = {data[start + 42 + 3 * index : start + 45 + 3 * index] for index in range(components)}
    bits = min(parts)[0] + 1
    if len(parts) > 1 or min(parts)[1:] != b"\1\1" or not 8 <= bits <= 16:
        raise unsupported("JPEG 2000 samples other than whole planes of 8 to 16 bits are", _WAY_OUT)
    tile_width, tile_height = struct.unpack_from(">II", data, start + 24)
    if not tile_width or not tile_height or -(-width // tile_width) * -(-height // tile_height) > 65535:
        raise corrupt("impossible JPEG 2000 tiles")
    header = Header("jp2", width, height, data, components * (1 if bits == 8 else 2))
    header.full_scale = float((1 << bits) - 1) if 8 < bits < 16 else None
    return header


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


def lift(image: NDArray[Any], full_scale: float) -> NDArray[Any]:
    """Return samples of fewer than 16 bits as an encoder of 16 bits must see them, for the middles to be the same."""
    return image + np.uint16((1 << 15) - (int(full_scale) + 1) // 2)


def finish(encoded: bytes, full_scale: float | None, is_bare: bool) -> bytes:
    """Write the bits of a sample into a file of 16 bits, and leave out the boxes around a bare codestream."""
    [(body, end)] = [(body, end) for kind, body, end in boxes(encoded, 0, len(encoded)) if kind == b"jp2c"]
    stream = bytearray(encoded[body:end])
    head = encoded[:body]
    if full_scale is not None:
        depth = int(full_scale).bit_length() - 1
        (components,) = struct.unpack_from(">H", stream, 40)
        for index in range(components):
            stream[42 + 3 * index] = depth
        place = head.index(b"ihdr") + 14
        head = head[:place] + bytes((depth,)) + head[place + 1 :]
    return bytes(stream) if is_bare else head + bytes(stream) + encoded[end:]
