"""Bytes -> samples, exactly as stored."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from noisecli.codecs import InputFile
from noisecli.codecs.damage import corrupt, truncated
from noisecli.codecs.image import avif, bmp, exif, jpeg_end, pnm
from noisecli.codecs.image.decoder_log import caught, decoder_error, judge
from noisecli.codecs.image.detect import read_header
from noisecli.codecs.image.header import Header
from noisecli.codecs.image.heic import pillow
from noisecli.codecs.image.tiff import segments, tags
from noisecli.model import Limits, SampleSpec

Image = NDArray[Any]

_FULL_SCALES = {
    np.dtype("uint8"): ("uint8", 255.0),
    np.dtype("uint16"): ("uint16", 65535.0),
    np.dtype("uint32"): ("uint32", 4294967295.0),
    np.dtype("int8"): ("int8", 128.0),
    np.dtype("int16"): ("int16", 32768.0),
    np.dtype("int32"): ("int32", 2147483648.0),
    np.dtype("float16"): ("float16", 1.0),
    np.dtype("float32"): ("float32", 1.0),
    np.dtype("float64"): ("float64", 1.0),
}
"""Sample types that are noised and written back; dtype.name would take 8 us each time."""
_DECODED_HERE: dict[str, Callable[[Header], Image]] = {
    "bmp": bmp.decode,
    "pnm": pnm.decode,
    "heic": pillow.decode,
}


class ImageSource:
    """One decoded image, or the pages of one file."""

    def __init__(self, header: Header, images: list[Image]) -> None:
        self.header = header
        self.format = header.format
        self.warnings: Sequence[str] = tuple(header.warnings)
        self.spec = _spec(header, images)
        self._images = images

    def blocks(self) -> Iterator[Image]:
        yield from self._images

    def upright(self, image: Image) -> Image:
        """Return samples as a viewer shows them: turned, and highest where they are white."""
        if self.header.white_is_zero:
            image = self.spec.full_scale - image if self.spec.is_float else ~image
        return exif.turn(image, self.header.orientation)

    @property
    def shown_size(self) -> tuple[int, int]:
        """Height and width as a viewer shows it."""
        height, width = self._images[0].shape[:2]
        return (width, height) if self.header.orientation in exif.SIDEWAYS else (height, width)

    def lying(self, shown: Image) -> Image:
        """Return something of the size shown, one value a pixel, as the samples are stored."""
        return exif.turn_back(shown, self.header.orientation)

    def close(self) -> None:
        self._images = []


def open_source(file: InputFile, limits: Limits) -> ImageSource:
    """Check an image's header, then decode it; see noisecli.codecs.Codec."""
    header = read_header(file.read(), limits)
    images = _decode(header)
    header.data, header.pages = b"", []
    return ImageSource(header, images)


def _spec(header: Header, images: list[Image]) -> SampleSpec:
    first = images[0]
    dtype, usual = _FULL_SCALES[first.dtype]
    full_scale = header.full_scale or usual
    signed = dtype.startswith("int")
    return SampleSpec(
        dtype=dtype,
        shape=first.shape if len(images) == 1 else (len(images), *first.shape),
        full_scale=full_scale,
        low=-full_scale if signed else 0.0,
        high=full_scale - 1 if signed else full_scale,
        noisy_channels=_noisy_channels(header, first),
        nodata=tags.mark_of(header.nodata, first.dtype),
    )


def _noisy_channels(header: Header, image: Image) -> int | None:
    if image.ndim == 2:
        return None
    noisy = header.noisy_channels or min(image.shape[2], 3)
    return noisy if noisy < image.shape[2] else None


def _decode(header: Header) -> list[Image]:
    images, text = caught(lambda: _call(header))
    if header.format == "jpeg":
        images, text = _to_the_end(header, images, text)
    if not images and not text and header.format == "avif":
        header.data = avif.with_room(header.data)
        images, text = caught(lambda: _call(header))
    if not images:
        raise decoder_error(text)
    judge(text, header)
    finished = [_finished(header, image) for image in images]
    if header.format == "avif" and header.orientation != 1:
        finished = [exif.turn(image, header.orientation) for image in finished]
        header.orientation = 1
    for image in finished:
        image.flags.writeable = False
    return finished


def _to_the_end(header: Header, images: list[Image], text: bytes) -> tuple[list[Image], bytes]:
    """Decode a JPEG once more without the padding before its end marker."""
    if not header.ended:
        raise jpeg_end.unended() if images and not text else truncated("the JPEG has no end marker")
    unclear = jpeg_end.unclear(text)
    if unclear is None:
        return images, text
    unpadded = jpeg_end.without_padding(header.data, text)
    if unpadded is not None:
        header.data = unpadded
        images, text = caught(lambda: _call(header))
    if unpadded is None or text:
        raise unclear
    header.warn("decoder-warning")
    return images, text


def _call(header: Header) -> list[Image]:
    """Decode; an empty list means that the decoder refused, its messages on descriptor 2."""
    if header.format in _DECODED_HERE:
        return [_DECODED_HERE[header.format](header)]
    if not header.by_opencv:
        return segments.decode_all(header)
    buffer = np.frombuffer(header.data, np.uint8)
    decoded: Image | None
    try:
        if header.frames > 1:
            done, pages = cv2.imdecodemulti(buffer, cv2.IMREAD_UNCHANGED)
            return list(pages) if done and len(pages) == header.frames else []
        if header.format == "avif":
            decoded, kinds, payloads = cv2.imdecodeWithMetadata(buffer, flags=cv2.IMREAD_UNCHANGED)
            found = dict(zip(kinds, payloads, strict=True))
            if cv2.IMAGE_METADATA_EXIF in found:
                # viewers do not rotate AVIFs by it
                header.metadata.exif = exif.upright(found[cv2.IMAGE_METADATA_EXIF].tobytes())
        else:
            decoded = cv2.imdecode(buffer, cv2.IMREAD_UNCHANGED)
    except (MemoryError, cv2.error) as error:
        raise decoder_error(str(error).encode() or b"Insufficient memory") from None
    return [] if decoded is None else [decoded]


def _finished(header: Header, image: Image) -> Image:
    """Check the shape against the header, and take off a fourth channel that the file does not have."""
    if image.shape[:2] != (header.height, header.width):
        raise corrupt(f"decoded as {image.shape[1]} x {image.shape[0]}, not {header.width} x {header.height}")
    expected = None if header.layout is None else header.layout.dtype
    if image.dtype not in _FULL_SCALES or expected not in (None, image.dtype):
        raise corrupt(f"decoded to {image.dtype.name} samples")
    if header.is_luma:
        return cv2.cvtColor(image[..., (2, 0, 1)], cv2.COLOR_YCrCb2BGR)
    if header.channels == 3 and image.shape[2:] == (4,):
        return np.ascontiguousarray(image[..., :3])
    if header.transparent_grey is not None and image.ndim == 2:
        opaque = (image != header.transparent_grey) * image.dtype.type(np.iinfo(image.dtype).max)
        return np.dstack([image, image, image, opaque])
    return image
