"""Arrays: .npy files and .npz archives, block by block, with their byte order, memory order and compression."""

import os
import zlib

from noisecli.codecs import ArraysSource, InputFile, OutputFile
from noisecli.codecs.arrays.header import MAGIC
from noisecli.codecs.arrays.npy import NpySink, NpySource
from noisecli.codecs.arrays.npz import NpzSink, NpzSource
from noisecli.codecs.damage import empty, truncated
from noisecli.errors import FileFailed
from noisecli.model import Limits

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")


def open_source(file: InputFile, limits: Limits) -> NpySource | NpzSource:
    """Check the headers of a file's arrays, then open it; see noisecli.codecs.ArraysCodec."""
    start = os.pread(file.fileno(), len(MAGIC), 0)
    if not start:
        raise empty()
    if start == MAGIC:
        return NpySource(file)
    if start.startswith(_ZIP):
        return NpzSource(file, limits)
    if MAGIC.startswith(start):
        raise truncated("it ends inside its header")
    raise FileFailed("wrong-content", "is neither a .npy array nor a .npz archive; give it the suffix of its format")


def create_sink(file: OutputFile, source: ArraysSource) -> NpySink | NpzSink:
    """Open an output like `source`; see noisecli.codecs.ArraysCodec."""
    return NpzSink(file, source) if isinstance(source, NpzSource) else NpySink(file)


def versions() -> dict[str, str]:
    """Return the version of the library that compresses."""
    return {"zlib": zlib.ZLIB_RUNTIME_VERSION}
