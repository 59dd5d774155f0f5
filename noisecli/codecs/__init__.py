"""Bytes <-> arrays. This page is light: the faces of all codecs, and no more than that loads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from noisecli.model import Encoding, Limits, SampleSpec

PICKLE_WAY_OUT = (
    'may run code when it is loaded, so it never is here; make a .safetensors of it: python -c "import torch, '
    "safetensors.torch as s; w = torch.load('model.pt', weights_only=True); "
    "s.save_file({k: v.contiguous().clone() for k, v in w.items()}, 'model.safetensors')\""
)


class InputFile(Protocol):
    """A source that is open for reading; a regular file, its size already below --max-bytes."""

    size: int
    suffix: str

    def read(self) -> bytes:
        """Return the whole content (read once, then remembered)."""

    def fileno(self) -> int:
        """Return a seekable descriptor at any position; the caller may move it, not close it."""


class OutputFile(Protocol):
    """A temporary file that becomes the output when it is complete."""

    def write(self, data: bytes | bytearray) -> None:
        """Write the whole content at once."""

    def fileno(self) -> int:
        """Return a seekable read-write descriptor of an empty file; not to be closed."""


class AnySource(Protocol):
    """What every opened file has."""

    format: str
    warnings: Sequence[str]

    def close(self) -> None:
        """Close the decoder, where there is one. The file itself belongs to the caller."""
        return


class Source(AnySource, Protocol):
    """One opened image or audio file."""

    spec: SampleSpec

    def blocks(self) -> Iterator[NDArray[Any]]:
        """Yield the samples in order: frames (h, w) or (h, w, channels) of an image, (frames, channels) of audio.

        Callable more than once, with the same samples each time. A block may be a view of a buffer that the next one
        reuses. Raises FileFailed when the samples end before the header's promise.
        """


class Sink(Protocol):
    """One output being encoded."""

    format: str
    lossy: bool
    warnings: Sequence[str]

    def write(self, block: NDArray[Any]) -> None:
        """Take the next block: of the spec the sink was made for, or a piece of the array begun, in storage order.

        The caller may reuse the array afterwards.
        """

    def finish(self) -> None:
        """Write what is left; only now the output file is whole."""
        return

    def abort(self) -> None:
        """Close the encoder after an error. Harmless after finish."""
        return


class Codec(Protocol):
    """The functions of noisecli.codecs.image and noisecli.codecs.audio."""

    def open_source(self, file: InputFile, limits: Limits) -> Source:
        """Check the header, then open. Raises FileFailed or FileSkipped."""

    def create_sink(self, file: OutputFile, source: Source, spec: SampleSpec, encoding: Encoding, key: bytes) -> Sink:
        """Open an output like `source` (format, subtype, metadata) unless `encoding` says otherwise.

        `spec` describes the blocks to come: the source's own, or the same as float32. `key` (16 bytes) stands in for
        anything an encoder would draw at random. Raises FileFailed("no-encoder") with a format that fits.
        """

    def versions(self) -> dict[str, str]:
        """Return the versions of the libraries that encode."""


class StdMapCodec(Protocol):
    """What noisecli.codecs.image has besides."""

    def create_std_map(self, file: OutputFile, source: Source, encoding: Encoding) -> Sink:
        """Open a map beside an output that is made of `source`: float32, a value for each sample that gets noise."""


class StoredArray(Protocol):
    """One array of a file that may hold many."""

    name: str
    """"" in a .npy; the member's or tensor's name otherwise."""
    dtype: str
    """As stored, for the row: ">f4", "BF16", "|b1"."""
    shape: tuple[int, ...]
    """Of the array."""
    spec: SampleSpec | None
    """What blocks() yields (native byte order; BF16 and F16 as float32 and float16; complex numbers as pairs of
    floats); full_scale 1.0; low and high the dtype's limits, infinite for floats. None: never noised (bool, text,
    quantised, optimizer state)."""

    def blocks(self) -> Iterator[NDArray[Any]]:
        """Yield 1-D pieces in storage order, each at most a few MB; callable more than once.

        A block may be a view of a buffer that the next one reuses.
        """


@runtime_checkable
class Rounding(Protocol):
    """An array whose file holds fewer digits than its blocks: BF16."""

    def rounded(self, block: NDArray[Any]) -> NDArray[Any]:
        """Return a block as it will be read again."""


@runtime_checkable
class Opaque(Protocol):
    """What may hold more than its type and shape say: Python objects, and members of an archive that are no arrays."""

    @property
    def opaque_bytes(self) -> int:
        """How many bytes it has; 0 for arrays of numbers, text and the like."""


@runtime_checkable
class StructuredField(Protocol):
    """A field of a structured array."""

    member: str
    """The name of the array."""


class ArraysSource(AnySource, Protocol):
    """One opened file of arrays."""

    parts: Sequence[StoredArray]


class ArraysSink(Sink, Protocol):
    """One output of arrays being written."""

    def begin(self, part: StoredArray, spec: SampleSpec | None) -> None:
        """Begin the next array, in the source's order.

        `spec` is None: it is copied unchanged, byte for byte, and no write() follows. Another spec than the array's
        own: other samples, of the same shape and storage order.
        """


class ArraysCodec(Protocol):
    """The functions of noisecli.codecs.arrays and noisecli.codecs.weights, whose files hold several arrays."""

    def open_source(self, file: InputFile, limits: Limits) -> ArraysSource:
        """Check all headers, then open. Raises FileFailed or FileSkipped."""

    def create_sink(self, file: OutputFile, source: ArraysSource) -> ArraysSink:
        """Open an output like `source`."""

    def versions(self) -> dict[str, str]:
        """Return the versions of the libraries that encode."""
