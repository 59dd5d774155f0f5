"""PNG: chunks read and written. libpng itself checks the CRCs and the amount of image data, and says so."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from isal import isal_zlib

from noisecli.codecs.damage import corrupt, truncated
from noisecli.codecs.image import exif
from noisecli.codecs.image.header import Header, Metadata, animated, check_size, depth_words
from noisecli.codecs.limits import DEFLATE_RATIO
from noisecli.model import Limits

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, COLOUR, PALETTE, GREY_ALPHA, COLOUR_ALPHA = 0, 2, 3, 4, 6
_CHANNELS = {GREY: 1, COLOUR: 3, PALETTE: 1, GREY_ALPHA: 2, COLOUR_ALPHA: 4}
_XMP_KEYWORD = b"XML:com.adobe.xmp"

_KEPT = frozenset(
    (b"gAMA", b"cHRM", b"sRGB", b"cICP", b"mDCV", b"cLLI", b"pHYs", b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"tIME")
)
_PIXELS = frozenset((b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"sBIT", b"acTL", b"fcTL"))
_DEPTHS = {GREY: (1, 2, 4, 8, 16), COLOUR: (8, 16), PALETTE: (1, 2, 4, 8), GREY_ALPHA: (8, 16), COLOUR_ALPHA: (8, 16)}
_TEXTS, _MOVING = (b"zTXt", b"iTXt"), (b"acTL", b"fcTL", b"fdAT")
_MOST_TEXT = 1 << 25
"""libpng inflates and keeps a thousand texts of 8 MB each: above this, it does not get to see them."""


@dataclass(slots=True)
class _Walk:
    """What a walk over the chunks gathers."""

    colour: int
    metadata: Metadata = field(default_factory=Metadata)
    end: int = 0
    compressed: int = 0
    begun: bool = False
    colours: int = 0
    transparent: bytes = b""
    texts: int = 0
    moving: int = 0
    """One more than the frames of an animation, where there is none or one: libpng refuses none."""
    has_xmp: bool = False
    has_icc: bool = False


def read(data: bytes, limits: Limits) -> Header:
    """Walk over the chunks of a PNG without inflating its image."""
    if data[12:16] != b"IHDR" or len(data) < 33:
        raise truncated("the PNG ends in its header")
    width, height, bits, colour, compression, filters, interlace = struct.unpack_from(">IIBBBBB", data, 16)
    if bits not in _DEPTHS.get(colour, ()):
        raise corrupt(f"PNGs of colour type {colour} do not have {bits} bits")
    if compression or filters or interlace > 1:
        raise corrupt(f"PNG compression {compression}, filter {filters} or interlace {interlace} does not exist")
    check_size(width, height, 1, limits)
    header = Header("png", width, height, data, pixel_bytes=0)
    walk = _Walk(colour)
    _look_through(header, data, walk)
    row = (width * bits * _CHANNELS[colour] + 7) // 8 + 1
    if walk.compressed * DEFLATE_RATIO < row * height * (1 if interlace == 0 else 0.9):
        raise truncated(f"{walk.compressed} bytes cannot hold the {width} x {height} pixels the PNG claims")
    alpha = bool(walk.transparent) or colour in (GREY_ALPHA, COLOUR_ALPHA)
    header.pixel_bytes = (4 if alpha else 1 if colour == GREY else 3) * (2 if bits == 16 else 1)
    if walk.transparent and colour == GREY:
        header.transparent_grey = _transparent_grey(walk.transparent, bits)
    unread = (_TEXTS if walk.texts * DEFLATE_RATIO > _MOST_TEXT else ()) + (_MOVING if walk.moving else ())
    if unread:
        header.data = _without(data, unread)
    header.metadata = walk.metadata
    header.orientation = exif.orientation(header.metadata.exif)
    header.warn("palette-to-colour", when=colour == PALETTE)
    header.warn("depth", depth_words([bits]), when=bits < 8 and colour == GREY and not walk.transparent)
    header.warn("grey-alpha-to-colour-alpha", when=colour == GREY_ALPHA)
    header.warn("transparency-to-alpha", when=bool(walk.transparent))
    header.warn("trailing-data", when=walk.end < len(data))
    return header


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, start and end of the chunks after the header, up to IEND."""
    position = 33
    while True:
        if position + 12 > len(data):
            raise truncated("the PNG has no end chunk")
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        if end > len(data):
            raise truncated("a PNG chunk is longer than the file")
        yield kind, position, end
        if kind == b"IEND":
            return
        position = end


def _look_through(header: Header, data: bytes, walk: _Walk) -> None:
    for kind, position, end in _chunks(data):
        if kind == b"IDAT":
            walk.compressed += end - position - 12
            walk.begun = True
        elif kind == b"IEND":
            walk.end = end
        elif kind == b"acTL":
            (frames,) = struct.unpack_from(">I", data, position + 8)
            if frames > 1:
                raise animated(frames)
            walk.moving = frames + 1
        elif kind == b"fdAT" and walk.moving > 1:
            raise animated(2)
        elif kind == b"PLTE":
            walk.colours = (end - position - 12) // 3
        elif kind == b"tRNS" or kind not in _PIXELS:
            whole = data[position:end]
            if zlib.crc32(whole[4:-4]) != int.from_bytes(whole[-4:], "big"):
                header.warn("decoder-warning")  # dropped, as libpng does
            elif kind == b"tRNS":
                _take_transparency(walk, whole[8:-4])
            else:
                _take(walk, kind, whole)


def _take_transparency(walk: _Walk, body: bytes) -> None:
    """Take the first tRNS of the right length at its place, after the palette and before the image, as libpng."""
    fits = {GREY: len(body) == 2, COLOUR: len(body) == 6, PALETTE: 0 < len(body) <= walk.colours}
    if fits.get(walk.colour, False) and not walk.begun and not walk.transparent:
        walk.transparent = body


def _transparent_grey(body: bytes, bits: int) -> int:
    """Return the transparent value on the scale OpenCV decodes to: all 8 bits, or 16. Bits above the depth are void."""
    most = (1 << bits) - 1
    value = int.from_bytes(body, "big") & most
    return value if bits == 16 else value * 255 // most


def _take(walk: _Walk, kind: bytes, whole: bytes) -> None:
    """Take a chunk beside the image, of several profiles or XMP packets the first: each may inflate to 64 MB."""
    found = walk.metadata
    if kind == b"iCCP":
        if not walk.has_icc:
            walk.has_icc, found.icc = True, _profile(whole[8:-4])
            if not found.icc:
                found.lost.add("icc")
        return
    if kind not in _KEPT:
        found.lost.add(kind.decode("latin-1"))
        return
    if kind == b"eXIf":
        found.exif = whole[8:-4]
    elif kind == b"iTXt" and whole.startswith(_XMP_KEYWORD + b"\0", 8):
        if not walk.has_xmp:
            walk.has_xmp, found.xmp = True, _international_text(whole[8:-4])
    elif kind == b"pHYs" and len(whole) == 21:
        found.density = _density(whole[8:-4])
    elif kind != b"sRGB":
        found.extra.add(kind.decode("latin-1"))
    if kind == b"zTXt" or (kind == b"iTXt" and whole[whole.find(b"\0", 8) + 1] == 1):
        walk.texts += len(whole)
    found.native += whole


def _without(data: bytes, kinds: tuple[bytes, ...]) -> bytes:
    """Return the PNG without some of its chunks."""
    kept = bytearray(data[:33])
    for kind, position, end in _chunks(data):
        if kind not in kinds:
            kept += memoryview(data)[position:end]
    return bytes(kept)


def _inflate(data: bytes) -> bytes:
    """Inflate metadata, never a bomb of it."""
    try:
        inflater = zlib.decompressobj()
        text = inflater.decompress(data, 1 << 26)
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


def chunk(kind: bytes, body: bytes) -> bytes:
    """Return one chunk with its length and CRC."""
    crc = isal_zlib.crc32(body, isal_zlib.crc32(kind))
    return b"".join((struct.pack(">I", len(body)), kind, body, struct.pack(">I", crc)))


def icc_chunk(profile: bytes) -> bytes:
    """Return a colour profile as an iCCP chunk."""
    return chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(profile, 6))


def common_chunks(metadata: Metadata) -> list[bytes]:
    """Return EXIF, XMP and density of another format's image as chunks."""
    chunks = []
    if metadata.density is not None:
        unit, across, down = metadata.density
        scale = {0: 1.0, 1: 1 / 0.0254, 2: 100.0}.get(unit, 1.0)
        chunks.append(chunk(b"pHYs", struct.pack(">IIB", round(across * scale), round(down * scale), min(unit, 1))))
    if metadata.exif:
        chunks.append(chunk(b"eXIf", metadata.exif))
    if metadata.xmp:
        chunks.append(chunk(b"iTXt", _XMP_KEYWORD + b"\0\0\0\0\0" + metadata.xmp))
    return chunks
