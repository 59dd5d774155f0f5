"""JPEG: markers, scans, segments. The decoder reports only the first oddity it meets, so harmless ones are repaired."""

import re
import struct
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from noisecli.codecs.damage import corrupt, truncated
from noisecli.codecs.image import exif
from noisecli.codecs.image.header import Header, Metadata, check_size, unsupported
from noisecli.codecs.image.jpeg_end import EOI
from noisecli.model import Limits

_SOI, _EOI, _SOS, _COM, _APP0, _APP14 = 0xD8, 0xD9, 0xDA, 0xFE, 0xE0, 0xEE
_BASELINE, _EXTENDED, _PROGRESSIVE = 0xC0, 0xC1, 0xC2
_ARITHMETIC = (0xC9, 0xCA)
_WAY_OUT = "convert it to PNG first"
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}

_MARKER = re.compile(rb"\xff([^\x00\xff])")
_ENDS_SCAN = np.ones(256, bool)
"""Whether a byte after 0xff ends entropy-coded data: all but stuffing, fill and restart markers do."""
_ENDS_SCAN[[0x00, 0xFF, *range(0xD0, 0xD8)]] = False

_EXIF_MARK = b"Exif\0\0"
_XMP_MARK = b"http://ns.adobe.com/xap/1.0/\0"
_ICC_MARK = b"ICC_PROFILE\0"
_LARGEST_SEGMENT = 65533
_MOST_SCANS = 500
"""Each scan costs the decoder a pass over all coefficients; real files have about ten."""
_MOST_EDITS = 10_000
_MOST_PROFILE_PARTS = 255
_WINDOW = 1 << 20
"""Bytes whose marks are looked up at once: each 0xff in them takes 16 bytes meanwhile."""


@dataclass(slots=True)
class _Walk:
    """What a walk over the markers gathers."""

    metadata: Metadata = field(default_factory=Metadata)
    end: int = 0
    frame: tuple[int, int, int] | None = None
    sampling: dict[int, tuple[int, int]] = field(default_factory=dict)
    refined: dict[int, list[int]] = field(default_factory=dict)
    progressive: bool = False
    scans: int = 0
    edits: list[tuple[int, int, bytes]] = field(default_factory=list)
    profile: list[bytes] = field(default_factory=list)
    marks: NDArray[np.intp] | None = None
    marks_from: int = 0
    marks_to: int = 0
    ended: bool = True

    def edit(self, start: int, end: int, replacement: bytes) -> None:
        """Have bytes replaced for the decoder."""
        if len(self.edits) == _MOST_EDITS:
            raise corrupt(f"more than {_MOST_EDITS:,} oddities between its JPEG markers")
        self.edits.append((start, end, replacement))


def read(data: bytes, limits: Limits) -> Header:
    """Check a JPEG from its first to its last marker without decoding it."""
    walk = _walk(data, limits)
    if walk.frame is None or not walk.refined:
        raise corrupt("no image between its markers")
    if any(any(walk.refined.get(name, [-1])) for name in walk.sampling):
        # every coefficient of every component must have come, in full precision
        raise truncated("the JPEG lacks scans that refine it")
    height, width, components = walk.frame
    channels = 1 if components == 1 else 3
    walk.metadata.icc = b"".join(part[2:] for part in sorted(walk.profile, key=lambda part: part[:1]))
    repaired = _repaired(data[: walk.end], walk.edits)
    header = Header("jpeg", width, height, repaired if walk.ended else repaired + EOI, channels)
    header.metadata, header.ended = walk.metadata, walk.ended
    header.orientation = exif.orientation(walk.metadata.exif)
    header.channels = channels
    header.warn("decoder-warning", when=bool(walk.edits))
    header.warn("cmyk-to-colour", when=components == 4)
    header.warn("trailing-data", when=walk.end < len(data))
    return header


def _walk(data: bytes, limits: Limits) -> _Walk:
    walk = _Walk()
    position = 2
    while True:
        found = _MARKER.search(data, position)
        if found is None:
            # the decoder knows whether a sample is missing
            walk.end, walk.ended = len(data), False
            return walk
        if found.start() > position and not walk.refined:
            stray = data[position : found.start()].rstrip(b"\xff")  # markers may be filled up with 0xff
            if stray:
                walk.edit(position, position + len(stray), b"")
        marker, position = found[1][0], found.end()
        if marker == _EOI:
            walk.end = position
            return walk
        if 0xD0 <= marker <= _SOI or marker == 1:
            continue
        (length,) = struct.unpack_from(">H", data, position)
        if length < 2 or position + length > len(data):
            raise truncated("a JPEG segment is longer than the file")
        if marker == _SOS:
            position = _scan(walk, data, position, length)
            continue
        if marker in _FRAMES:
            _frame(walk, marker, data[position + 2 : position + length], limits)
        elif _APP0 <= marker <= 0xEF or marker == _COM:
            _segment(walk, marker, data, position, length)
        position += length


def _frame(walk: _Walk, marker: int, payload: bytes, limits: Limits) -> None:
    if marker in _ARITHMETIC:
        raise unsupported("arithmetic-coded JPEGs are", "jpegtran -copy all makes an ordinary one of it, without loss")
    if marker not in (_BASELINE, _EXTENDED, _PROGRESSIVE):
        raise unsupported("lossless and hierarchical JPEGs are", _WAY_OUT)
    if walk.frame is not None:
        raise corrupt("two JPEG frame headers")
    precision, height, width, components = struct.unpack_from(">BHHB", payload)
    if precision != 8:
        raise unsupported(f"{precision}-bit JPEGs are", _WAY_OUT)
    if components not in (1, 3, 4):
        raise unsupported(f"JPEGs of {components} components are", _WAY_OUT)
    if height == 0:
        raise unsupported("JPEGs that say their height after their samples are", _WAY_OUT)
    check_size(width, height, 1, limits)
    walk.frame = (height, width, components)
    walk.progressive = marker == _PROGRESSIVE
    for index in range(components):
        name, factors, _ = struct.unpack_from("3B", payload, 6 + 3 * index)
        if not 1 <= factors >> 4 <= 4 or not 1 <= factors & 15 <= 4:
            raise corrupt("impossible JPEG sampling factors")
        walk.sampling[name] = (factors >> 4, factors & 15)


def _segment(walk: _Walk, marker: int, data: bytes, position: int, length: int) -> None:
    """Keep an application segment or a comment; repair what libjpeg would spend its one warning on."""
    payload = data[position + 2 : position + length]
    if marker == _APP14 and payload[:5] == b"Adobe" and len(payload) >= 12:
        if payload[11] > 2:
            walk.edit(position + 13, position + 14, b"\x01")
        return
    if marker == _APP0 and payload[:5] == b"JFIF\0" and len(payload) >= 7 and payload[5] not in (1, 2):
        walk.edit(position + 7, position + 8, b"\x01")
    if _take(walk, marker, payload):
        walk.metadata.native += data[position - 2 : position + length]


def _take(walk: _Walk, marker: int, payload: bytes) -> bool:
    """Note what a segment means, and return whether an output holds it verbatim."""
    found = walk.metadata
    if marker == _APP0 and payload[:5] == b"JFIF\0" and len(payload) >= 12:
        found.density = _density(payload)
        return False
    if marker == _APP0 or (marker == 0xE2 and payload[:4] == b"MPF\0"):
        found.lost.add("mpf" if marker == 0xE2 else "jfif-extension")
        return False
    if marker == 0xE2 and payload.startswith(_ICC_MARK):
        if len(walk.profile) < _MOST_PROFILE_PARTS:
            walk.profile.append(payload[12:])
        else:
            found.lost.add("icc")
        return False
    if marker == 0xE1 and payload.startswith(_EXIF_MARK):
        found.exif = found.exif or payload[6:]
    elif marker == 0xE1 and payload.startswith(_XMP_MARK):
        found.xmp = found.xmp or payload[len(_XMP_MARK) :]
    else:
        found.extra.add("comment" if marker == _COM else f"app{marker - _APP0}")
    return True


def _scan(walk: _Walk, data: bytes, position: int, length: int) -> int:
    """Note what a scan refines; return the position of the next marker after its entropy-coded data."""
    if walk.frame is None:
        raise corrupt("a JPEG scan before the frame header")
    count = data[position + 2]
    names = data[position + 3 : position + 3 + 2 * count : 2]
    tail = position + 3 + 2 * count
    first, last, bits = struct.unpack_from("3B", data, tail)
    if not walk.progressive and (first, last, bits) != (0, 63, 0):
        walk.edit(tail, tail + 3, b"\x00\x3f\x00")
        first, last, bits = 0, 63, 0
    for name in names:
        levels = walk.refined.setdefault(name, [-1] * 64)
        levels[first : last + 1] = [bits & 15] * (last + 1 - first)
    start = position + length
    end = _scan_end(walk, data, start)
    walk.scans += 1
    if walk.scans > _MOST_SCANS:
        raise corrupt(f"more than {_MOST_SCANS} JPEG scans")
    if walk.scans == 1:
        _check_plausible(walk, len(data) - start)
    return end


def _scan_end(walk: _Walk, data: bytes, start: int) -> int:
    position = start
    while position < len(data) - 1:
        if walk.marks is None or not walk.marks_from <= position < walk.marks_to:
            _look_for_marks(walk, data, position)
        assert walk.marks is not None
        index = int(np.searchsorted(walk.marks, position - walk.marks_from))
        if index < len(walk.marks):
            return walk.marks_from + int(walk.marks[index])
        position = walk.marks_to
    return len(data)


def _look_for_marks(walk: _Walk, data: bytes, start: int) -> None:
    walk.marks_from, walk.marks_to = start, min(start + _WINDOW, len(data) - 1)
    rest = np.frombuffer(data, np.uint8, walk.marks_to - start + 1, start)
    places = np.flatnonzero(rest[:-1] == 0xFF)  # twice as fast as any search for bytes
    walk.marks = places[_ENDS_SCAN[rest[places + 1]]]


def _check_plausible(walk: _Walk, size: int) -> None:
    """Refuse more 8x8 blocks than the bytes can hold: each takes two bits, or one in a progressive's first scan."""
    assert walk.frame is not None
    height, width, _ = walk.frame
    widest = max(across for across, _ in walk.sampling.values())
    highest = max(down for _, down in walk.sampling.values())
    blocks = sum(
        -(-width * across // (8 * widest)) * -(-height * down // (8 * highest))
        for across, down in walk.sampling.values()
    )
    if blocks * (1 if walk.progressive else 2) > size * 8:
        raise truncated(f"{size} bytes cannot hold the {width} x {height} pixels the JPEG claims")


def _repaired(data: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    if not edits:
        return data
    pieces, position = [], 0
    for start, end, replacement in edits:
        pieces += [data[position:start], replacement]
        position = end
    return b"".join([*pieces, data[position:]])


def _density(jfif: bytes) -> tuple[int, int, int] | None:
    """Return the density, unless it only says that pixels are square."""
    unit, across, down = struct.unpack_from(">BHH", jfif, 7)
    return (unit, across, down) if across and down and (unit in (1, 2) or across != down) else None


def segment(marker: int, payload: bytes) -> bytes:
    """Return one marker segment."""
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def icc_segments(profile: bytes) -> list[bytes]:
    """Return a colour profile as APP2 segments."""
    room = _LARGEST_SEGMENT - len(_ICC_MARK) - 2
    parts = [profile[at : at + room] for at in range(0, len(profile), room)]
    return [segment(0xE2, _ICC_MARK + bytes((number, len(parts))) + part) for number, part in enumerate(parts, start=1)]


def common_segments(metadata: Metadata) -> tuple[list[bytes], set[str]]:
    """Return EXIF and XMP of another format's image as segments, and which of them are too long to fit."""
    pieces = {"exif": (_EXIF_MARK, metadata.exif), "xmp": (_XMP_MARK, metadata.xmp)}
    held = {name: mark + payload for name, (mark, payload) in pieces.items() if payload}
    fitting = [segment(0xE1, piece) for piece in held.values() if len(piece) <= _LARGEST_SEGMENT]
    return fitting, {name for name, piece in held.items() if len(piece) > _LARGEST_SEGMENT}


def splice(encoded: bytes, segments: list[bytes], density: tuple[int, int, int] | None) -> bytes:
    """Put segments and the density into a freshly encoded JPEG, after its JFIF header."""
    start = 4 + struct.unpack_from(">H", encoded, 4)[0]
    jfif = bytearray(encoded[:start])
    if density is not None and bytes(jfif[6:11]) == b"JFIF\0":
        struct.pack_into(">BHH", jfif, 13, *density)
    return b"".join([bytes(jfif), *segments, encoded[start:]])
