"""Bytes -> samples, exactly as stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from noisecli.codecs import InputFile
from noisecli.codecs.damage import corrupt
from noisecli.codecs.image import exif, pnm
from noisecli.codecs.image.decoder_log import caught, judge, told
from noisecli.codecs.image.detect import read_header
from noisecli.codecs.image.header import Header
from noisecli.model import Limits, SampleSpec, Warn

Picture = NDArray[Any]

_FULL_SCALES = {
    np.dtype("uint8"): ("uint8", 255.0),
    np.dtype("uint16"): ("uint16", 65535.0),
    np.dtype("int16"): ("int16", 32768.0),
    np.dtype("int32"): ("int32", 2147483648.0),
    np.dtype("float32"): ("float32", 1.0),
    np.dtype("float64"): ("float64", 1.0),
}
"""Sample types that are noised and written back; dtype.name would take 8 us each time."""
_ALPHA_CHANNELS = 4
_COLOUR_CHANNELS = 3


class ImageSource:
    """One decoded picture, or the pages of one file."""

    def __init__(self, header: Header, pictures: list[Picture]) -> None:
        self.header = header
        self.format = header.format
        self.warnings: Sequence[Warn] = tuple(header.warnings)
        self.spec = _spec(header, pictures)
        self._pictures = pictures

    def blocks(self) -> Iterator[Picture]:
        """Yield the frames, read-only, (height, width) or (height, width, channels)."""
        yield from self._pictures

    def close(self) -> None:
        """Let go of the samples."""
        self._pictures = []


def open_source(file: InputFile, limits: Limits) -> ImageSource:
    """Check a picture's header, then decode it.

    Raises
    ------
    FileFailed
        empty, wrong-content, truncated, corrupt, too-large, out-of-memory.
    FileSkipped
        unsupported-format, unsupported-samples, animated.
    """
    header = read_header(file.read(), limits)
    pictures = _decode(header)
    header.data = b""
    return ImageSource(header, pictures)


def _spec(header: Header, pictures: list[Picture]) -> SampleSpec:
    first = pictures[0]
    dtype, usual = _FULL_SCALES[first.dtype]
    full_scale = header.full_scale or usual
    signed = dtype.startswith("int")
    return SampleSpec(
        dtype=dtype,
        shape=first.shape if len(pictures) == 1 else (len(pictures), *first.shape),
        full_scale=full_scale,
        low=-full_scale if signed else 0.0,
        high=full_scale - 1 if signed else full_scale,
        noisy_channels=_COLOUR_CHANNELS if first.shape[2:] == (_ALPHA_CHANNELS,) else None,
    )


def _decode(header: Header) -> list[Picture]:
    pictures, text = caught(lambda: _call(header))
    if not pictures:
        raise told(text)
    judge(text, header)
    finished = [_finished(header, picture) for picture in pictures]
    if header.format == "bmp" and finished[0].ndim == 2 and "palette-to-colour" in header.warnings:
        header.warnings.remove("palette-to-colour")
    if header.format == "avif" and header.orientation != 1:
        finished = [exif.turn(picture, header.orientation) for picture in finished]
        header.orientation = 1
    for picture in finished:
        picture.flags.writeable = False
    return finished


def _call(header: Header) -> list[Picture]:
    """Decode; an empty list means that the decoder refused, its words on descriptor 2."""
    if header.format == "pnm":
        return [pnm.decode(header.data)]
    buffer = np.frombuffer(header.data, np.uint8)
    decoded: Picture | None
    try:
        if header.frames > 1:
            done, pages = cv2.imdecodemulti(buffer, cv2.IMREAD_UNCHANGED)
            return list(pages) if done and len(pages) == header.frames else []
        if header.format == "avif":
            decoded, kinds, payloads = cv2.imdecodeWithMetadata(buffer, flags=cv2.IMREAD_UNCHANGED)
            _take_exif(header, kinds, payloads)
        else:
            decoded = cv2.imdecode(buffer, cv2.IMREAD_UNCHANGED)
    except (MemoryError, cv2.error) as error:
        raise told(str(error).encode() or b"Insufficient memory") from None
    return [] if decoded is None else [decoded]


def _take_exif(header: Header, kinds: Sequence[int], payloads: Sequence[Picture]) -> None:
    """AVIF's EXIF comes from OpenCV; viewers do not turn AVIFs by it."""
    for kind, payload in zip(kinds, payloads, strict=True):
        if kind == cv2.IMAGE_METADATA_EXIF:
            header.metadata = replace(header.metadata, exif=exif.upright(payload.tobytes()))


def _finished(header: Header, picture: Picture) -> Picture:
    """Check the shape against the header, and take off a fourth channel that the file does not have."""
    if picture.shape[:2] != (header.height, header.width):
        raise corrupt(f"decoded as {picture.shape[1]} x {picture.shape[0]}, not {header.width} x {header.height}")
    if picture.dtype not in _FULL_SCALES:
        raise corrupt(f"decoded to {picture.dtype.name} samples")
    if header.channels == _COLOUR_CHANNELS and picture.shape[2:] == (_ALPHA_CHANNELS,):
        return np.ascontiguousarray(picture[..., :_COLOUR_CHANNELS])
    if header.transparent_grey is not None and picture.ndim == 2:
        opaque = (picture != header.transparent_grey) * picture.dtype.type(np.iinfo(picture.dtype).max)
        return np.dstack([picture, picture, picture, opaque])
    return picture
