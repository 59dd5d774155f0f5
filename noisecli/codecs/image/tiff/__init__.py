"""TIFF: what a file's pages hold, checked before one is decoded."""

from noisecli.codecs.damage import corrupt, truncated
from noisecli.codecs.image.header import Header, check_size, unsupported
from noisecli.codecs.image.tiff import ifd
from noisecli.codecs.image.tiff.ifd import Page
from noisecli.codecs.image.tiff.layout import (
    ASSOCIATED,
    BARE,
    COLOUR,
    DEFLATES,
    EXTRA,
    GREYS,
    INKS,
    LUMA,
    ORIENTATION,
    PALETTE,
    PHOTOMETRIC,
    SAMPLE_FORMAT,
    STRIP_BYTES,
    STRIPS,
    TILE_BYTES,
    TILES,
    UINT,
    UNASSOCIATED,
    UNDEFINED,
    Layout,
    check_segments,
    layout_of,
    opencv_reads,
)
from noisecli.codecs.image.tiff.stacks import images_behind, lies_in_one_piece
from noisecli.codecs.image.tiff.tags import carried_bytes, collect
from noisecli.codecs.limits import DEFLATE_RATIO, refuse_bomb
from noisecli.errors import FileFailed, FileSkipped
from noisecli.model import DECODED_RATIO, Limits

_SUBFILE, _OLD_SUBFILE = 254, 255
_REDUCED, _MASK = 1, 4
_BEST_RATIOS = {BARE: 1, 32773: 64} | dict.fromkeys(DEFLATES, DEFLATE_RATIO)
_BEST_RATIO = 1 << 14


def read(data: bytes, limits: Limits) -> Header:
    """Check every page of a TIFF without decoding one."""
    directories, overviews = _full_pages(data, limits)
    layouts = [layout_of(page) for page in directories]
    first = layouts[0]
    by_opencv = all(map(opencv_reads, layouts))
    for page, layout in zip(directories, layouts, strict=True):
        if layout.kind != first.kind:
            raise unsupported("TIFF pages of different sizes or samples are")
        if not by_opencv:
            check_segments(layout)
        _check_places(page, layout, limits)
    header = Header("tiff", first.width, first.height, data, _pixel_bytes(first), compression=first.compression)
    header.frames, fits = images_behind(directories[0], first, len(directories))
    check_size(first.width, first.height, header.frames, limits)
    header.layout, header.orientation = first, first.orientation
    header.by_opencv = by_opencv and not (fits and header.frames > 1 and lies_in_one_piece(directories[0], first))
    if not header.by_opencv:
        check_segments(first)
    header.pages = directories
    _check_carried(header, sum(map(carried_bytes, directories)), limits)
    _say_what_changes(header, first)
    converted = first.bits < 8 or first.bits == 12 or header.channels == 3 or first.photometric == LUMA
    collect(header, directories, described=fits, converted=converted)
    if overviews:
        header.metadata.lost.add("overviews")
    if header.by_opencv:
        header.data, header.pages = _patched(data, directories, first, overviews), []
    return header


def _full_pages(data: bytes, limits: Limits) -> tuple[list[Page], bool]:
    """Return the pages without the smaller copies of them, and whether there are such."""
    directories: list[Page] = []
    overviews = False
    for page in ifd.pages(data):
        kind = page.value(_SUBFILE)
        if kind & _MASK:
            raise unsupported("TIFFs with a page that is the mask of another are")
        if kind & _REDUCED or page.value(_OLD_SUBFILE) == 2:
            overviews = True
            continue
        directories.append(page)
        check_size(page.value(256), page.value(257), len(directories), limits)
    if overviews and not directories:
        message = "holds a preview where an image should be, as camera raw files do; convert it to an ordinary TIFF"
        raise FileSkipped("unsupported-samples", message)
    if not directories:
        raise corrupt("the TIFF has no page")
    return directories, overviews


def _pixel_bytes(layout: Layout) -> int:
    """Return bytes of a decoded pixel: bits become bytes, a palette colours."""
    return (3 if layout.photometric == PALETTE else layout.samples) * -(-layout.bits // 8)


def _check_places(page: Page, layout: Layout, limits: Limits) -> None:
    """Every strip or tile must lie inside the file and be big enough to hold its share of pixels."""
    across, down = layout.segment
    if layout.tiled and not (0 < across <= 2 * layout.width + 4096 and 0 < down <= 2 * layout.height + 4096):
        raise corrupt(f"TIFF tiles of {across} x {down} in {layout.width} x {layout.height} pixels")
    where = TILES if TILES in page.entries else STRIPS
    long = TILE_BYTES if TILE_BYTES in page.entries else STRIP_BYTES
    refuse_bomb(across * down * _pixel_bytes(layout), len(page.data), limits)
    of_plane = layout.grid[0] * layout.grid[1]
    if layout.tiled and not opencv_reads(layout):  # whole tiles are held at once
        refuse_bomb(of_plane * across * down * _pixel_bytes(layout), len(page.data), limits)
    needed = layout.planes * of_plane
    if page.count(where) < needed or page.count(long) != page.count(where):
        raise corrupt(f"{page.count(where)} TIFF strips or tiles where {needed} are needed")
    places, sizes = page.values(where, needed), page.values(long, needed)
    for place, size in zip(places, sizes, strict=True):
        if size == 0 or place + size > len(page.data):
            raise truncated("a TIFF strip or tile lies beyond its end")
    _check_amount(layout, sum(sizes))


def _check_amount(layout: Layout, stored: int) -> None:
    needed = layout.width * layout.height * layout.samples * layout.bits // 8
    luma = layout.photometric == LUMA  # its chroma may be subsampled
    if stored * _BEST_RATIOS.get(layout.compression, _BEST_RATIO) * (2 if luma else 1) < needed:
        raise truncated(f"{stored} bytes cannot hold the {needed} that the TIFF claims")


def _check_carried(header: Header, carried: int, limits: Limits) -> None:
    """Tags may share their values, which outputs hold once for each: there is no reason for much of that."""
    size = len(header.data)
    refuse_bomb(header.decoded + carried, size, limits)
    if carried > limits.most_decoded(size // DECODED_RATIO):
        shared = f"its TIFF tags share values, {carried:,} bytes in a file of {size:,}"
        raise FileFailed("too-large", f"{shared}; add --max-decoded {header.decoded + carried} if that is right")


def _say_what_changes(header: Header, layout: Layout) -> None:
    header.white_is_zero = layout.photometric == 0
    header.noisy_channels = layout.noisy_channels
    header.multiplied = layout.extra[:1] == (ASSOCIATED,)
    if layout.photometric == PALETTE:
        header.warn("palette-to-colour")
    elif layout.bits < 8 or layout.bits == 12:
        header.warn("depth", f"{layout.bits} to {8 if layout.bits < 8 else 16} bits")
    if layout.photometric == INKS and header.by_opencv:
        header.channels = header.noisy_channels = 3
        header.warn("cmyk-to-colour")
    elif layout.photometric == COLOUR:
        header.bands = layout.noisy_channels != 3 or layout.samples > 4
        header.warn("alpha-assumed", when=layout.samples == 4 and not layout.extra)
    else:
        header.bands = layout.photometric == INKS or (layout.photometric in GREYS and layout.noisy_channels > 1)


def _patched(data: bytes, directories: list[Page], layout: Layout, overviews: bool) -> bytes:
    """Make OpenCV give samples as they are stored: not turned, inverted or multiplied by alpha, nor of other pages."""
    changes = [(ORIENTATION, 1, layout.orientation != 1), (PHOTOMETRIC, 1, layout.photometric == 0)]
    changes += [(SAMPLE_FORMAT, UINT, any(page.value(SAMPLE_FORMAT) == UNDEFINED for page in directories))]
    changes += [(EXTRA, 1, layout.bits == 8 and layout.extra[:1] == (UNASSOCIATED,))]
    if not overviews and not any(wanted for _, _, wanted in changes):
        return data
    patched = bytearray(data)
    for page in directories:
        for tag, number, wanted in changes:
            if wanted:
                page.patch(patched, tag, number)
    if overviews:
        ifd.chain(patched, directories)
    return bytes(patched)
