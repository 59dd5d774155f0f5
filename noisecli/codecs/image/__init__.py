"""Pictures: JPEG, PNG, TIFF, WebP, BMP, PNM, AVIF, JPEG 2000 and GIF, decoded unturned and encoded with care."""

from __future__ import annotations

import cv2

from noisecli.codecs.image.decode import open_source
from noisecli.codecs.image.encode import create_sink

__all__ = ["create_sink", "open_source", "versions"]


def versions() -> dict[str, str]:
    """Return the version of the library that decodes and encodes."""
    return {"opencv": cv2.__version__}
