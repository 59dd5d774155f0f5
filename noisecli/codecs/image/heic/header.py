"""HEIC: which of its images is shown, how big it is, and what lies beside it, read before anything is decoded."""

from importlib.util import find_spec

from noisecli.codecs.damage import corrupt
from noisecli.codecs.image.avif import check_grid, items_of, metadata_of, turn_of
from noisecli.codecs.image.header import Header, animated, check_size, unsupported
from noisecli.codecs.image.heic.hevc import pictures
from noisecli.codecs.image.heif import Items, size_of
from noisecli.codecs.limits import refuse_bomb
from noisecli.errors import FileSkipped
from noisecli.model import Limits

_XMP = b"application/rdf+xml"
_CODED, _GRID = b"hvc1", b"grid"
_SHOWN = (_CODED, _GRID, b"iden", b"iovl", b"av01", b"jpeg", b"avc1", b"unci", b"j2k1")
_ALPHA = (b"urn:mpeg:hevc:2015:auxid:1", b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha")
_DEPTH = (b"urn:mpeg:hevc:2015:auxid:2", b"urn:mpeg:mpegB:cicp:systems:auxiliary:depth")
FULL_SCALES = {8: None, 10: 1023.0, 12: 4095.0}
_SLACK = 64
"""Encoders fill a picture up to whole blocks, and not all say how much of it is shown."""


def read(data: bytes, limits: Limits) -> Header:
    """Read size, depth and turns of the primary item, and see that no stream is bigger than it says."""
    if find_spec("pillow_heif") is None:
        words = "is HEIC, which pillow-heif reads: pip install pillow-heif, or convert it: heif-convert IN OUT.png"
        raise FileSkipped("unsupported-format", words)
    items, trailing = items_of(data)
    if items.primary is None or items.primary not in items.kinds:
        raise corrupt("the HEIC does not say which image it shows")
    coded = _coded(items, items.primary)
    alpha, lost = _beside(items, {items.primary, *coded})
    _refuse_several(items)
    properties = items.properties(items.primary)
    width, height = size_of(properties)
    check_size(width, height, 1, limits)
    depth, pixels = _check_streams(items, coded)
    if alpha is not None:
        pixels += _check_streams(items, _coded(items, alpha))[1]
    if depth not in FULL_SCALES:
        raise unsupported(f"HEICs of {depth} bits are")
    channels = (4 if alpha is not None else 3) * (1 if depth == 8 else 2)
    refuse_bomb(pixels * channels, len(data), limits)
    turn = turn_of(properties)
    shown = (height, width) if turn > 4 else (width, height)
    header = Header("heic", *shown, data, channels, metadata=metadata_of(properties, lost))
    header.full_scale = FULL_SCALES[depth]
    header.cropped = any(kind == b"clap" for kind, _ in properties)
    header.metadata.lost.discard("clean-aperture")  # libheif cuts it out
    header.warn("trailing-data", when=trailing)
    return header


def _coded(items: Items, item: int) -> tuple[int, ...]:
    """Return the items whose streams make up an image: itself, or the tiles of a grid."""
    if items.kinds.get(item) == _CODED:
        return (item,)
    tiles = items.references.get((b"dimg", item), ())
    if items.kinds.get(item) != _GRID or not tiles or any(items.kinds.get(tile) != _CODED for tile in tiles):
        raise unsupported("HEIFs that are neither one HEVC image nor a grid of them are")
    check_grid(items, item)
    return tiles


def _beside(items: Items, shown: set[int]) -> tuple[int | None, set[str]]:
    """Return the image of the transparency, and the names of what else lies beside and gets lost."""
    alpha, lost = None, set[str]()
    for (kind, source), targets in items.references.items():
        if kind != b"auxl" or shown.isdisjoint(targets):
            continue
        name = next((body[4:].split(b"\0")[0] for each, body in items.properties(source) if each == b"auxC"), b"")
        if name in _ALPHA and items.primary in targets:
            alpha = source
        elif name not in _ALPHA:
            lost.add("depth-map" if name in _DEPTH else "gain-map" if b"gainmap" in name else "auxiliary-image")
    if b"tmap" in items.kinds.values():
        lost.add("gain-map")
    lost |= (
        {"metadata-item" for kind in items.kinds.values() if kind in (b"uri ", b"mime")} if _others(items) else set()
    )
    return alpha, lost


def _others(items: Items) -> bool:
    """Whether there is metadata beside EXIF and XMP."""
    return any(kind != _XMP for kind in items.media.values()) or b"uri " in items.kinds.values()


def _refuse_several(items: Items) -> None:
    """Refuse bursts and collections: images of their own, that are no part, thumbnail or companion of another."""
    parts = {target for (kind, _), targets in items.references.items() if kind == b"dimg" for target in targets}
    parts |= {source for kind, source in items.references if kind in (b"thmb", b"auxl", b"prem", b"base")}
    images = {item for item, kind in items.kinds.items() if kind in _SHOWN} - parts - items.hidden
    count = len(images | {items.primary})
    if count > 1:
        raise animated(count, "images")


def _check_streams(items: Items, coded: tuple[int, ...]) -> tuple[int, int]:
    """Return the depth of the streams and the pixels of all, which must be about as many as the properties say."""
    if sum(map(items.length, coded)) > len(items.data):
        raise corrupt("images of the HEIC share their data")
    depths, pixels = set[int](), 0
    for item in coded:
        properties = items.properties(item)
        claimed = size_of(properties)
        configurations = [body for kind, body in properties if kind == b"hvcC"]
        if len(configurations) != 1 or len(configurations[0]) < 23:
            raise corrupt("the HEIC does not say how it is coded")
        found = list(pictures(configurations[0], items.content(item)))
        if not found:
            raise corrupt("an image of the HEIC has no HEVC parameters")
        for width, height, depth in found:
            if not (0 <= width - claimed[0] < _SLACK and 0 <= height - claimed[1] < _SLACK):
                size = f"{width} x {height}"
                raise corrupt(f"its HEVC stream holds {size} pixels, its header says {claimed[0]} x {claimed[1]}")
            depths.add(depth)
            pixels += width * height
    if len(depths) != 1:
        raise corrupt("parts of the HEIC differ in depth")
    return depths.pop(), pixels
