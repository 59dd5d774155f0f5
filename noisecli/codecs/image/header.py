"""What an image's header says, read before anything is decoded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from noisecli.codecs.damage import corrupt
from noisecli.errors import FileFailed, FileSkipped
from noisecli.model import Limits
from noisecli.words import Warn, warning

if TYPE_CHECKING:
    from noisecli.codecs.image.tiff.ifd import Page
    from noisecli.codecs.image.tiff.layout import Layout

Tags: TypeAlias = "dict[int, tuple[int, bytes | Tags]]"
"""TIFF entries: tag -> (type, little-endian values, or the directory of tags that it points to)."""

_WIDEST = 1 << 20
"""OpenCV refuses wider and higher images, and more than MOST_PIXELS of them, by an exception."""
_MOST_PIXELS = 1 << 30


@dataclass(slots=True)
class Metadata:
    """What travels beside the samples."""

    exif: bytes = b""
    xmp: bytes = b""
    icc: bytes = b""
    """These three are payloads without any container's wrapping; empty when there are none."""
    density: tuple[int, int, int] | None = None
    """JFIF's way: (unit, x, y) with unit 0 for an aspect ratio, 1 for dots per inch, 2 for dots per centimetre."""
    native: bytearray = field(default_factory=bytearray)
    """JPEG segments or PNG chunks, kept verbatim for an output of the same format; the profile is not among them. They
    are one string: there may be millions."""
    tags: tuple[Tags, ...] = ()
    """Of each page of a TIFF."""
    extra: set[str] = field(default_factory=set)
    """What native and tags hold beside EXIF, XMP, profile and density, which only the same format can hold."""
    lost: set[str] = field(default_factory=set)
    """What the source holds that no output will hold."""

    @property
    def size(self) -> int:
        """Bytes of all payloads together."""
        pieces = (self.exif, self.xmp, self.icc, self.native)
        return sum(map(len, pieces)) + sum(map(_size_of, self.tags))


def _size_of(tags: Tags) -> int:
    return sum(_size_of(raw) if isinstance(raw, dict) else len(raw) for _, raw in tags.values())


@dataclass(slots=True)
class Header:
    """Format, size and samples as the header promises them."""

    format: str
    width: int
    height: int
    data: bytes
    """The bytes to decode: the file's own, or a copy with harmless oddities repaired."""
    pixel_bytes: int
    """Bytes of one decoded pixel, all channels."""
    frames: int = 1
    orientation: int = 1
    """EXIF's 1..8 as viewers apply it to this format; 1 when OpenCV turns the image itself."""
    full_scale: float | None = None
    """Highest sample value when it is not the dtype's own (12 bits in 16)."""
    channels: int | None = None
    """What OpenCV must deliver, when that is known; a 4th channel beyond it is dropped."""
    ended: bool = True
    """Whether a JPEG has its end marker; `data` has one in any case."""
    is_luma: bool = False
    """Whether OpenCV delivers luma and chroma, in the places of red, green and blue."""
    compression: int = 0
    """TIFF's number of the way the samples are packed."""
    layout: Layout | None = None
    """Of a TIFF."""
    by_opencv: bool = True
    """Whether OpenCV decodes it; else codecs/image/tiff/segments.py does, and write.py the output."""
    pages: list[Page] = field(default_factory=list)
    """Of a TIFF that OpenCV does not decode."""
    noisy_channels: int | None = None
    """How many leading channels are no alpha, where the header says."""
    bands: bool = False
    """Whether its channels are other than grey or colours, with or without alpha, which only TIFF holds."""
    multiplied: bool = False
    """Whether its colours are multiplied by their transparency, which only TIFF says."""
    white_is_zero: bool = False
    """Whether the highest sample is black; other formats cannot say so."""
    nodata: float | None = None
    """The value of samples that were not measured."""
    cropped: bool = False
    """Whether the decoder cuts a part out, so that the samples have a size of their own."""
    transparent_grey: int | None = None
    """The one sample value that a grey PNG says is transparent; OpenCV forgets it."""
    metadata: Metadata = field(default_factory=Metadata)
    warnings: list[str] = field(default_factory=list)

    @property
    def decoded(self) -> int:
        """Bytes of all samples and of the metadata that is carried."""
        return self.width * self.height * self.frames * self.pixel_bytes + self.metadata.size

    def warn(self, word: Warn, *what: str, when: bool = True) -> None:
        """Add a warning once."""
        text = warning(word, what)
        if when and text not in self.warnings:
            self.warnings.append(text)


def unsupported(what: str, way_out: str = "") -> FileSkipped:
    """Return the skip of valid samples that cannot be written back as they are."""
    words = f"{what} left alone: they could not be written back as they are"
    return FileSkipped("unsupported-samples", f"{words}; {way_out}" if way_out else words)


def depth_words(bits: Iterable[int]) -> str:
    """Return how the warning `depth` speaks of samples that had fewer or more bits before."""
    return f"{'/'.join(map(str, dict.fromkeys(bits)))} to 8 bits"


def animated(count: int, what: str = "frames") -> FileSkipped:
    """Return the skip of an animation."""
    if count < 2:
        words = f"is an animation of {('no frame', 'one frame')[count]}; save it as a still image"
        return FileSkipped("animated", words)
    return FileSkipped("animated", f"{count} {what} in one file are left alone; split them into single images")


def check_size(width: int, height: int, frames: int, limits: Limits) -> None:
    """Refuse empty images and those above --max-pixels, all frames counted."""
    if width <= 0 or height <= 0 or frames <= 0:
        raise corrupt(f"it claims {width} x {height} pixels")
    if width * height * frames > limits.max_pixels:
        pages = f" in {frames} frames" if frames > 1 else ""
        message = f"{width} x {height} pixels{pages} are above --max-pixels {limits.max_pixels}; raise it to try"
        raise FileFailed("too-large", message)
    if width > _WIDEST or height > _WIDEST or width * height > _MOST_PIXELS:
        raise FileFailed("too-large", f"{width} x {height} pixels are more than OpenCV reads; cut it into tiles")
