"""Which tags an output holds again, and how other formats say the same."""

import math
import struct
from typing import Any

import numpy as np

from noisecli.codecs.image.header import Header, Metadata, Tags
from noisecli.codecs.image.tiff import ifd
from noisecli.codecs.image.tiff.ifd import SIZES, Page
from noisecli.codecs.image.tiff.layout import EXTRA, ORIENTATION
from noisecli.codecs.image.tiff.stacks import DESCRIPTION, depends_on_samples
from noisecli.errors import FileFailed

XMP, ICC, NODATA = 700, 34675, 42113
_UNITS = {5: 4, 10: 4}
"""Bytes of what a byte order swaps, where that is not the whole value."""
_STRUCTURE = frozenset((*range(254, 260), *range(262, 267), 273, *range(277, 280), 284, 292, 293, 317, 320))
_STRUCTURE |= {*range(322, 329), 338, 339, 347, 512, *range(515, 522), 529, 530, 531}
"""Tags about the stored samples; the output has its own."""
_STATISTICS = frozenset((280, 281, 340, 341))
"""The lowest and highest sample, which noise moves."""
_DIRECTORIES = frozenset((34665, 34853))
_POINTERS = frozenset((330, 513, 514, 40965, 34412, 33628, 33630, 33631, 37500)) | _DIRECTORIES
"""Tags whose values are places in the old file, or hold some: maker notes, MetaMorph and LSM among them."""
_INKS = frozenset((332, 333, 334, 336, 337))
_OF_SAMPLES = frozenset((290, 291, 301, 342, 532))
"""Tables of what each sample value means."""
_NAMES = {270: "description", 305: "software", 306: "date", 315: "artist", 330: "sub-images", 33432: "copyright"}
_NAMES |= {34665: "exif", 34853: "gps", 40965: "interoperability", 513: "thumbnail", 514: "thumbnail"}
_NAMES |= {318: "white-point", 319: "chromaticities", 301: "transfer-function", 532: "reference-black-white"}
_NAMES |= {37500: "maker-note", 42113: "nodata", 274: "orientation"}
_COMMON = frozenset((ORIENTATION, 282, 283, 296, 338, XMP, ICC))
"""Tags that other formats have an equivalent of."""
_RESOLUTION = (282, 283, 296)


def name_of(tag: int) -> str:
    """Return what a warning calls a tag."""
    return _NAMES.get(tag, f"tag {tag}")


def collect(header: Header, directories: list[Page], *, described: bool, converted: bool) -> None:
    """Put what outputs hold again into a header's metadata.

    Parameters
    ----------
    described
        Whether the description fits the number of images.
    converted
        Whether the samples will mean something else than in the file.
    """
    page = directories[0]
    tags, lost = zip(*(_carried(each) for each in directories), strict=True)
    gone = {DESCRIPTION} if not described else set[int]()
    if converted:
        gone |= _changing(tags[0]) | _INKS
    names = set().union(*lost, *({name_of(tag) for tag in gone & each.keys()} - _quiet() for each in tags))
    tags = tuple({tag: value for tag, value in each.items() if tag not in gone} for each in tags)
    if header.frames > len(tags):
        like = {tag: tags[0][tag] for tag in (*_RESOLUTION, ORIENTATION, EXTRA) if tag in tags[0]}
        tags = (*tags, *({**like} for _ in range(header.frames - len(tags))))
    icc, xmp = (page.raw(tag) if tag in page.entries else b"" for tag in (ICC, XMP))
    extra = {name_of(tag) for each in tags for tag in set(each) - _COMMON}
    header.metadata = Metadata(icc=icc, xmp=xmp, density=_density(page), tags=tags, extra=extra, lost=names)
    header.nodata = _nodata(page)


def _quiet() -> set[str]:
    """Names that "cmyk-to-colour" says already."""
    return {name_of(tag) for tag in (332, 334)}


def _changing(tags: Tags) -> set[int]:
    """Return the tags that are true only while samples keep their type and meaning."""
    description = tags.get(DESCRIPTION, (2, b""))[1]
    own = isinstance(description, bytes) and depends_on_samples(description)
    return {*_OF_SAMPLES, DESCRIPTION} if own else {*_OF_SAMPLES}


def retyped(metadata: Metadata) -> tuple[tuple[Tags, ...], set[str]]:
    """Return the tags that stay true when the samples become floats, and the names of the others."""
    gone = _changing(metadata.tags[0])
    lost = {name_of(tag) for each in metadata.tags for tag in gone & each.keys()}
    return tuple({tag: value for tag, value in each.items() if tag not in gone} for each in metadata.tags), lost


def carried_bytes(page: Page) -> int:
    """Return how many bytes of tags an output's page holds."""
    total = 0
    for tag, (kind, count, _) in page.entries.items():
        if tag in _DIRECTORIES:
            inner = _inner(page, tag)
            total += carried_bytes(inner) if inner is not None else 0
        elif _is_carried(tag, kind):
            total += SIZES[kind] * count
    return total


def _is_carried(tag: int, kind: int) -> bool:
    return tag not in _STRUCTURE and tag not in _POINTERS and tag not in _STATISTICS and kind < 13


def _inner(page: Page, tag: int) -> Page | None:
    """Return the directory that a tag points to; None where there is none, or it points to others itself."""
    try:
        inner = ifd.directory(page.data, page.value(tag))
        for own in inner.entries:
            inner.raw(own)
    except FileFailed:
        return None
    return None if not inner.entries or _DIRECTORIES & inner.entries.keys() else inner


def _carried(page: Page) -> tuple[Tags, set[str]]:
    """Return the tags to write again, their values little-endian, and the names of others, which are lost."""
    tags: Tags = {}
    lost: set[str] = set()
    for tag, (kind, _, _) in page.entries.items():
        inner = _inner(page, tag) if tag in _DIRECTORIES else None
        if inner is not None:
            values, missing = _carried(inner)
            lost |= missing
            tags[tag] = (4, values)
        elif not _is_carried(tag, kind):
            if tag not in _STRUCTURE:
                lost.add(name_of(tag))
        elif tag != ORIENTATION or page.value(tag) != 1:
            tags[tag] = (kind, _little_endian(page, tag))
    if EXTRA in page.entries:
        tags[EXTRA] = (3, struct.pack(f"<{page.count(EXTRA)}H", *page.values(EXTRA, page.count(EXTRA))))
    return tags, lost


def _little_endian(page: Page, tag: int) -> bytes:
    kind, raw = page.entries[tag][0], page.raw(tag)
    unit = _UNITS.get(kind, SIZES[kind])
    return np.frombuffer(raw, f">u{unit}").astype(f"<u{unit}").tobytes() if page.order == ">" and unit > 1 else raw


def _density(page: Page) -> tuple[int, int, int] | None:
    if not {282, 283} <= page.entries.keys() or page.value(296, 2) not in (1, 2, 3):
        return None
    ratios = [struct.unpack(page.order + "II", page.raw(tag)[:8]) for tag in (282, 283)]
    across, down = (round(above / below) if below else 0 for above, below in ratios)
    return (page.value(296, 2) - 1, across, down) if 0 < across < 65536 and 0 < down < 65536 else None


def _nodata(page: Page) -> float | None:
    """Return GDAL's value of samples that are none; what is not a number marks itself."""
    if NODATA not in page.entries or page.entries[NODATA][1] > 64:
        return None
    try:
        value = float(page.raw(NODATA).decode("ascii", "replace").strip("\0 "))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def mark_of(value: float | None, dtype: "np.dtype[Any]") -> float | None:
    """Return the value of samples without data as their type can hold it; None where it cannot."""
    if value is None:
        return None
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            rounded = float(dtype.type(value))
        return rounded if math.isfinite(rounded) else None
    limits = np.iinfo(dtype)
    return value if value.is_integer() and limits.min <= value <= limits.max else None


def common_tags(metadata: Metadata, orientation: int) -> Tags:
    """Return another format's metadata as tags."""
    tags: Tags = {}
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
