"""A sheet as a file."""

from __future__ import annotations

import cv2

from noisecli.errors import Refused
from noisecli.views.canvas import Canvas

FORMATS = {
    ".png": (),
    ".jpg": (cv2.IMWRITE_JPEG_QUALITY, 95, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444),
    ".jpeg": (cv2.IMWRITE_JPEG_QUALITY, 95, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444),
    ".webp": (cv2.IMWRITE_WEBP_QUALITY, 101),
}
"""Suffix -> OpenCV's options; noise would suffer from coarse ones."""
_LONGEST = {".jpg": 65_500, ".jpeg": 65_500, ".webp": 16_383}


def encode(sheet: Canvas, suffix: str) -> bytes:
    """Return a sheet's bytes. Raises Refused where the format cannot hold so many pixels."""
    longest = _LONGEST.get(suffix)
    if longest is not None and max(sheet.shape) > longest:
        height, width = sheet.shape[:2]
        fewer = "lower --rows" if height > width else "ask for fewer levels"
        raise Refused(
            f"the sheet has {width:,} x {height:,} pixels, {suffix} holds {longest:,}; name a .png, or {fewer}"
        )
    done, data = cv2.imencode(suffix, sheet, FORMATS[suffix])
    if not done:
        raise Refused(f"the sheet cannot be written as {suffix}; name a .png")
    return data.tobytes()
