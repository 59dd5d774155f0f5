"""Samples -> TIFF, lying as they lay in the source."""

import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from noisecli.codecs.image.header import Tags
from noisecli.codecs.image.tiff import ifd
from noisecli.codecs.image.tiff.layout import (
    BARE,
    COLOUR,
    FLOAT,
    INT,
    PALETTE,
    STRIP_BYTES,
    STRIPS,
    TILE_BYTES,
    TILES,
    UINT,
    Layout,
)
from noisecli.codecs.image.tiff.segments import swapped

Image = NDArray[Any]

_DEFLATE = 8
_LEVEL = 1
_FORMS = {"u": UINT, "i": INT, "f": FLOAT}


def encode(images: list[Image], layout: Layout, tags: list[Tags]) -> bytes:
    """Return pages as a TIFF: tiles, strips and planes as in `layout`, deflated where the source was compressed.

    Parameters
    ----------
    images
        Samples of any type, colours blue first.
    tags
        What each page holds besides.
    """
    made = [
        (list(_segments(image, layout)), _structure(image, layout) | more)
        for image, more in zip(images, tags, strict=True)
    ]
    return ifd.joined(made, *((TILES, TILE_BYTES) if layout.tiled else (STRIPS, STRIP_BYTES)))


def _structure(image: Image, layout: Layout) -> Tags:
    height, width = image.shape[:2]
    samples = image.shape[2] if image.ndim == 3 else 1
    photometric = COLOUR if layout.photometric == PALETTE else layout.photometric
    shorts = {258: [8 * image.itemsize] * samples, 259: [BARE if layout.compression == BARE else _DEFLATE]}
    shorts |= {262: [photometric], 277: [samples], 284: [2 if layout.planar else 1]}
    shorts |= {339: [_FORMS[image.dtype.kind]] * samples}
    if layout.compression != BARE and image.dtype.kind != "f":
        shorts[317] = [2]
    across, down = layout.segment
    longs = {256: width, 257: height, **({322: across, 323: down} if layout.tiled else {278: down})}
    tags: Tags = {tag: (3, struct.pack(f"<{len(numbers)}H", *numbers)) for tag, numbers in shorts.items()}
    return tags | {tag: (4, struct.pack("<I", number)) for tag, number in longs.items()}


def _segments(image: Image, layout: Layout) -> Iterator[bytes]:
    """Yield the strips or tiles, plane by plane; tiles are filled up with what lies at the edge."""
    whole = image[..., np.newaxis] if image.ndim == 2 else image
    if layout.photometric in (COLOUR, PALETTE) and image.ndim == 3:
        whole = swapped(whole, layout) if layout.photometric == COLOUR else whole[..., ::-1]
    whole = whole.astype(whole.dtype.newbyteorder("<"), copy=False)
    (down, across), (wide, high) = layout.grid, layout.segment
    for plane in np.split(whole, layout.samples, axis=2) if layout.planar else [whole]:
        for row in range(down):
            for column in range(across):
                part = plane[row * high : (row + 1) * high, column * wide : (column + 1) * wide]
                if layout.tiled:
                    missing = (high - part.shape[0], wide - part.shape[1])
                    part = np.pad(part, ((0, missing[0]), (0, missing[1]), (0, 0)), "edge")
                yield _packed(part, layout)


def _packed(part: Image, layout: Layout) -> bytes:
    if layout.compression == BARE:
        return part.tobytes()
    if part.dtype.kind != "f":
        numbers = part.view(f"<u{part.itemsize}")
        part = np.concatenate((numbers[:, :1], numbers[:, 1:] - numbers[:, :-1]), axis=1)
    packed: bytes = isal_zlib.compress(np.ascontiguousarray(part).tobytes(), _LEVEL)
    return packed
