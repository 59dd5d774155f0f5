"""Images: JPEG, PNG, TIFF, WebP, BMP, PNM, AVIF, JPEG 2000 and GIF, decoded as stored, and encoded."""

import importlib.metadata
from contextlib import suppress

import cv2
import isal

from noisecli.codecs.image.sink import create_sink
from noisecli.codecs.image.source import open_source
from noisecli.codecs.image.std_map import create_std_map

__all__ = ["create_sink", "create_std_map", "open_source", "versions"]


def versions() -> dict[str, str]:
    """Return the versions of the libraries that decode and encode."""
    found = {"opencv": cv2.__version__, "isal": isal.__version__}
    with suppress(importlib.metadata.PackageNotFoundError):
        found["pillow-heif"] = importlib.metadata.version("pillow-heif")
    return found
