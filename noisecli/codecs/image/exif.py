"""The one EXIF field that matters to pixels: which way up they are shown."""

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

ORIENTATION = 0x0112
SIDEWAYS = (5, 6, 7, 8)
"""Orientations of images that are stored on their side."""


def _entry(exif: bytes) -> tuple[str, int] | None:
    """Return the byte order and the position of the orientation's value."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if order is None:
        return None
    try:
        (start,) = struct.unpack_from(order + "I", exif, 4)
        (count,) = struct.unpack_from(order + "H", exif, start)
        for at in range(start + 2, start + 2 + 12 * count, 12):
            tag, kind, number = struct.unpack_from(order + "HHI", exif, at)
            if (tag, kind, number) == (ORIENTATION, 3, 1) and at + 10 <= len(exif):
                return order, at + 8
    except struct.error:
        pass
    return None


def orientation(exif: bytes) -> int:
    """Return EXIF's orientation, 1 (upright) when there is none."""
    entry = _entry(exif)
    if entry is None:
        return 1
    value: int = struct.unpack_from(entry[0] + "H", exif, entry[1])[0]
    return value if 1 <= value <= 8 else 1


def upright(exif: bytes) -> bytes:
    """Return the same EXIF with orientation 1."""
    entry = _entry(exif)
    if entry is None or orientation(exif) == 1:
        return exif
    order, at = entry
    return exif[:at] + struct.pack(order + "H", 1) + exif[at + 2 :]


def turn(image: NDArray[Any], value: int) -> NDArray[Any]:
    """Return the image as a viewer that applies the orientation shows it."""
    if value in SIDEWAYS:
        image = np.swapaxes(image, 0, 1)
    if value in (3, 4, 7, 8):
        image = image[::-1]
    if value in (2, 3, 6, 7):
        image = image[:, ::-1]
    return np.ascontiguousarray(image)


def turn_back(image: NDArray[Any], value: int) -> NDArray[Any]:
    """Return what turn() made of an image as it was stored."""
    return turn(image, {6: 8, 8: 6}.get(value, value))
