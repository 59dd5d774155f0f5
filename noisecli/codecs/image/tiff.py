"""TIFF: strips and tiles, and which samples OpenCV gives back as they are."""

import struct

import numpy as np

from noisecli.codecs.damage import corrupt, truncated
from noisecli.codecs.image.header import Header, Metadata, check_size, depth_words, unsupported
from noisecli.codecs.image.ifd import SIZES, Page, pages
from noisecli.codecs.limits import DEFLATE_RATIO, refuse_bomb
from noisecli.errors import FileFailed
from noisecli.model import DECODED_RATIO, Limits

_UNITS = {5: 4, 10: 4}
"""Bytes of what a byte order swaps, where that is not the whole value."""

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, STRIPS, ORIENTATION = 256, 257, 258, 259, 262, 273, 274
SAMPLES, ROWS, STRIP_BYTES, PLANAR, TILE_WIDTH, TILE_HEIGHT, TILES, TILE_BYTES = 277, 278, 279, 284, 322, 323, 324, 325
EXTRA, SAMPLE_FORMAT, XMP, ICC = 338, 339, 700, 34675
_STRUCTURE = frozenset(
    (*range(254, 260), *range(262, 267), 273, 274, *range(277, 282), 284, *range(290, 294), *range(317, 326))
) | {327, 328, 332, 338, 339, 340, 341, 347, 512, 529, 530, 531, 532}
"""Tags about the stored samples; the output has its own."""
_POINTERS = frozenset((330, 513, 514, 34665, 34853, 40965))
"""Tags whose values are places in the old file."""
_NAMES = {270: "description", 305: "software", 306: "date", 315: "artist", 330: "sub-images", 33432: "copyright"}
_NAMES |= {34665: "exif", 34853: "gps", 40965: "interoperability", 513: "thumbnail", 514: "thumbnail"}
_COMMON = frozenset((282, 283, 296, 338, 700, 34675))
"""Tags that other formats have an equivalent of."""
_SHARED = {WIDTH: 0, HEIGHT: 0, SAMPLES: 1, BITS: 1, COMPRESSION: 1, PHOTOMETRIC: 1, SAMPLE_FORMAT: 1}
_SHARED |= {ORIENTATION: 1, EXTRA: -1}
"""Tags that all pages must have alike, and what they are where there is none."""

GREYS, COLOUR, PALETTE, INKS, LUMA = (0, 1), 2, 3, 5, 6
UINT, INT, FLOAT = 1, 2, 3
UNASSOCIATED = 2
_MOST_SAMPLES = 16
_DEFLATES = frozenset((8, 32946))
_COMPRESSIONS = _DEFLATES | {1, 2, 3, 4, 5, 7, 32773}
"""Bare, fax, LZW, JPEG, PackBits: what OpenCV's libtiff is built with."""


def read(data: bytes, limits: Limits) -> Header:
    """Check every page of a TIFF without decoding one."""
    header: Header | None = None
    first: tuple[int, ...] = ()
    directories: list[Page] = []
    for page in pages(data):
        directories.append(page)
        kind = tuple(page.value(tag, default) for tag, default in _SHARED.items())
        check_size(kind[0], kind[1], len(directories), limits)
        if header is None:
            header, first = Header("tiff", kind[0], kind[1], data, _pixel_bytes(page), compression=kind[4]), kind
        elif kind != first:
            raise unsupported("TIFF pages of different sizes or samples are")
        _check_samples(page, header)
        _check_places(page, limits)
    if header is None:
        raise corrupt("the TIFF has no page")
    header.frames = len(directories)
    _check_carried(header, sum(_carried_bytes(each) for each in directories), limits)
    _finish(header, directories)
    return header


def _pixel_bytes(page: Page) -> int:
    """Return bytes of a pixel as OpenCV gives it: bits become bytes, a palette colours."""
    channels = 3 if page.value(PHOTOMETRIC, 1) == PALETTE else page.value(SAMPLES, 1)
    return channels * max(1, page.value(BITS, 1) // 8)


def _check_samples(page: Page, header: Header) -> None:
    """Skip by name what OpenCV refuses, or hands over with other values than it says."""
    samples, bits, photometric = page.value(SAMPLES, 1), page.value(BITS, 1), page.value(PHOTOMETRIC, 1)
    form = page.value(SAMPLE_FORMAT, UINT)
    name = f"TIFFs of {samples} x {bits}-bit samples (photometric {photometric}, sample format {form}) are"
    if page.value(COMPRESSION, 1) not in _COMPRESSIONS:
        raise unsupported(f"TIFFs of compression {page.value(COMPRESSION)} are")
    if any(len(set(page.values(tag, _MOST_SAMPLES))) > 1 for tag in (BITS, SAMPLE_FORMAT)):
        raise unsupported("TIFFs whose channels differ in depth are")
    depth_fits = (form, bits) in {(UINT, 8), (UINT, 16), (INT, 16), (INT, 32), (FLOAT, 32), (FLOAT, 64)}
    extra = page.count(EXTRA)
    if photometric in GREYS:
        inverted = photometric == 0 and bits > 8
        fits = samples == 1 and (depth_fits or (form, bits) == (UINT, 1)) and not inverted
        header.warn("depth", depth_words([bits]), when=bits < 8)
    elif photometric == COLOUR:
        planar = page.value(PLANAR, 1) == 2 and (form, bits) != (UINT, 8)
        fits = (samples == 3 or (samples == 4 and extra <= 1)) and depth_fits and not planar
    elif photometric == PALETTE:
        fits = samples == 1 and bits in (4, 8)
        header.warn("palette-to-colour")
    elif photometric == INKS:
        fits = samples == 4 and (form, bits) == (UINT, 8)
        header.channels = 3
        header.warn("cmyk-to-colour")
    else:
        fits = photometric == LUMA and samples == 3 and (form, bits) == (UINT, 8)
    if not fits:
        raise unsupported(name)


def _check_places(page: Page, limits: Limits) -> None:
    """Every strip or tile must lie inside the file and be big enough to hold its share of pixels."""
    width, height, samples = page.value(WIDTH), page.value(HEIGHT), page.value(SAMPLES, 1)
    planes = samples if page.value(PLANAR, 1) == 2 else 1
    tiled = TILE_WIDTH in page.entries
    if tiled:
        across, down = page.value(TILE_WIDTH), page.value(TILE_HEIGHT)
        where = TILES if TILES in page.entries else STRIPS
        long = TILE_BYTES if TILE_BYTES in page.entries else STRIP_BYTES
        if not 0 < across <= 2 * width + 4096 or not 0 < down <= 2 * height + 4096:
            raise corrupt(f"TIFF tiles of {across} x {down} in {width} x {height} pixels")
    else:
        across, down = width, min(page.value(ROWS, height) or height, height)
        where, long = STRIPS, STRIP_BYTES
    refuse_bomb(across * down * _pixel_bytes(page), len(page.data), limits)
    needed = planes * -(-width // across) * -(-height // down)
    if page.count(where) < needed or page.count(long) != page.count(where):
        raise corrupt(f"{page.count(where)} TIFF strips or tiles where {needed} are needed")
    places, sizes = page.values(where, needed), page.values(long, needed)
    for place, size in zip(places, sizes, strict=True):
        if size == 0 or place + size > len(page.data):
            raise truncated("a TIFF strip or tile lies beyond its end")
    _check_amount(page, sum(sizes), width * height * samples * page.value(BITS, 1) // 8)


def _check_amount(page: Page, stored: int, needed: int) -> None:
    compression = page.value(COMPRESSION, 1)
    most = {1: 1, 32773: 64}.get(compression, DEFLATE_RATIO if compression in _DEFLATES else 1 << 14)
    luma = page.value(PHOTOMETRIC, 1) == LUMA  # its chroma may be subsampled
    if stored * most * (2 if luma else 1) < needed:
        raise truncated(f"{stored} bytes cannot hold the {needed} that the TIFF claims")


def _finish(header: Header, directories: list[Page]) -> None:
    """Collect metadata, and make OpenCV leave unassociated alpha alone: it would multiply it in silently."""
    page = directories[0]
    tags, lost = zip(*(_carried(each) for each in directories), strict=True)
    icc, xmp = (page.raw(tag) if tag in page.entries else b"" for tag in (ICC, XMP))
    extra = {name_of(tag) for each in tags for tag in set(each) - _COMMON}
    dropped = set().union(*lost)
    header.metadata = Metadata(icc=icc, xmp=xmp, density=_density(page), tags=tags, extra=extra, lost=dropped)
    if page.value(ORIENTATION, 1) in (5, 6, 7, 8):
        header.width, header.height = header.height, header.width
    places = [each.entries[EXTRA][2] for each in directories if each.value(EXTRA) == UNASSOCIATED]
    if places and page.value(BITS, 1) == 8:
        patched = bytearray(header.data)
        for place in places:
            struct.pack_into(page.order + "H", patched, place, 1)
        header.data = bytes(patched)


def _density(page: Page) -> tuple[int, int, int] | None:
    if not {282, 283} <= page.entries.keys() or page.value(296, 2) not in (1, 2, 3):
        return None
    ratios = [struct.unpack(page.order + "II", page.raw(tag)[:8]) for tag in (282, 283)]
    across, down = (round(above / below) if below else 0 for above, below in ratios)
    return (page.value(296, 2) - 1, across, down) if 0 < across < 65536 and 0 < down < 65536 else None


def _check_carried(header: Header, carried: int, limits: Limits) -> None:
    """Tags may share their values, which outputs hold once for each: there is no reason for much of that."""
    size = len(header.data)
    refuse_bomb(header.decoded + carried, size, limits)
    if carried > limits.most_decoded(size // DECODED_RATIO):
        shared = f"its TIFF tags share values, {carried:,} bytes in a file of {size:,}"
        raise FileFailed("too-large", f"{shared}; add --max-decoded {header.decoded + carried} if that is right")


def _carried_bytes(page: Page) -> int:
    """Return how many bytes of tags an output's page holds."""
    return sum(SIZES[kind] * count for tag, (kind, count, _) in page.entries.items() if _is_carried(tag, kind))


def _is_carried(tag: int, kind: int) -> bool:
    return tag not in _STRUCTURE and tag not in _POINTERS and kind < 13


def name_of(tag: int) -> str:
    """Return what a warning calls a tag."""
    return _NAMES.get(tag, f"tag {tag}")


def _carried(page: Page) -> tuple[dict[int, tuple[int, bytes]], set[str]]:
    """Return the tags to write again, their values little-endian, and the names of others, which are lost."""
    tags, lost = {}, set()
    for tag, (kind, _, _) in page.entries.items():
        if not _is_carried(tag, kind):
            if tag not in _STRUCTURE:
                lost.add(name_of(tag))
            continue
        raw, unit = page.raw(tag), _UNITS.get(kind, SIZES[kind])
        if page.order == ">" and unit > 1:
            raw = np.frombuffer(raw, f">u{unit}").astype(f"<u{unit}").tobytes()
        tags[tag] = (kind, raw)
    if EXTRA in page.entries:
        tags[EXTRA] = (3, struct.pack("<H", page.value(EXTRA)))
    return tags, lost


def common_tags(metadata: Metadata, orientation: int) -> dict[int, tuple[int, bytes]]:
    """Return another format's metadata as tags."""
    tags: dict[int, tuple[int, bytes]] = {}
    if orientation != 1:
        tags[ORIENTATION] = (3, struct.pack("<H", orientation))
    if metadata.density is not None:
        unit, across, down = metadata.density
        tags |= {282: (5, struct.pack("<II", across, 1)), 283: (5, struct.pack("<II", down, 1))}
        tags[296] = (3, struct.pack("<H", unit + 1))
    if metadata.icc:
        tags[ICC] = (7, metadata.icc)
    if metadata.xmp:
        tags[XMP] = (1, metadata.xmp)
    return tags
