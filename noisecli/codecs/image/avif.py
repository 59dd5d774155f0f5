"""AVIF: the primary item's properties, and its AV1 streams, which may be bigger than the boxes say."""

import struct
from collections.abc import Iterator

from noisecli.codecs.damage import corrupt
from noisecli.codecs.image.av1 import Sequence, sequences
from noisecli.codecs.image.boxes import box, boxes
from noisecli.codecs.image.header import Header, Metadata, animated, check_size, unsupported
from noisecli.codecs.image.heif import Extents, Items, Property, places_box, read_items, size_of
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
_ALPHAS = (b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha", b"urn:mpeg:hevc:2015:auxid:1")
_LOST = {b"clap": "clean-aperture", b"pasp": "density", b"clli": "light-levels", b"mdcv": "light-levels"}
_ROOM = 512
"""OpenCV looks at 500 bytes, and takes some files for none of its own: whose tables come late, or end within them."""


def read(data: bytes, limits: Limits) -> Header:
    """Read size, depth and turns of an AVIF from its primary item, and see that no stream is bigger."""
    items, trailing = items_of(data)
    if items.primary is None or items.primary not in items.kinds:
        raise corrupt("the AVIF does not say which image it shows")
    properties = items.properties(items.primary)
    width, height = size_of(properties)
    check_size(width, height, 1, limits)
    coded = _coded(items, items.primary)
    beside = _beside(items, coded)
    streams = [item for each in beside for item in _coded(items, each)]
    depths, pixels = _check_streams(items, list(dict.fromkeys((*coded, *streams))))
    depth, transparent = depths[0], any(_is_alpha(items, each) for each in beside)
    if transparent and _is_grey(items, coded[0]):
        raise unsupported("grey AVIFs with transparency are", "convert it to PNG first")
    channels = (4 if beside else 3) * (1 if depth == 8 else 2)
    refuse_bomb(pixels * channels, len(data), limits)
    metadata = metadata_of(properties, _lost_items(items, beside))
    header = Header("avif", width, height, data, channels, metadata=metadata, orientation=turn_of(properties))
    header.full_scale = _FULL_SCALES[depth]
    header.warn("trailing-data", when=trailing)
    return header


def items_of(data: bytes) -> tuple[Items, bool]:
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
        raise corrupt("the file does not say its size")
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
    check_grid(items, item)
    return tiles


def check_grid(items: Items, item: int) -> None:
    """A grid says its size in its own data once more, and its decoder believes that."""
    content = bytes(items.content(item)[:12])
    size = struct.unpack_from(">II" if content[1] & 1 else ">HH", content, 4)
    claimed = size_of(items.properties(item))
    if size != claimed:
        raise corrupt(f"its grid holds {size[0]} x {size[1]} pixels, its header says {claimed[0]} x {claimed[1]}")


def _beside(items: Items, coded: tuple[int, ...]) -> list[int]:
    """Return the images that lie beside the primary one or its tiles: transparency, a gain map."""
    shown = {items.primary, *coded}
    beside = ((source, targets) for (kind, source), targets in items.references.items() if kind == b"auxl")
    return [source for source, targets in beside if not shown.isdisjoint(targets)]


def _is_alpha(items: Items, item: int) -> bool:
    kind = dict(items.properties(item)).get(b"auxC", b"")[4:].split(b"\0")[0]
    return kind in _ALPHAS


def _is_grey(items: Items, item: int) -> bool:
    return bool(dict(items.properties(item))[b"av1C"][2] & 0x10)


def _lost_items(items: Items, beside: list[int]) -> set[str]:
    """Return what the file holds beside the picture, its transparency and EXIF."""
    lost = {"xmp"} if _XMP in items.media.values() else set()
    if b"tmap" in items.kinds.values():
        lost.add("gain-map")
    return lost | {"auxiliary-image" for each in beside if not _is_alpha(items, each)}


def _check_streams(items: Items, coded: list[int]) -> tuple[list[int], int]:
    """Return the depth of each stream and the pixels of all, which must be as many as the properties say.

    Tiles that are alike may share their data.
    """
    seen: dict[Extents | None, list[Sequence]] = {items.places.get(item): [] for item in coded}
    if sum(size for extents in seen if extents for _, size in extents.pieces) > len(items.data):
        raise corrupt("images of the AVIF overlap in its data")
    depths, pixels = [], 0
    for item in coded:
        properties = items.properties(item)
        claimed = size_of(properties)
        configurations = [body for kind, body in properties if kind == b"av1C"]
        if len(configurations) != 1 or len(configurations[0]) < 4:
            raise corrupt("the AVIF does not say its depth")
        flags = configurations[0][2]
        depth = 8 if not flags & 0x40 else 12 if flags & 0x20 else 10
        shared = seen[items.places.get(item)]
        shared += [] if shared else sequences(items.content(item))
        found = [*sequences(configurations[0][4:]), *shared]
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


def turn_of(properties: list[Property]) -> int:
    """Return the turn and mirror properties as the EXIF orientation that shows the same."""
    found = dict(properties)
    mirror = found[b"imir"][0] & 1 if b"imir" in found else -1
    return _TURNED[found.get(b"irot", b"\0")[0] & 3, mirror]


def metadata_of(properties: list[Property], lost: set[str]) -> Metadata:
    """Return the profile among an item's properties, and with `lost` the names of those that no output has."""
    icc, lost = b"", set(lost)
    for kind, body in properties:
        if kind in _LOST:
            lost.add(_LOST[kind])
        if kind != b"colr":
            continue
        if body[:4] == b"nclx":
            if struct.unpack_from(">HH", body, 4) not in _PLAIN_COLOURS:
                lost.add("colour-space")
        elif body[:4] in (b"prof", b"rICC"):
            icc = body[4:]
    return Metadata(icc=icc, lost=lost)


def with_room(data: bytes) -> bytes:
    """Return the same AVIF with its meta box in front, and more room in it; see _ROOM."""
    items, _ = items_of(data)
    kinds, bodies, ends = zip(*_top_boxes(data), strict=True)
    index = kinds.index(b"meta")
    begin, body, end = (0, *ends)[index], bodies[index], ends[index]

    def meta(length: int) -> bytes:
        def moved(place: int) -> int:
            return place + length - (end - begin if place >= end else 0)

        inner = bytearray(data[body : body + 4])
        for kind, start, stop in boxes(data, body + 4, end):
            inner += box(kind, places_box(items, moved) if kind == b"iloc" else data[start:stop])
        return box(b"meta", inner + box(b"free", bytes(_ROOM)))

    front = ends[0]
    return b"".join((data[:front], meta(len(meta(end))), data[front:begin], data[end:]))
