"""Bytes <-> arrays. This page is light: it knows every suffix, and loads a codec only when it is asked for one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from noisecli.model import Encoding, Format, Limits, SampleSpec, Warn

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORMATS: dict[str, Format] = {
    ".jpg": Format("jpeg", "images", lossy=True),
    ".jpeg": Format("jpeg", "images", lossy=True),
    ".jpe": Format("jpeg", "images", lossy=True),
    ".jfif": Format("jpeg", "images", lossy=True),
    ".png": Format("png", "images"),
    ".apng": Format("png", "images"),
    ".tif": Format("tiff", "images"),
    ".tiff": Format("tiff", "images"),
    ".webp": Format("webp", "images", lossy=True),
    ".bmp": Format("bmp", "images"),
    ".dib": Format("bmp", "images"),
    ".pbm": Format("pnm", "images"),
    ".pgm": Format("pnm", "images"),
    ".ppm": Format("pnm", "images"),
    ".pnm": Format("pnm", "images"),
    ".avif": Format("avif", "images", lossy=True),
    ".jp2": Format("jp2", "images", lossy=True),
    ".gif": Format("gif", "images", lossy=True),
    ".wav": Format("wav", "audio"),
    ".wave": Format("wav", "audio"),
    ".flac": Format("flac", "audio"),
    ".ogg": Format("ogg", "audio", lossy=True),
    ".oga": Format("ogg", "audio", lossy=True),
    ".opus": Format("ogg", "audio", lossy=True),
    ".mp3": Format("mp3", "audio", lossy=True),
    ".aif": Format("aiff", "audio"),
    ".aiff": Format("aiff", "audio"),
    ".aifc": Format("aiff", "audio"),
    ".au": Format("au", "audio"),
    ".snd": Format("au", "audio"),
    ".caf": Format("caf", "audio"),
    ".w64": Format("w64", "audio"),
    ".rf64": Format("rf64", "audio"),
}
"""Suffix (lower case) -> format. The one list of what noisecli reads and writes."""

UNSUPPORTED: dict[str, str] = {
    ".exr": "images",
    ".heic": "images",
    ".heif": "images",
    ".jxl": "images",
    ".svg": "images",
    ".m4a": "audio",
    ".aac": "audio",
    ".wma": "audio",
}
"""Suffixes of pictures and sounds that are skipped by name, never silently."""


class InputFile(Protocol):
    """A source that is open for reading; a regular file, its size already below --max-bytes."""

    size: int
    suffix: str

    def read(self) -> bytes:
        """Return the whole content (read once, then remembered)."""

    def fileno(self) -> int:
        """Return a seekable descriptor at any position; the caller may move it, not close it."""


class OutputFile(Protocol):
    """A temporary file that becomes the output when all went well."""

    def write(self, data: bytes) -> None:
        """Write the whole content at once."""

    def fileno(self) -> int:
        """Return a seekable read-write descriptor of an empty file; not to be closed."""


class Source(Protocol):
    """One opened picture or sound."""

    spec: SampleSpec
    format: str
    warnings: Sequence[Warn]

    def blocks(self) -> Iterator[NDArray[Any]]:
        """Yield the samples in order: frames of a picture (h, w) or (h, w, channels), or (frames, channels) of a sound.

        Callable more than once, with the same samples each time. A block may be a view of a buffer that the next one
        reuses. Raises FileFailed when the samples end before the header's promise.
        """

    def close(self) -> None:
        """Let go of the decoder. The file itself belongs to the caller."""


class Sink(Protocol):
    """One output being encoded."""

    format: str
    lossy: bool
    warnings: Sequence[Warn]

    def write(self, block: NDArray[Any]) -> None:
        """Take the next block, of the spec the sink was made for. The caller may reuse the array afterwards."""

    def finish(self) -> None:
        """Encode what is left; only now the output file is whole."""

    def abort(self) -> None:
        """Let go of the encoder after an error. Harmless after finish."""


class Codec(Protocol):
    """The face every codec module shows: noisecli.codecs.image, noisecli.codecs.audio."""

    def open_source(self, file: InputFile, limits: Limits) -> Source:
        """Check the header, then open. Raises FileFailed or FileSkipped."""

    def create_sink(self, file: OutputFile, source: Source, spec: SampleSpec, encoding: Encoding, key: bytes) -> Sink:
        """Open an output like `source` (format, subtype, metadata) unless `encoding` says otherwise.

        `spec` describes the blocks to come: the source's own, or the same as float32. `key` (16 bytes) stands in for
        anything an encoder would draw at random. Raises FileFailed("no-encoder") with a format that fits.
        """

    def versions(self) -> dict[str, str]:
        """Return the versions of the libraries that encode."""


def format_of(suffix: str) -> Format | None:
    """Return the format a file-name suffix stands for, whatever its case."""
    return FORMATS.get(suffix.lower())


_MODULES = {"images": "noisecli.codecs.image", "audio": "noisecli.codecs.audio"}


def load(kind: str) -> Codec:
    """Import the codec of a kind; only now OpenCV or libsndfile is loaded."""
    codec: Codec = import_module(_MODULES[kind])
    return codec
