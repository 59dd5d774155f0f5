"""Images: JPEG, PNG, TIFF, WebP, BMP, PNM, AVIF, JPEG 2000 and GIF, decoded as stored, and encoded."""

import cv2
import isal

from noisecli.codecs.image.sink import create_sink
from noisecli.codecs.image.source import open_source

__all__ = ["create_sink", "open_source", "versions"]


def versions() -> dict[str, str]:
    """Return the versions of the libraries that decode and encode."""
    return {"opencv": cv2.__version__, "isal": isal.__version__}
