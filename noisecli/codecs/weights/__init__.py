"""Model parameters: .safetensors, Keras' .keras and .weights.h5, .npz; see noisecli.codecs.ArraysCodec."""

import importlib.metadata
import zlib
from contextlib import suppress

from noisecli.codecs import PICKLE_WAY_OUT, ArraysSink, ArraysSource, InputFile, OutputFile
from noisecli.codecs.arrays.npz import NpzSink, NpzSource
from noisecli.codecs.damage import empty
from noisecli.codecs.region import read_at
from noisecli.codecs.weights import safetensors
from noisecli.codecs.zips import close_archive, open_archive
from noisecli.errors import FileFailed, FileSkipped
from noisecli.model import Limits

_HDF5_MAGIC, _ZIP_MAGIC = b"\x89HDF\r\n\x1a\n", b"PK"
_KERAS_MEMBERS = {"model.weights.h5", "model.weights.npz", "config.json", "metadata.json"}
_PICKLE_MAGIC = b"\x80"


def open_source(file: InputFile, limits: Limits) -> ArraysSource:
    """Find the format by the content, check it, then open; see noisecli.codecs.ArraysCodec."""
    if not file.size:
        raise empty()
    start = read_at(file.fileno(), 0, min(file.size, 16))
    named = file.suffix.lower() == safetensors.SUFFIX and start[8:9] == b"{"
    if named or safetensors.looks_like(start, file.size):
        # first: it begins with a number, which may spell any other format's first bytes
        return safetensors.SafetensorsSource(file)
    if start.startswith(_HDF5_MAGIC):
        _require_h5py()
        from noisecli.codecs.weights.hdf5 import HDF5File

        return HDF5File(file, limits)
    if start.startswith(_ZIP_MAGIC):
        return _open_zip(file, limits)
    if start.startswith(_PICKLE_MAGIC):
        raise FileSkipped("unsupported-format", f"is a pickle: it {PICKLE_WAY_OUT}")
    if file.suffix.lower() == safetensors.SUFFIX:
        return safetensors.SafetensorsSource(file)
    raise FileFailed("wrong-content", "is neither safetensors, HDF5 nor a zip of weights; save it in one of them")


def create_sink(file: OutputFile, source: ArraysSource) -> ArraysSink:
    """Open an output like `source`; see noisecli.codecs.ArraysCodec."""
    if isinstance(source, safetensors.SafetensorsSource):
        return safetensors.SafetensorsSink(file, source)
    if isinstance(source, NpzSource):
        return NpzSink(file, source)
    from noisecli.codecs.weights import hdf5, keras_archive

    if isinstance(source, keras_archive.KerasSource):
        return keras_archive.KerasSink(file, source)
    if isinstance(source, hdf5.HDF5File):
        return hdf5.create_sink(file, source)
    raise TypeError("weights' sinks need a source of this codec")


def versions() -> dict[str, str]:
    """Return the versions of what compresses, and of h5py where it is installed."""
    found = {"zlib": zlib.ZLIB_RUNTIME_VERSION}
    with suppress(importlib.metadata.PackageNotFoundError):
        found["h5py"] = importlib.metadata.version("h5py")
    return found


def _open_zip(file: InputFile, limits: Limits) -> ArraysSource:
    """Three formats are zips: Keras' models, numpy's archives, and torch's pickles."""
    archive = open_archive(file.fileno())
    names = set(archive.namelist())
    close_archive(archive)
    if any(name.endswith("data.pkl") for name in names):
        raise FileSkipped("unsupported-format", f"is a pickle: it {PICKLE_WAY_OUT}")
    if names & _KERAS_MEMBERS or file.suffix.lower() == ".keras":
        _require_h5py()
        from noisecli.codecs.weights.keras_archive import KerasSource

        return KerasSource(file, limits)
    return NpzSource(file, limits, floats_only=True)


def _require_h5py() -> None:
    """Keras' formats are HDF5 inside, which h5py knows; the others need nothing."""
    try:
        import h5py  # noqa: F401
    except ImportError as error:
        words = f"needs h5py, which cannot be loaded ({error}): pip install h5py"
        raise FileFailed("no-encoder", words) from None
