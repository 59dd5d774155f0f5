"""AVIF: the primary item's properties, and its AV1 streams, which may be bigger than the boxes say."""

import struct
from collections.abc import Iterator

from noisecli.codecs.damage import corrupt
from noisecli.codecs.image.av1 import Sequence, sequences
from noisecli.codecs.image.boxes import boxes
from noisecli.codecs.image.header import Header, Metadata, animated, check_size, unsupported
from noisecli.codecs.image.heif import Items, Property, read_items, size_of
from noisecli.codecs.limits import refuse_bomb
from noisecli.errors import FileFailed
from noisecli.model import Limits

_TURNED = {(0, -1): 1, (1, -1): 8, (2, -1): 3, (3, -1): 6, (0, 0): 4, (0, 1): 2, (1, 0): 5, (1, 1): 7}
_TURNED |= {(2, 0): 2, (2, 1): 4, (3, 0): 7, (3, 1): 5}
_PLAIN_COLOURS = ((1, 13), (1, 2), (2, 2), (1, 1), (2, 13))
"""(primaries, transfer) of nclx boxes that say nothing else than sRGB."""
_LAYERED = frozenset((b"a1op", b"lsel"))
_FULL_SCALES = {8: None, 10: 1023.0, 12: 4095.0}
_CODED, _GRID = b"av01", b"grid"
_XMP = b"application/rdf+xml"


def read(data: bytes, limits: Limits) -> Header:
    """Read size, depth and turns of an AVIF from its primary item, and see that no stream is bigger."""
    items, trailing = _items(data)
    if items.primary is None or items.primary not in items.kinds:
        raise corrupt("the AVIF does not say which image it shows")
    properties = items.properties(items.primary)
    width, height = size_of(properties)
    check_size(width, height, 1, limits)
    coded = _coded(items, items.primary)
    alphas = _alphas(items, coded)
    streams = [item for each in alphas for item in _coded(items, each)]
    depths, pixels = _check_streams(items, [*coded, *streams])
    depth = depths[0]
    channels = (4 if alphas else 3) * (1 if depth == 8 else 2)
    refuse_bomb(pixels * channels, len(data), limits)
    metadata = _metadata(properties, {"xmp"} if _XMP in items.media.values() else set())
    header = Header("avif", width, height, data, channels, metadata=metadata, orientation=_turn(properties))
    header.full_scale = _FULL_SCALES[depth]
    header.warn("trailing-data", when=trailing)
    return header


def _items(data: bytes) -> tuple[Items, bool]:
    """Return the items of the file, and whether something that is not a box follows."""
    meta: tuple[int, int] | None = None
    moving = trailing = False
    for kind, start, end in _top_boxes(data):
        if kind == b"meta":
            if meta is not None:
                raise corrupt("two boxes meta")
            meta = start, end
        moving = moving or kind == b"moov"
        trailing = trailing or kind == b""
    if moving:
        raise animated(2, "or more frames")
    if meta is None:
        raise corrupt("the AVIF does not say its size")
    return read_items(data, *meta), trailing


def _top_boxes(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield the outermost boxes; what follows the media data and is not a box has an empty kind."""
    seen: set[bytes] = set()
    position = 0
    try:
        for kind, start, end in boxes(data, 0, len(data)):
            if b"\0" in kind:
                break
            seen.add(kind)
            position = end
            yield kind, start, end
        else:
            return
    except (FileFailed, struct.error):
        known = data[position + 4 : position + 8] in (b"mdat", b"meta", b"free", b"moov", b"ftyp", b"uuid", b"skip")
        if known or not {b"ftyp", b"meta", b"mdat"} <= seen:
            raise
    yield b"", position, len(data)


def _coded(items: Items, item: int) -> tuple[int, ...]:
    """Return the items whose AV1 streams make up an image: itself, or the tiles of a grid."""
    if items.kinds.get(item) == _CODED:
        return (item,)
    tiles = items.references.get((b"dimg", item), ())
    if items.kinds.get(item) != _GRID or not tiles or any(items.kinds.get(tile) != _CODED for tile in tiles):
        raise unsupported("AVIFs that are neither one AV1 image nor a grid of them are")
    _check_grid(items, item)
    return tiles


def _check_grid(items: Items, item: int) -> None:
    """A grid says its size in its own data once more, and its decoder believes that."""
    content = bytes(items.content(item)[:12])
    size = struct.unpack_from(">II" if content[1] & 1 else ">HH", content, 4)
    claimed = size_of(items.properties(item))
    if size != claimed:
        raise corrupt(f"its grid holds {size[0]} x {size[1]} pixels, its header says {claimed[0]} x {claimed[1]}")


def _alphas(items: Items, coded: tuple[int, ...]) -> list[int]:
    """Return the images that lie beside the primary one or its tiles: transparency, for one."""
    shown = {items.primary, *coded}
    beside = ((source, targets) for (kind, source), targets in items.references.items() if kind == b"auxl")
    return [source for source, targets in beside if not shown.isdisjoint(targets)]


def _check_streams(items: Items, coded: list[int]) -> tuple[list[int], int]:
    """Return the depth of each stream and the pixels of all, which must be as many as the properties say."""
    if sum(map(items.length, coded)) > len(items.data):
        raise corrupt("images of the AVIF share their data")
    depths, pixels = [], 0
    for item in coded:
        properties = items.properties(item)
        claimed = size_of(properties)
        configurations = [body for kind, body in properties if kind == b"av1C"]
        if len(configurations) != 1 or len(configurations[0]) < 4:
            raise corrupt("the AVIF does not say its depth")
        flags = configurations[0][2]
        depth = 8 if not flags & 0x40 else 12 if flags & 0x20 else 10
        found = [*sequences(configurations[0][4:]), *sequences(items.content(item))]
        if not found:
            raise corrupt("an image of the AVIF has no AV1 sequence header")
        for sequence in found:
            _check_sequence(sequence, claimed, depth, any(kind in _LAYERED for kind, _ in properties))
        depths.append(depth)
        pixels += max(sequence.width * sequence.height for sequence in found)
    return depths, pixels


def _check_sequence(sequence: Sequence, claimed: tuple[int, int], depth: int, layered: bool) -> None:
    if (sequence.width, sequence.height) != claimed and not layered:
        size = f"{sequence.width} x {sequence.height}"
        raise corrupt(f"its AV1 stream holds {size} pixels, its header says {claimed[0]} x {claimed[1]}")
    if sequence.depth != depth:
        raise corrupt(f"its AV1 stream has {sequence.depth} bits, its header says {depth}")


def _turn(properties: list[Property]) -> int:
    """Return the turn and mirror properties as the EXIF orientation that shows the same."""
    found = dict(properties)
    mirror = found[b"imir"][0] & 1 if b"imir" in found else -1
    return _TURNED[found.get(b"irot", b"\0")[0] & 3, mirror]


def _metadata(properties: list[Property], lost: set[str]) -> Metadata:
    icc, lost = b"", set(lost)
    for kind, body in properties:
        if kind == b"clap":
            lost.add("clean-aperture")
        if kind != b"colr":
            continue
        if body[:4] == b"nclx":
            if struct.unpack_from(">HH", body, 4) not in _PLAIN_COLOURS:
                lost.add("colour-space")
        elif body[:4] in (b"prof", b"rICC"):
            icc = body[4:]
    return Metadata(icc=icc, lost=lost)
