"""PNG: chunks read and written. libpng itself checks the CRCs and the amount of image data, and says so."""

from __future__ import annotations

import struct
import zlib

from isal import isal_zlib

from noisecli.codecs.image import exif
from noisecli.codecs.image.header import Header, Metadata, animated, check_size, corrupt, truncated
from noisecli.model import Limits

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, COLOUR, PALETTE, GREY_ALPHA, COLOUR_ALPHA = 0, 2, 3, 4, 6
CHANNELS = {GREY: 1, COLOUR: 3, PALETTE: 1, GREY_ALPHA: 2, COLOUR_ALPHA: 4}
DEFLATE_LIMIT = 1032
"""Deflate never shrinks data further than this."""
XMP_KEYWORD = b"XML:com.adobe.xmp"

KEPT = frozenset(
    (b"gAMA", b"cHRM", b"sRGB", b"cICP", b"mDCV", b"cLLI", b"pHYs", b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"tIME")
)
PIXELS = frozenset((b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"sBIT", b"acTL", b"fcTL"))


def read(data: bytes, limits: Limits) -> Header:
    """Walk over the chunks of a PNG without inflating its picture."""
    if data[12:16] != b"IHDR" or len(data) < 33:
        raise truncated("the PNG ends in its header")
    width, height, bits, colour, _, _, interlace = struct.unpack_from(">IIBBBBB", data, 16)
    if colour not in CHANNELS:
        raise corrupt(f"PNG colour type {colour} does not exist")
    check_size(width, height, 1, limits)
    header = Header("png", width, height, data)
    kept, compressed, transparent, end = _chunks(header, data)
    row = (width * bits * CHANNELS[colour] + 7) // 8 + 1
    if compressed * DEFLATE_LIMIT < row * height * (1 if interlace == 0 else 0.9):
        raise truncated(f"{compressed} bytes cannot hold the {width} x {height} pixels the PNG claims")
    if transparent and colour == GREY:
        header.transparent_grey = _transparent_grey(data, bits)
    header.metadata = _metadata(kept)
    header.orientation = exif.orientation(header.metadata.exif)
    _warn(header, colour, transparent, end < len(data))
    return header


def _chunks(header: Header, data: bytes) -> tuple[list[tuple[bytes, bytes]], int, bool, int]:
    """Return the chunks worth keeping, the size of the image data, whether tRNS is there, and where IEND ends."""
    kept: list[tuple[bytes, bytes]] = []
    compressed, transparent, position = 0, False, 33
    while True:
        if position + 12 > len(data):
            raise truncated("the PNG has no end chunk")
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        if end > len(data):
            raise truncated("a PNG chunk is longer than the file")
        if kind == b"IDAT":
            compressed += length
        elif kind == b"IEND":
            return kept, compressed, transparent, end
        elif kind == b"acTL":
            _check_single(data, position)
        elif kind == b"tRNS":
            transparent = True
        elif kind not in PIXELS:
            body = _body(header, data[position:end])
            kept += [(kind, body[4:])] if body else []
        position = end


def _check_single(data: bytes, position: int) -> None:
    (frames,) = struct.unpack_from(">I", data, position + 8)
    if frames > 1:
        raise animated(frames)


def _body(header: Header, chunk_bytes: bytes) -> bytes:
    """Return kind and content of a chunk beside the picture; one with a wrong CRC is left behind with a warning."""
    body = chunk_bytes[4:-4]
    if zlib.crc32(body) == struct.unpack_from(">I", chunk_bytes, len(chunk_bytes) - 4)[0]:
        return body
    header.warn("decoder-warning")
    return b""


def _transparent_grey(data: bytes, bits: int) -> int:
    """Return the transparent value on the scale OpenCV decodes to: all 8 bits, or 16."""
    (value,) = struct.unpack_from(">H", data, data.index(b"tRNS", 33) + 4)
    return int(value) if bits == 16 else value * 255 // ((1 << bits) - 1)


def _metadata(chunks: list[tuple[bytes, bytes]]) -> Metadata:
    exif_payload, xmp, icc, native, extra, lost, density = b"", b"", b"", [], False, False, None
    for kind, body in chunks:
        if kind == b"iCCP":
            icc = _profile(body)
            lost = lost or not icc
            continue
        if kind not in KEPT:
            lost = True
            continue
        if kind == b"eXIf":
            exif_payload = body
        elif kind == b"iTXt" and body.startswith(XMP_KEYWORD + b"\0"):
            xmp = _international_text(body)
        elif kind == b"pHYs" and len(body) == 9:
            density = _density(body)
        elif kind != b"sRGB":
            extra = True
        native.append(chunk(kind, body))
    return Metadata(exif_payload, xmp, icc, density, tuple(native), extra=extra, lost=lost)


def _inflate(data: bytes, most: int = 1 << 26) -> bytes:
    """Inflate metadata, never a bomb of it."""
    try:
        inflater = zlib.decompressobj()
        text = inflater.decompress(data, most)
    except zlib.error:
        return b""
    return text if inflater.eof else b""


def _profile(body: bytes) -> bytes:
    icc = _inflate(body[body.find(b"\0") + 2 :])
    return icc if len(icc) >= 128 and icc[36:40] == b"acsp" else b""


def _international_text(body: bytes) -> bytes:
    keyword_end = body.find(b"\0")
    compressed = body[keyword_end + 1 : keyword_end + 2] == b"\x01"
    text = body[keyword_end + 3 :].split(b"\0", 2)[-1]
    return _inflate(text) if compressed else text


def _density(body: bytes) -> tuple[int, int, int] | None:
    """Return pixels per metre as JFIF's dots per inch."""
    across, down, unit = struct.unpack(">IIB", body)
    across, down = (across, down) if unit == 0 else (round(across * 0.0254), round(down * 0.0254))
    return (unit, across, down) if 0 < across < 65536 and 0 < down < 65536 else None


def _warn(header: Header, colour: int, transparent: bool, trailing: bool) -> None:
    if colour == PALETTE:
        header.warn("palette-to-colour")
    if colour == GREY_ALPHA:
        header.warn("grey-alpha-to-colour-alpha")
    if transparent:
        header.warn("transparency-to-alpha")
    if trailing:
        header.warn("trailing-data")


def chunk(kind: bytes, body: bytes) -> bytes:
    """Return one chunk with its length and CRC."""
    crc = isal_zlib.crc32(body, isal_zlib.crc32(kind))
    return b"".join((struct.pack(">I", len(body)), kind, body, struct.pack(">I", crc)))


def icc_chunk(profile: bytes) -> bytes:
    """Return a colour profile as an iCCP chunk."""
    return chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(profile, 6))


def common_chunks(metadata: Metadata) -> list[bytes]:
    """Return EXIF, XMP and density of another format's picture as chunks."""
    chunks = []
    if metadata.density is not None:
        unit, across, down = metadata.density
        scale = {0: 1.0, 1: 1 / 0.0254, 2: 100.0}.get(unit, 1.0)
        chunks.append(chunk(b"pHYs", struct.pack(">IIB", round(across * scale), round(down * scale), min(unit, 1))))
    if metadata.exif:
        chunks.append(chunk(b"eXIf", metadata.exif))
    if metadata.xmp:
        chunks.append(chunk(b"iTXt", XMP_KEYWORD + b"\0\0\0\0\0" + metadata.xmp))
    return chunks
