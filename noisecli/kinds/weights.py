"""Parameters of models."""

from noisecli.codecs import PICKLE_WAY_OUT
from noisecli.kinds.arrays import ArraysSettings
from noisecli.kinds.record import Encoded, Kind

_HDF5 = Encoded("hdf5")
_PICKLES = (".pt", ".pth", ".bin", ".ckpt", ".pkl", ".pickle")
"""Suffixes of weights that run code when they are loaded. Beside anything but weights they are side files."""

WEIGHTS = Kind(
    name="weights",
    summary="Noisy copies of model parameters: .safetensors .npz .weights.h5 .keras.",
    noun="weight file",
    nouns="weight files",
    formats={
        ".npz": Encoded("npz"),
        ".safetensors": Encoded("safetensors"),
        ".keras": Encoded("keras"),
        ".h5": _HDF5,
        ".hdf5": _HDF5,
    },
    refused=dict.fromkeys(_PICKLES, PICKLE_WAY_OUT),
    codec="noisecli.codecs.weights",
    maker="noisecli.workers.arrays:ArraysMaker",
    is_data=True,
    keeps_format=True,
    all_arrays=True,
    option_of_arrays="--tensors",
    own=ArraysSettings,
)
