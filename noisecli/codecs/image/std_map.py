"""The std of the noise on every sample of an image, as a float32 TIFF whose samples lie as the noisy ones."""

import struct
from collections.abc import Sequence

import numpy as np

from noisecli.codecs import OutputFile
from noisecli.codecs.image import exif
from noisecli.codecs.image.header import Header, Tags
from noisecli.codecs.image.sink import form_of, is_turned
from noisecli.codecs.image.source import Image, ImageSource
from noisecli.codecs.image.tiff.layout import COLOUR, EXTRA, FLOAT, PALETTE, UNSPECIFIED, Layout
from noisecli.codecs.image.tiff.write import encode
from noisecli.model import Encoding

_GREY = 1
_DEFLATE = 8
_STRIP_BYTES = 1 << 18


class StdMapSink:
    """One map being written; see noisecli.codecs.Sink. A block has one value for each sample that gets noise."""

    format = "tiff"
    lossy = False

    def __init__(self, file: OutputFile, source: ImageSource, encoding: Encoding) -> None:
        self.warnings: Sequence[str] = ()
        self._file, self._header = file, source.header
        # no tag says how samples lie that are not turned: OpenCV 5 opens no such TIFF
        self._orientation = source.header.orientation if is_turned(source, form_of(source, encoding)) else 1
        self._pages: list[Image] = []

    def write(self, block: Image) -> None:
        self._pages.append(exif.turn(block, self._orientation).copy())

    def finish(self) -> None:
        layout = _layout(self._pages[0], self._header)
        tags: Tags = {}
        if extra := layout.samples - (3 if layout.photometric == COLOUR else 1):
            tags[EXTRA] = (3, struct.pack(f"<{extra}H", *[UNSPECIFIED] * extra))
        self._file.write(encode(self._pages, layout, [tags] * len(self._pages)))
        self.abort()

    def abort(self) -> None:
        self._pages = []


def create_std_map(file: OutputFile, source: ImageSource, encoding: Encoding) -> StdMapSink:
    """Open the map beside an output that is made of `source` by `encoding`; see noisecli.codecs.StdMapCodec."""
    return StdMapSink(file, source, encoding)


def _layout(image: Image, header: Header) -> Layout:
    height, width = image.shape[:2]
    samples = image.shape[2] if image.ndim == 3 else 1
    rows = max(1, min(height, _STRIP_BYTES // (width * samples * image.itemsize)))
    return Layout(
        order="<",
        width=width,
        height=height,
        samples=samples,
        bits=8 * np.dtype(np.float32).itemsize,
        form=FLOAT,
        photometric=COLOUR if samples > 2 and _is_blue_first(header) else _GREY,
        compression=_DEFLATE,
        planar=False,
        predictor=1,
        extra=(),
        orientation=1,
        segment=(width, rows),
        tiled=False,
        fill_order=1,
    )


def _is_blue_first(header: Header) -> bool:
    """Whether decoded samples are colours as OpenCV has them; the bands of a TIFF lie as they are stored."""
    return header.layout is None or header.by_opencv or header.layout.photometric in (COLOUR, PALETTE)
