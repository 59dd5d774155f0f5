"""Samples -> PNG. Deflating is most of the work; ISA-L does it five times as fast as the zlib inside OpenCV.

Its lowest level with tables of its own packs noise as small as a search for repeats would, and gives the same bytes on
every x86 CPU with SSE 4.2; other CPUs may pack the same samples otherwise.
"""

import struct
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from noisecli.codecs.image.png import COLOUR, COLOUR_ALPHA, GREY, SIGNATURE, chunk

Image = NDArray[Any]
Bytes = NDArray[np.uint8]

_KINDS = {1: GREY, 3: COLOUR, 4: COLOUR_ALPHA}
_TO_RGB = {3: cv2.COLOR_BGR2RGB, 4: cv2.COLOR_BGRA2RGBA}
_UNFILTERED, _AVERAGE = 0, 3
_LEVEL = 1
_STRIP = 1 << 18
"""Bytes that stay in the cache between filter and deflate."""
_PROBES = 16


def encode(image: Image, chunks: list[bytes]) -> bytearray:
    """Return an image as PNG.

    Parameters
    ----------
    image
        uint8 or uint16, (height, width) or (height, width, 3 or 4), blue first as OpenCV has it.
    chunks
        What else the file holds, each with its length and CRC; they come before the image data.
    """
    height, width = image.shape[:2]
    channels = 1 if image.ndim == 2 else image.shape[2]
    header = struct.pack(">IIBBBBB", width, height, 8 * image.itemsize, _KINDS[channels], 0, 0, 0)
    encoded = bytearray().join((SIGNATURE, chunk(b"IHDR", header), *chunks))
    for piece in _deflated(image, channels):
        encoded += chunk(b"IDAT", piece)  # pieces to be joined in the end would lie there twice
    encoded += chunk(b"IEND", b"")
    return encoded


def _deflated(image: Image, channels: int) -> Iterator[bytes]:
    """Yield the image data in pieces."""
    deflater = isal_zlib.compressobj(_LEVEL)
    pixel = channels * image.itemsize
    kind = _filter_for(image, pixel)
    row = image.shape[1] * pixel
    step = max(1, _STRIP // row)
    last = np.zeros((1, row), np.uint8)
    for start in range(0, len(image), step):
        strip = _network_bytes(image[start : start + step])
        lines = np.empty((len(strip), 1 + row), np.uint8)
        lines[:, 0] = kind
        if kind == _AVERAGE:
            _average(strip, np.concatenate([last, strip[:-1]]), pixel, lines[:, 1:])
            last = strip[-1:]
        else:
            lines[:, 1:] = strip
        piece = deflater.compress(lines)
        if piece:
            yield piece
    yield deflater.flush()


def _network_bytes(strip: Image) -> Bytes:
    """Return rows of pixels as PNG has them: red first, big-endian."""
    if strip.ndim == 3:
        strip = cv2.cvtColor(strip, _TO_RGB[strip.shape[2]])
    if strip.itemsize > 1:
        strip = strip.astype(">u2")
    return np.ascontiguousarray(strip).view(np.uint8).reshape(len(strip), -1)


def _average(rows: Bytes, upper: Bytes, pixel: int, out: Bytes) -> None:
    """Write what PNG's filter 3 leaves of rows: each byte less the mean, rounded down, of those to its left and above.

    The mean of two bytes is (a & b) + ((a ^ b) >> 1), which needs no ninth bit.
    """
    left = np.zeros_like(rows)
    left[:, pixel:] = rows[:, :-pixel]
    mean = left ^ upper
    mean >>= 1
    left &= upper
    mean += left
    np.subtract(rows, mean, out=out)


def _filter_for(image: Image, pixel: int) -> int:
    """Return the filter whose bytes need fewer bits, judged by some rows: strong noise is best left unfiltered."""
    probes = np.arange(1, len(image), max(1, len(image) // _PROBES))
    if not len(probes):
        return _UNFILTERED
    rows = _network_bytes(image[probes])
    left = np.empty_like(rows)
    _average(rows, _network_bytes(image[probes - 1]), pixel, left)
    return _AVERAGE if _likeness(left) > _likeness(rows) else _UNFILTERED


def _likeness(rows: Bytes) -> int:
    """Return the sum of squared counts of bytes: the larger, the fewer bits they need."""
    counts = cv2.calcHist([rows], [0], None, [256], [0, 256]).astype(np.int64)
    return int((counts * counts).sum())
