"""Arrays: .npy files and .npz archives, block by block, with their byte order, memory order and compression."""

import os
import zlib

from noisecli.codecs import ArraysSource, InputFile, OutputFile
from noisecli.codecs.arrays.header import MAGIC
from noisecli.codecs.arrays.npy import NpySink, NpySource
from noisecli.codecs.arrays.npz import NpzSink, NpzSource
from noisecli.codecs.damage import empty, truncated
from noisecli.codecs.ways_out import LONGEST_BEGINNING, TENSORS_WAY_OUT, way_out_of
from noisecli.errors import FileFailed, FileSkipped
from noisecli.model import Limits

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")


def open_source(file: InputFile, limits: Limits) -> NpySource | NpzSource:
    """Check the headers of a file's arrays, then open it; see noisecli.codecs.ArraysCodec."""
    beginning = os.pread(file.fileno(), LONGEST_BEGINNING, 0)
    start = beginning[: len(MAGIC)]
    if not start:
        raise empty()
    if start == MAGIC:
        return NpySource(file)
    if start.startswith(_ZIP):
        return _open_archive(file, limits)
    if MAGIC.startswith(start):
        raise truncated("it ends inside its header")
    if (words := way_out_of(beginning)) is not None:
        raise FileSkipped("unsupported-format", words)
    raise FileFailed("wrong-content", "is neither a .npy array nor a .npz archive; give it the suffix of its format")


def _open_archive(file: InputFile, limits: Limits) -> NpzSource:
    """Open an archive, which may be one of torch's by another name."""
    source = NpzSource(file, limits)
    names = list(source.arrays)
    if any(name.endswith("data.pkl") for name in names) and not any(part.dtype for part in source.parts):
        source.close()
        raise FileSkipped("unsupported-format", TENSORS_WAY_OUT)
    return source


def create_sink(file: OutputFile, source: ArraysSource) -> NpySink | NpzSink:
    """Open an output like `source`; see noisecli.codecs.ArraysCodec."""
    if isinstance(source, NpzSource):
        return NpzSink(file, source)
    if isinstance(source, NpySource):
        return NpySink(file, source)
    raise TypeError("sinks of arrays need a source of this codec")


def versions() -> dict[str, str]:
    """Return the version of the library that compresses."""
    return {"zlib": zlib.ZLIB_RUNTIME_VERSION}
