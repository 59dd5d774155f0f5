"""Files of weights made on the spot, rewritten through the codec alone, and read again by other readers."""

import io
import json
import struct

import numpy as np
import pytest

from noisecli.codecs import weights
from noisecli.model import Limits
from tests.fixtures.files import Input, Output


@pytest.fixture
def open_path(keep):
    """Open a file of weights."""
    return lambda path, limits=None: keep(weights.open_source(keep(Input(path)), limits or Limits()))


@pytest.fixture
def open_bytes(open_path, new_path):
    """Open bytes as a file of weights."""

    def open_these(data, suffix=".safetensors", limits=None):
        path = new_path(suffix)
        path.write_bytes(data)
        return open_path(path, limits)

    return open_these


@pytest.fixture
def rewrite(open_path, new_path, keep):
    """Write a file again with every tensor changed, but those left; return the new path."""

    def write(path, change=lambda block: block, leave=()):
        source, new = open_path(path), new_path("".join(path.suffixes))
        sink = keep(weights.create_sink(keep(Output(new)), source), "abort")
        for part in source.parts:
            noisy = part.spec is not None and part.name not in leave
            sink.begin(part, part.spec if noisy else None)
            if noisy:
                for block in part.blocks():
                    assert block.ndim == 1
                    assert block.dtype.name == part.spec.dtype
                    assert block.nbytes <= 1 << 23
                    sink.write(change(block.copy()))
        sink.finish()
        return new

    return write


@pytest.fixture(scope="session")
def values():
    """Return the values of a part as one array."""
    return lambda part: np.concatenate([np.empty(0, part.spec.dtype), *(block.copy() for block in part.blocks())])


@pytest.fixture(scope="session")
def safetensors_bytes():
    """Lay out a .safetensors from (name, dtype, shape, bytes), in this order."""

    def lay_out(*tensors, metadata=None, pad=0):
        header = {} if metadata is None else {"__metadata__": metadata}
        data = b""
        for name, dtype, shape, raw in tensors:
            header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(raw)]}
            data += raw
        text = json.dumps(header).encode() + b" " * pad
        return struct.pack("<Q", len(text)) + text + data

    return lay_out


@pytest.fixture(scope="session")
def hdf5_bytes():
    """Make an HDF5 file with h5py: the function given fills it."""
    h5py = pytest.importorskip("h5py", reason="needs h5py: the extra named weights")

    def make(fill, **options):
        buffer = io.BytesIO()
        with h5py.File(buffer, "w", **options) as file:
            fill(file)
        return buffer.getvalue()

    return make
