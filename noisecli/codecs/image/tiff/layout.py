"""How the samples of a TIFF page lie, and who reads them: OpenCV what it reads right, segments.py what is left."""

from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np

from noisecli.codecs.image.header import unsupported
from noisecli.codecs.image.tiff.ifd import Page
from noisecli.errors import FileSkipped

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER, STRIPS = 256, 257, 258, 259, 262, 266, 273
ORIENTATION, SAMPLES, ROWS, STRIP_BYTES, PLANAR, PREDICTOR, COLOUR_MAP = 274, 277, 278, 279, 284, 317, 320
TILE_WIDTH, TILE_HEIGHT, TILES, TILE_BYTES, EXTRA, SAMPLE_FORMAT = 322, 323, 324, 325, 338, 339

GREYS, COLOUR, PALETTE, INKS, LUMA = (0, 1), 2, 3, 5, 6
UINT, INT, FLOAT, UNDEFINED = 1, 2, 3, 4
UNSPECIFIED, ASSOCIATED, UNASSOCIATED = 0, 1, 2
BARE = 1
DEFLATES = frozenset((8, 32946))
PACKED_BYTES = DEFLATES | {BARE, 5, 32773}
"""Deflate, none, LZW, PackBits: libtiff gives their bytes, whatever samples these are."""
_COMPRESSIONS = PACKED_BYTES | {2, 3, 4, 7}
"""With fax and JPEG, what OpenCV's libtiff is built with."""
LZMA, ZSTD, WEBP, JPEGS_2000 = 34925, 50000, 50001, (33005, 34712)
_OWN = PACKED_BYTES | {LZMA, ZSTD, WEBP, *JPEGS_2000}
_MOST_SAMPLES = 1 << 10
_TILE_UNIT = 1024
"""OpenCV refuses bare tiles of 8 bits and less that are no multiple of so many bytes."""
_OPENCV_DEPTHS = {(UINT, 8), (UINT, 16), (INT, 16), (INT, 32), (FLOAT, 32), (FLOAT, 64)}
_DTYPES = {(UINT, bits): "u1" for bits in (1, 2, 4, 8)} | {(UINT, 12): "u2", (UINT, 16): "u2", (UINT, 32): "u4"}
_DTYPES |= {(INT, 8): "i1", (INT, 16): "i2", (INT, 32): "i4", (FLOAT, 16): "f2", (FLOAT, 32): "f4", (FLOAT, 64): "f8"}
_COMPRESSION_NAMES = {2: "fax", 3: "fax", 4: "fax", 6: "old JPEG", 7: "JPEG", 33003: "Aperio's JPEG 2000 YCbCr"}
_COMPRESSION_NAMES |= {34661: "JBIG", 34887: "LERC", 50002: "JPEG XL", 52546: "JPEG XL", 34892: "lossy DNG JPEG"}
_PHOTOMETRIC_NAMES = {
    4: "transparency masks",
    6: "YCbCr",
    8: "CIE Lab",
    9: "ICC Lab",
    10: "ITU Lab",
    32803: "a raw mosaic",
}
_FORMAT_NAMES = {UINT: "unsigned", INT: "signed", FLOAT: "floating-point", 5: "complex integer", 6: "complex"}


@dataclass(frozen=True, slots=True)
class Layout:
    """The tags of one page that say how its samples lie."""

    order: str
    width: int
    height: int
    samples: int
    bits: int
    form: int
    photometric: int
    compression: int
    planar: bool
    predictor: int
    extra: tuple[int, ...]
    orientation: int
    segment: tuple[int, int]
    """Width and height of a tile, or of a strip."""
    tiled: bool
    fill_order: int

    @property
    def kind(self) -> tuple[object, ...]:
        """What all pages of a file must have alike."""
        size = self.width, self.height, self.samples, self.bits, self.form
        return *size, self.photometric, self.compression, self.extra, self.orientation

    @property
    def dtype(self) -> "np.dtype[np.generic]":
        """Of the samples as they are decoded: few bits become bytes, 12 become 16."""
        return np.dtype(_DTYPES[self.form, self.bits])

    @property
    def noisy_channels(self) -> int:
        """How many samples of a pixel are no alpha."""
        alphas = sum(kind != UNSPECIFIED for kind in self.extra)
        if self.photometric == COLOUR and self.samples == 4 and not self.extra:
            alphas = 1  # as OpenCV writes it
        return 3 if self.photometric == PALETTE else self.samples - alphas

    @property
    def planes(self) -> int:
        """How many parts the samples of a pixel lie in."""
        return self.samples if self.planar else 1

    @property
    def channels(self) -> int:
        """How many samples of a pixel lie together."""
        return 1 if self.planar else self.samples

    @property
    def row_bytes(self) -> int:
        """Bytes of a row of a segment."""
        return -(-self.segment[0] * self.channels * self.bits // 8)

    @property
    def grid(self) -> tuple[int, int]:
        """How many segments a plane has down and across."""
        across, down = self.segment
        return -(-self.height // down), -(-self.width // across)


def layout_of(page: Page) -> Layout:
    """Read the tags of a page. Raises FileSkipped where its channels differ in depth."""
    if any(len(set(page.values(tag, _MOST_SAMPLES))) > 1 for tag in (BITS, SAMPLE_FORMAT)):
        raise unsupported("TIFFs whose channels differ in depth are")
    height, form, orientation = page.value(HEIGHT), page.value(SAMPLE_FORMAT, UINT), page.value(ORIENTATION, 1)
    tiled = TILE_WIDTH in page.entries
    strip = page.value(WIDTH), min(page.value(ROWS, height) or height, height)
    return Layout(
        order=page.order,
        width=page.value(WIDTH),
        height=height,
        samples=page.value(SAMPLES, 1),
        bits=page.value(BITS, 1),
        form=UINT if form == UNDEFINED else form,
        photometric=page.value(PHOTOMETRIC, 1),
        compression=page.value(COMPRESSION, 1),
        planar=page.value(PLANAR, 1) == 2 and page.value(SAMPLES, 1) > 1,
        predictor=page.value(PREDICTOR, 1),
        extra=page.values(EXTRA, _MOST_SAMPLES),
        orientation=orientation if 1 <= orientation <= 8 else 1,
        segment=(page.value(TILE_WIDTH), page.value(TILE_HEIGHT)) if tiled else strip,
        tiled=tiled,
        fill_order=page.value(FILL_ORDER, 1),
    )


def opencv_reads(layout: Layout) -> bool:
    """Whether OpenCV gives the samples as they are; WhiteIsZero counts, as its tag is patched."""
    samples, depth = layout.samples, (layout.form, layout.bits)
    if layout.compression not in _COMPRESSIONS:
        return False
    odd = layout.row_bytes * layout.segment[1] % _TILE_UNIT
    if layout.tiled and layout.compression == BARE and layout.bits <= 8 and odd:
        return False
    if layout.photometric in GREYS:
        return samples == 1 and (depth in _OPENCV_DEPTHS or depth == (UINT, 1))
    if layout.photometric == COLOUR:
        fits = samples == 3 or (samples == 4 and len(layout.extra) <= 1)
        return fits and depth in _OPENCV_DEPTHS and not (layout.planar and depth != (UINT, 8))
    if layout.photometric == PALETTE:
        return samples == 1 and layout.bits in (4, 8)
    return depth == (UINT, 8) and (layout.photometric, samples) in ((INKS, 4), (LUMA, 3))


def check_segments(layout: Layout) -> None:
    """Skip by the name of its property what segments.py cannot decode either."""
    if layout.compression not in _OWN:
        name = _COMPRESSION_NAMES.get(layout.compression, f"number {layout.compression}")
        raise _skipped(f"compression {name}, of {_words(layout)}")
    if layout.compression == ZSTD and find_spec("zstandard") is None:
        raise FileSkipped("unsupported-samples", "TIFFs of compression Zstandard need: pip install zstandard")
    if (layout.form, layout.bits) not in _DTYPES or layout.photometric not in (*GREYS, COLOUR, PALETTE, INKS):
        raise _skipped(_words(layout))
    fewest = {COLOUR: 3, INKS: 4}.get(layout.photometric, 1)
    if not fewest <= layout.samples <= _MOST_SAMPLES:
        raise _skipped(_words(layout))
    if layout.photometric == PALETTE and (layout.samples > 1 or layout.form != UINT or layout.bits > 8):
        raise _skipped(f"palettes of {_words(layout)}")
    predicted = {1: True, 2: layout.bits in (8, 16, 32), 3: layout.form == FLOAT}
    if not predicted.get(layout.predictor, False) and layout.compression not in (BARE, 32773):
        raise _skipped(f"predictor {layout.predictor} with {_words(layout)}")
    alphas = [kind != UNSPECIFIED for kind in layout.extra]
    if alphas != sorted(alphas) or len(alphas) >= layout.samples:
        raise _skipped("an alpha channel in front of other bands")
    if layout.compression in (WEBP, *JPEGS_2000) and (layout.planar or layout.bits not in (8, 16)):
        raise _skipped(f"compression number {layout.compression}, of {_words(layout)}")


def _words(layout: Layout) -> str:
    form = _FORMAT_NAMES.get(layout.form, f"sample format {layout.form}")
    photometric = _PHOTOMETRIC_NAMES.get(layout.photometric, "")
    return f"{layout.samples} x {layout.bits}-bit {form} samples{photometric and f' ({photometric})'}"


def _skipped(what: str) -> FileSkipped:
    way_out = "convert it first: gdal_translate -co COMPRESS=DEFLATE, or ImageMagick"
    return FileSkipped("unsupported-samples", f"TIFFs of {what} cannot be decoded and written back here; {way_out}")
