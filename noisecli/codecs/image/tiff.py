"""TIFF: directories, strips and tiles, and which samples OpenCV gives back as they are."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from noisecli.codecs.image.header import Header, Metadata, check_size, corrupt, truncated, unsupported
from noisecli.model import Limits

SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
"""Bytes of one value of each TIFF type."""
UNITS = {5: 4, 10: 4}
"""Bytes of what a byte order swaps, where that is not the whole value."""
LETTERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q"}

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, STRIPS, ORIENTATION = 256, 257, 258, 259, 262, 273, 274
SAMPLES, ROWS, STRIP_BYTES, PLANAR, TILE_WIDTH, TILE_HEIGHT, TILES, TILE_BYTES = 277, 278, 279, 284, 322, 323, 324, 325
EXTRA, SAMPLE_FORMAT, XMP, ICC = 338, 339, 700, 34675
STRUCTURE = frozenset(
    (*range(254, 260), *range(262, 267), 273, 274, *range(277, 282), 284, *range(290, 294), *range(317, 326))
) | {327, 328, 332, 338, 339, 340, 341, 347, 512, 529, 530, 531, 532}
"""Tags about the stored samples; the output has its own."""
POINTERS = frozenset((330, 513, 514, 34665, 34853, 40965))
"""Tags whose values are places in the old file."""
COMMON = frozenset((282, 283, 296, 338, 700, 34675))
"""Tags that other formats have an equivalent of."""

GREYS, COLOUR, PALETTE, INKS, LUMA = (0, 1), 2, 3, 5, 6
UINT, INT, FLOAT = 1, 2, 3
UNASSOCIATED = 2
DEFLATE_LIMIT = 1032
DEFLATES = frozenset((8, 32946))
COMPRESSIONS = DEFLATES | {1, 2, 3, 4, 5, 7, 32773}
"""Bare, fax, LZW, JPEG, PackBits: what OpenCV's libtiff is built with."""

Entry = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Page:
    """One directory: tag -> (type, count, position of the values)."""

    data: bytes
    order: str
    entries: dict[int, Entry]

    def raw(self, tag: int) -> bytes:
        """Return the bytes of a tag's values."""
        kind, count, position = self.entries[tag]
        end = position + SIZES[kind] * count
        if end > len(self.data):
            raise truncated(f"TIFF tag {tag} lies behind its end")
        return self.data[position:end]

    def values(self, tag: int, default: tuple[int, ...] = ()) -> tuple[int, ...]:
        """Return a tag's whole numbers."""
        if tag not in self.entries:
            return default
        kind, count, _ = self.entries[tag]
        if kind not in LETTERS:
            raise corrupt(f"TIFF tag {tag} has type {kind}")
        return struct.unpack(f"{self.order}{count}{LETTERS[kind]}", self.raw(tag))

    def value(self, tag: int, default: int = 0) -> int:
        """Return a tag's first whole number."""
        return next(iter(self.values(tag)), default)


def pages(data: bytes) -> Iterator[Page]:
    """Yield the directories in their order; raises FileFailed where the chain leaves the file or bites its tail."""
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in (b"+\0", b"\0+")
    counter, pointer, entry, value_at = ("Q", "Q", "HHQ", 12) if big else ("H", "I", "HHI", 8)
    width, pointer_width, counter_width = (20, 8, 8) if big else (12, 4, 2)
    (position,) = struct.unpack_from(order + pointer, data, 8 if big else 4)
    seen: set[int] = set()
    while position:
        if position in seen:
            raise corrupt("its TIFF directories run in a circle")
        seen.add(position)
        if position + counter_width > len(data):
            raise truncated("a TIFF directory lies behind its end")
        (count,) = struct.unpack_from(order + counter, data, position)
        start = position + counter_width
        if start + width * count + pointer_width > len(data):
            raise truncated("a TIFF directory lies behind its end")
        entries: dict[int, Entry] = {}
        for at in range(start, start + width * count, width):
            tag, kind, number = struct.unpack_from(order + entry, data, at)
            if kind in SIZES:
                inline = SIZES[kind] * number <= width - value_at
                place = at + value_at
                entries[tag] = (kind, number, place if inline else struct.unpack_from(order + pointer, data, place)[0])
        yield Page(data, order, entries)
        (position,) = struct.unpack_from(order + pointer, data, start + width * count)


def read(data: bytes, limits: Limits) -> Header:
    """Check every page of a TIFF without decoding one."""
    header: Header | None = None
    first: tuple[int, ...] = ()
    directories: list[Page] = []
    for page in pages(data):
        directories.append(page)
        kind = _kind(page)
        check_size(kind[0], kind[1], len(directories), limits)
        if header is None:
            header, first = Header("tiff", kind[0], kind[1], data, compression=kind[4]), kind
        elif kind != first:
            raise unsupported("TIFF pages of different sizes or samples are")
        _check_samples(page, header)
        _check_places(page)
    if header is None:
        raise corrupt("the TIFF has no page")
    header.frames = len(directories)
    _finish(header, directories)
    return header


def _kind(page: Page) -> tuple[int, ...]:
    """Return what all pages must share."""
    return (
        page.value(WIDTH),
        page.value(HEIGHT),
        page.value(SAMPLES, 1),
        page.value(BITS, 1),
        page.value(COMPRESSION, 1),
        page.value(PHOTOMETRIC, 1),
        page.value(SAMPLE_FORMAT, 1),
        page.value(ORIENTATION, 1),
        page.value(EXTRA, -1),
    )


def _check_samples(page: Page, header: Header) -> None:
    """Skip by name what OpenCV refuses, or hands over with other values than it says."""
    samples, bits, photometric = page.value(SAMPLES, 1), page.value(BITS, 1), page.value(PHOTOMETRIC, 1)
    form = page.value(SAMPLE_FORMAT, UINT)
    name = f"TIFFs of {samples} x {bits}-bit samples (photometric {photometric}, sample format {form}) are"
    if page.value(COMPRESSION, 1) not in COMPRESSIONS:
        raise unsupported(f"TIFFs of compression {page.value(COMPRESSION)} are")
    if len(set(page.values(BITS))) > 1 or len(set(page.values(SAMPLE_FORMAT))) > 1:
        raise unsupported("TIFFs whose channels differ in depth are")
    depth_fits = (form, bits) in {(UINT, 8), (UINT, 16), (INT, 16), (INT, 32), (FLOAT, 32), (FLOAT, 64)}
    extra = page.values(EXTRA)
    if photometric in GREYS:
        inverted = photometric == 0 and bits > 8
        fits = samples == 1 and (depth_fits or (form, bits) == (UINT, 1)) and not inverted
    elif photometric == COLOUR:
        planar = page.value(PLANAR, 1) == 2 and (form, bits) != (UINT, 8)
        fits = (samples == 3 or (samples == 4 and len(extra) <= 1)) and depth_fits and not planar
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


def _check_places(page: Page) -> None:
    """Every strip or tile must lie inside the file and be big enough to hold its share of pixels."""
    width, height, samples = page.value(WIDTH), page.value(HEIGHT), page.value(SAMPLES, 1)
    planes = samples if page.value(PLANAR, 1) == 2 else 1
    tiled = TILE_WIDTH in page.entries
    if tiled:
        across, down = page.value(TILE_WIDTH), page.value(TILE_HEIGHT)
        places, sizes = page.values(TILES, page.values(STRIPS)), page.values(TILE_BYTES, page.values(STRIP_BYTES))
        if not 0 < across <= 2 * width + 4096 or not 0 < down <= 2 * height + 4096:
            raise corrupt(f"TIFF tiles of {across} x {down} in {width} x {height} pixels")
    else:
        across, down = width, min(page.value(ROWS, height) or height, height)
        places, sizes = page.values(STRIPS), page.values(STRIP_BYTES)
    needed = planes * -(-width // across) * -(-height // down)
    if len(places) < needed or len(sizes) != len(places):
        raise corrupt(f"{len(places)} TIFF strips or tiles where {needed} are needed")
    for place, size in zip(places[:needed], sizes, strict=False):
        if size == 0 or place + size > len(page.data):
            raise truncated("a TIFF strip or tile lies behind its end")
    _check_amount(page, sum(sizes[:needed]), width * height * samples * page.value(BITS, 1) // 8)


def _check_amount(page: Page, stored: int, needed: int) -> None:
    compression = page.value(COMPRESSION, 1)
    most = {1: 1, 32773: 64}.get(compression, DEFLATE_LIMIT if compression in DEFLATES else 1 << 14)
    luma = page.value(PHOTOMETRIC, 1) == LUMA  # its chroma may be subsampled
    if stored * most * (2 if luma else 1) < needed:
        raise truncated(f"{stored} bytes cannot hold the {needed} that the TIFF claims")


def _finish(header: Header, directories: list[Page]) -> None:
    """Collect metadata, and make OpenCV leave unassociated alpha alone: it would multiply it in without a word."""
    page = directories[0]
    tags, lost = zip(*(_carried(each) for each in directories), strict=True)
    icc, xmp = (page.raw(tag) if tag in page.entries else b"" for tag in (ICC, XMP))
    extra = any(set(each) - COMMON for each in tags)
    header.metadata = Metadata(icc=icc, xmp=xmp, density=_density(page), tags=tags, extra=extra, lost=any(lost))
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


def _carried(page: Page) -> tuple[dict[int, tuple[int, bytes]], bool]:
    """Return the tags to write again, their values little-endian, and whether others are lost."""
    tags, lost = {}, False
    for tag, (kind, _, _) in page.entries.items():
        if tag in STRUCTURE:
            continue
        if tag in POINTERS or kind >= 13:
            lost = True
            continue
        raw, unit = page.raw(tag), UNITS.get(kind, SIZES[kind])
        if page.order == ">" and unit > 1:
            raw = b"".join(raw[at : at + unit][::-1] for at in range(0, len(raw), unit))
        tags[tag] = (kind, raw)
    if EXTRA in page.entries:
        tags[EXTRA] = (3, struct.pack("<H", page.value(EXTRA)))
    return tags, lost


def common_tags(
    icc: bytes, xmp: bytes, orientation: int, density: tuple[int, int, int] | None
) -> dict[int, tuple[int, bytes]]:
    """Return another format's metadata as tags."""
    tags: dict[int, tuple[int, bytes]] = {}
    if orientation != 1:
        tags[ORIENTATION] = (3, struct.pack("<H", orientation))
    if density is not None:
        unit, across, down = density
        tags |= {282: (5, struct.pack("<II", across, 1)), 283: (5, struct.pack("<II", down, 1))}
        tags[296] = (3, struct.pack("<H", unit + 1))
    if icc:
        tags[ICC] = (7, icc)
    if xmp:
        tags[XMP] = (1, xmp)
    return tags


def splice(encoded: bytes, added: list[dict[int, tuple[int, bytes]]]) -> bytes:
    """Give each page of a freshly encoded little-endian TIFF a new directory at its end, with tags added."""
    pieces, position = [encoded, b"\0" * (len(encoded) & 1)], len(encoded) + (len(encoded) & 1)
    first, last = position, len(added) - 1
    for number, page in enumerate(pages(encoded)):
        kept = {tag: (entry[0], page.raw(tag)) for tag, entry in page.entries.items()}
        directory = _directory({**added[number], **kept}, position, number == last)
        pieces.append(directory)
        position += len(directory)
    joined = b"".join(pieces)
    return joined[:4] + struct.pack("<I", first) + joined[8:]


def _directory(tags: dict[int, tuple[int, bytes]], position: int, last: bool) -> bytes:
    """Return a directory and its long values, for a given place; the next one follows it directly."""
    beyond = position + 2 + 12 * len(tags) + 4
    entries, values = [], b""
    for tag in sorted(tags):
        kind, raw = tags[tag]
        entries.append(struct.pack("<HHI", tag, kind, len(raw) // SIZES[kind]))
        if len(raw) <= 4:
            entries.append(raw.ljust(4, b"\0"))
            continue
        entries.append(struct.pack("<I", beyond + len(values)))
        values += raw + b"\0" * (len(raw) & 1)
    following = struct.pack("<I", 0 if last else beyond + len(values))
    return b"".join([struct.pack("<H", len(tags)), *entries, following, values])
