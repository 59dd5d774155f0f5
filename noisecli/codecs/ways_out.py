"""Data in formats that noisecli does not read: what they are, and the line that makes an .npz of them. Light."""

HDF5_WAY_OUT = (
    "is HDF5, of which noisecli reads models only (noisecli weights); make an .npz of a data set: python -c "
    "\"import h5py, numpy as np; d = {}; f = h5py.File('data.h5'); "
    "f.visititems(lambda n, o: d.update({n: o[()]}) if hasattr(o, 'shape') else None); np.savez('data.npz', **d)\""
)
MATLAB_WAY_OUT = (
    "is data of MATLAB, which noisecli does not read; make an .npz of it: python -c "
    "\"import scipy.io, numpy as np; d = scipy.io.loadmat('data.mat'); "
    "np.savez('data.npz', **{k: v for k, v in d.items() if k[0] != '_'})\" (version 7.3 is HDF5: h5py reads it)"
)
PARQUET_WAY_OUT = (
    "is a table of columns, which noisecli does not read; make an .npz of it: python -c "
    "\"import pandas as pd, numpy as np; t = pd.read_parquet('data.parquet'); "
    "np.savez('data.npz', **{k: t[k].to_numpy() for k in t})\""
)
TENSORS_WAY_OUT = (
    "may run code when it is loaded, so it never is here; make an .npz of its tensors: python -c "
    "\"import torch, numpy as np; d = torch.load('data.pt', weights_only=True); "
    "np.savez('data.npz', **{k: v.numpy() for k, v in d.items()})\""
)
PICKLED_WAY_OUT = (
    "may run code when it is loaded, so it never is here; load it yourself, and save its arrays with numpy: "
    "np.savez('data.npz', x=x, y=y)"
)

DATA_WAYS_OUT = {
    **dict.fromkeys((".h5", ".hdf5", ".hdf"), HDF5_WAY_OUT),
    ".mat": MATLAB_WAY_OUT,
    **dict.fromkeys((".parquet", ".pq"), PARQUET_WAY_OUT),
    **dict.fromkeys((".pt", ".pth"), TENSORS_WAY_OUT),
    **dict.fromkeys((".pkl", ".pickle"), PICKLED_WAY_OUT),
}
"""By suffix."""

_BEGINNINGS = {
    b"\x89HDF\r\n\x1a\n": HDF5_WAY_OUT,
    b"MATLAB": MATLAB_WAY_OUT,
    b"PAR1": PARQUET_WAY_OUT,
    **{b"\x80" + bytes([protocol]): PICKLED_WAY_OUT for protocol in range(2, 6)},
}
LONGEST_BEGINNING = 8


def way_out_of(start: bytes) -> str | None:
    """Return what a file with this beginning is, and how to make an .npz of it."""
    return next((words for beginning, words in _BEGINNINGS.items() if start.startswith(beginning)), None)
