"""Strips and tiles of samples that OpenCV does not give back as they are: few bits, many bands, planes, odd types.

OpenCV's libtiff still unpacks them: to it they are the bytes of a grey image, whatever they mean.
"""

import struct
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from noisecli.codecs.damage import corrupt, not_decoded, truncated
from noisecli.codecs.image import jp2, webp
from noisecli.codecs.image.decoder_log import caught, decoder_error, fails
from noisecli.codecs.image.header import Header, Tags
from noisecli.codecs.image.tiff import ifd
from noisecli.codecs.image.tiff.ifd import Page
from noisecli.codecs.image.tiff.layout import (
    BARE,
    COLOUR,
    COLOUR_MAP,
    JPEGS_2000,
    LZMA,
    PACKED_BYTES,
    PALETTE,
    STRIP_BYTES,
    STRIPS,
    TILE_BYTES,
    TILES,
    WEBP,
    ZSTD,
    Layout,
    layout_of,
)
from noisecli.model import Limits

Image = NDArray[Any]
Bytes = NDArray[np.uint8]

_AT_ONCE = 1 << 26
"""Bytes unpacked in one call."""
_NUMBERS_AT_ONCE = 1 << 20
_WIDEST = 1 << 20
_PACKBITS = 32773
_WAY_OUT = "write it anew: gdal_translate -co COMPRESS=DEFLATE, or ImageMagick"


def decode_all(header: Header) -> list[Image]:
    """Return all pages of a file."""
    first = header.layout
    assert first is not None
    try:
        if header.frames > len(header.pages):
            size = first.planes * first.row_bytes * first.height
            return [decode(header.pages[0], first, number * size) for number in range(header.frames)]
        return [decode(page, layout_of(page)) for page in header.pages]
    except (struct.error, IndexError):
        raise corrupt("a strip or tile ends inside its own header") from None
    except MemoryError:
        raise decoder_error(b"Insufficient memory") from None


def decode(page: Page, layout: Layout, shift: int = 0) -> Image:
    """Return the page so many bytes behind its place: (height, width) or (height, width, samples), blue first."""
    down, across = layout.grid
    count = down * across
    planes = [
        _assembled(_samples(page, layout, range(plane * count, (plane + 1) * count), shift), layout)
        for plane in range(layout.planes)
    ]
    image = np.concatenate(planes, axis=2) if len(planes) > 1 else planes[0]
    if layout.photometric == PALETTE:
        return _coloured(page, layout, image[..., 0])
    if layout.bits == 12:
        image = image << 4 | image >> 8
    elif layout.bits < 8:
        image = image * np.uint8(255 // ((1 << layout.bits) - 1))
    if layout.samples == 1:
        return np.ascontiguousarray(image[..., 0])
    return np.ascontiguousarray(swapped(image, layout))


def swapped(image: Image, layout: Layout) -> Image:
    """Exchange red and blue, where a page has these."""
    if layout.photometric != COLOUR:
        return image
    return image[..., [2, 1, 0, *range(3, image.shape[2])]]


def _coloured(page: Page, layout: Layout, indices: Image) -> Image:
    """Look samples up in the colour map; one of bytes in words is known by its values, as libtiff does."""
    size = 1 << layout.bits
    table: Image = np.array(page.values(COLOUR_MAP, 3 * size), np.uint16)
    if table.size != 3 * size:
        raise corrupt(f"its colour map has {table.size} values, not {3 * size}")
    table = table if table.max(initial=0) < 256 else table >> 8
    return np.ascontiguousarray(table.astype(np.uint8).reshape(3, size).T[indices][..., ::-1])


def _assembled(rows: Image, layout: Layout) -> Image:
    """Return segments, one below the other, as the plane that they are parts of."""
    if layout.tiled:
        (down, across), (width, height) = layout.grid, layout.segment
        tiles = rows.reshape(down, across, height, width, layout.channels).swapaxes(1, 2)
        rows = tiles.reshape(down * height, across * width, layout.channels)
    return rows[: layout.height, : layout.width]


def _samples(page: Page, layout: Layout, segments: range, shift: int) -> Image:
    """Return some segments, one below the other: (rows, width, channels)."""
    width, channels = layout.segment[0], layout.channels
    if layout.compression in (WEBP, *JPEGS_2000):
        return np.concatenate([_decoded(data, rows, layout) for data, rows in _pieces(page, layout, segments, shift)])
    rows = np.concatenate(list(_unpacked(page, layout, segments, shift)))
    predicted = layout.predictor if layout.compression not in (BARE, _PACKBITS) else 1
    if layout.bits % 8:
        return _split_bits(rows, layout.bits, width * channels).reshape(-1, width, channels)
    dtype = layout.dtype
    if predicted == 3:
        summed = rows.reshape(len(rows), -1, channels).cumsum(axis=1, dtype=np.uint8)
        rows = summed.reshape(len(rows), dtype.itemsize, -1).swapaxes(1, 2).reshape(len(rows), -1)
    big = predicted == 3 or layout.order == ">"
    samples = rows.view(dtype.newbyteorder(">" if big else "<")).astype(dtype, copy=False).reshape(-1, width, channels)
    if predicted == 2:
        whole = samples.view(f"u{dtype.itemsize}")
        samples = whole.cumsum(axis=1, dtype=whole.dtype).view(dtype)
    return samples


def _split_bits(rows: Bytes, bits: int, count: int) -> Image:
    """Return the first `count` numbers of each row, of 1, 2, 4 or 12 bits."""
    weights = (1 << np.arange(bits - 1, -1, -1)).astype(np.uint16)
    numbers = np.empty((len(rows), count), np.uint16 if bits > 8 else np.uint8)
    step = max(1, _NUMBERS_AT_ONCE // count)
    for start in range(0, len(rows), step):
        single = np.unpackbits(rows[start : start + step], axis=1)[:, : count * bits]
        numbers[start : start + step] = single.reshape(-1, count, bits) @ weights
    return numbers


def _pieces(page: Page, layout: Layout, segments: range, shift: int) -> Iterator[tuple[bytes, int]]:
    """Yield the packed bytes of segments, and how many rows each has."""
    where, long = (
        (TILES if TILES in page.entries else STRIPS),
        (TILE_BYTES if TILE_BYTES in page.entries else STRIP_BYTES),
    )
    places, sizes = page.values(where, segments.stop), page.values(long, segments.stop)
    height = layout.segment[1]
    for number in segments:
        above = 0 if layout.tiled else number % layout.grid[0] * height
        start = places[number] + shift
        yield page.data[start : start + sizes[number]], height if layout.tiled else min(height, layout.height - above)


def _unpacked(page: Page, layout: Layout, segments: range, shift: int) -> Iterator[Bytes]:
    """Yield the rows of segments as bytes."""
    waiting: list[bytes] = []
    rows = 0
    for data, own in _pieces(page, layout, segments, shift):
        needed = own * layout.row_bytes
        if layout.compression == BARE and layout.fill_order == 1:
            if len(data) < needed:
                raise truncated(f"a TIFF strip or tile has {len(data)} bytes where {needed} are needed")
            yield np.frombuffer(data, np.uint8, needed).reshape(own, -1)
        elif layout.compression in PACKED_BYTES:
            waiting.append(data)
            rows += own
            if rows * layout.row_bytes >= _AT_ONCE or rows + layout.segment[1] > _WIDEST:
                yield _unpack_together(waiting, layout, rows)
                waiting, rows = [], 0
        else:
            unpacked = _inflate(data, needed, layout.compression)
            if len(unpacked) != needed:
                raise truncated(f"a TIFF strip or tile holds {len(unpacked)} bytes where {needed} are needed")
            yield np.frombuffer(unpacked, np.uint8).reshape(own, -1)
    if waiting:
        yield _unpack_together(waiting, layout, rows)


def _inflate(data: bytes, needed: int, compression: int) -> bytes:
    """Unpack what libtiff has no part for here, as many bytes as are needed at most."""
    try:
        if compression == LZMA:
            import lzma

            return lzma.LZMADecompressor(memlimit=1 << 28).decompress(data, needed)
        assert compression == ZSTD
        import zstandard

        with zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(data) as reader:
            return bytes(reader.read(needed))
    except Exception as error:
        raise corrupt(f"a TIFF strip or tile cannot be unpacked ({error})") from None


def _unpack_together(pieces: list[bytes], layout: Layout, rows: int) -> Bytes:
    """Let libtiff unpack segments as the strips of a grey image as wide as their rows have bytes."""
    if layout.row_bytes > _WIDEST or rows > _WIDEST:
        raise not_decoded("OpenCV", f"its rows have {layout.row_bytes:,} bytes", _WAY_OUT)
    numbers = {256: layout.row_bytes, 257: rows, 258: 8, 259: layout.compression, 262: 1, 277: 1}
    numbers |= {266: layout.fill_order, 278: layout.segment[1]}
    tags: Tags = {tag: (4, struct.pack("<I", value)) for tag, value in numbers.items()}
    made = ifd.joined([(pieces, tags)], STRIPS, STRIP_BYTES)

    def call() -> Image | None:
        try:
            return cv2.imdecode(np.frombuffer(made, np.uint8), cv2.IMREAD_UNCHANGED)
        except (MemoryError, cv2.error):
            return None

    image, text = caught(call)
    if image is None or any(map(fails, text.splitlines())) or image.shape != (rows, layout.row_bytes):
        raise decoder_error(text)
    return image


def _decoded(data: bytes, rows: int, layout: Layout) -> Image:
    """Decode a segment that is an image of its own; its header must claim no more than the segment's share."""
    is_webp = layout.compression == WEBP
    header = (webp if is_webp else jp2).read(data, Limits(max_pixels=layout.segment[0] * rows))
    image = cv2.imdecode(np.frombuffer(header.data, np.uint8), cv2.IMREAD_UNCHANGED)
    shape = rows, layout.segment[0], layout.channels
    if image is None or image.size != rows * layout.segment[0] * layout.channels or image.dtype != layout.dtype:
        name = "WebP" if is_webp else "JPEG 2000"
        raise not_decoded("OpenCV", f"a tile or strip of {name} is not {shape[1]} x {shape[0]} x {shape[2]}", _WAY_OUT)
    image = image.reshape(shape)
    return image[..., [2, 1, 0, *range(3, shape[2])]] if shape[2] > 2 else image
