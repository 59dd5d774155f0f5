"""WebP: a RIFF of chunks."""

import struct

from noisecli.codecs.damage import corrupt, truncated
from noisecli.codecs.image import exif
from noisecli.codecs.image.header import Header, Metadata, animated, check_size
from noisecli.model import Limits

_ZEROS = 256
_ALPHA_FLAG, _ANIMATION_FLAG = 0x10, 0x02
_FRAME_HEAD = 16
METADATA = (b"EXIF", b"XMP ", b"ICCP")
_IMAGES = (b"VP8 ", b"VP8L")
_ONCE = frozenset((*_IMAGES, b"VP8X", b"ALPH"))


def read(data: bytes, limits: Limits) -> Header:
    """Walk over the chunks of a WebP."""
    end = 8 + struct.unpack_from("<I", data, 4)[0]
    if end > len(data):
        raise truncated("the WebP is shorter than its size says")
    found, frames, lost = _chunks(data, end)
    more = end + (end & 1) < len(data)
    if frames == 1 and (still := _still(data, end)):
        data, end = still, len(still)
        found, frames, lost = _chunks(data, end)
    if frames or b"ANIM" in found:
        raise animated(frames)
    width, height, alpha = _size(found)
    check_size(width, height, 1, limits)
    exif_payload, xmp, icc = (found.get(kind, b"") for kind in METADATA)
    metadata = Metadata(exif_payload.removeprefix(b"Exif\0\0"), xmp, icc, lost=lost)
    # libwebp would make up for missing bits of an image with what follows the file
    header = Header("webp", width, height, data[:end], 4 if alpha else 3, metadata=metadata)
    header.orientation = exif.orientation(metadata.exif)
    header.warn("trailing-data", when=more)
    return header


def _chunks(data: bytes, end: int) -> tuple[dict[bytes, bytes], int, set[str]]:
    """Return the first chunk of each known kind, how many frames there are, and the names of unknown chunks.

    Of chunks about the image only the beginning is returned.
    """
    found: dict[bytes, bytes] = {}
    frames, lost, position = 0, set[str](), 12
    while position + 8 <= end:
        kind, size = struct.unpack_from("<4sI", data, position)
        start = position + 8
        if start + size > end:
            raise truncated("a WebP chunk is longer than the file")
        if kind in _IMAGES:
            _check_image(kind, data[start : start + 10], size, data[start + size - _ZEROS :][:_ZEROS])
        if kind in _ONCE:
            if kind in found or (kind in _IMAGES and not found.keys().isdisjoint(_IMAGES)):
                raise corrupt("the WebP holds two images")
            found[kind] = data[start : start + min(size, 32)]
        elif kind in METADATA:
            found.setdefault(kind, data[start : start + size])
        elif kind == b"ANIM":
            found[kind] = b""
        elif kind == b"ANMF":
            frames += 1
        else:
            lost.add(kind.decode("latin-1").strip())
        position = start + size + (size & 1)
    return found, frames, lost


def _still(data: bytes, end: int) -> bytes | None:
    """Return an animation of one frame as an image of its own, None where the frame does not cover the canvas."""
    pieces, canvas, position = list[bytes](), b"", 12
    while position + 8 <= end:
        kind, size = struct.unpack_from("<4sI", data, position)
        body = data[position + 8 : position + 8 + size]
        position += 8 + size + (size & 1)
        if kind == b"VP8X" and size >= 10 and not pieces:
            canvas = body[4:10]
            pieces.append(_piece(kind, bytes([body[0] & ~_ANIMATION_FLAG]) + body[1:]))
        elif kind == b"ANMF":
            if body[:12] != bytes(6) + canvas:
                return None
            pieces.append(body[_FRAME_HEAD:] + bytes(size & 1))
        elif kind != b"ANIM":
            pieces.append(_piece(kind, body))
    content = b"WEBP" + b"".join(pieces)
    return b"RIFF" + struct.pack("<I", len(content)) + content


def _piece(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + bytes(len(body) & 1)


def _check_image(kind: bytes, start: bytes, size: int, end: bytes) -> None:
    """WebP has no checksum: an image filled up with zeros decodes to something."""
    if kind == b"VP8 " and int.from_bytes(start[:3], "little") >> 5 > size:
        raise truncated("the WebP's first partition is longer than its chunk")
    if size > _ZEROS and not any(end):
        raise truncated("the WebP's end is filled with zeros")


def _size(found: dict[bytes, bytes]) -> tuple[int, int, bool]:
    """Return width, height and whether there is transparency, as the image's own stream says."""
    alpha = b"ALPH" in found
    if b"VP8 " in found:
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", found[b"VP8 "], 6))
    elif b"VP8L" in found:
        (bits,) = struct.unpack_from("<I", found[b"VP8L"], 1)
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        alpha = alpha or bool(bits >> 28 & 1)
    else:
        raise corrupt("the WebP holds no image")
    if b"VP8X" in found:
        canvas = found[b"VP8X"]
        alpha = alpha or bool(canvas[0] & _ALPHA_FLAG)
        claimed = int.from_bytes(canvas[4:7], "little") + 1, int.from_bytes(canvas[7:10], "little") + 1
        if claimed != (width, height):
            raise corrupt(f"its canvas is {claimed[0]} x {claimed[1]}, its image {width} x {height} pixels")
    return width, height, alpha
