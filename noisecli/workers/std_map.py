"""The map of an array's noise: the std of every sample, in the data's own unit, beside the output."""

from dataclasses import replace
from typing import Any

import numpy as np

from noisecli.codecs import ArraysSource, StoredArray
from noisecli.codecs.arrays.npy import NpyWriter
from noisecli.errors import FileFailed
from noisecli.model import SampleSpec, Task
from noisecli.noise.models import Mapped
from noisecli.storage import OutputFile
from noisecli.workers.output import Writer


def refuse_archive(task: Task, source: ArraysSource) -> None:
    """Raise FileFailed where a map is asked for of a file that may hold several arrays."""
    if task.std_map_output is not None and [part.name for part in source.parts] != [""]:
        message = "may hold several arrays, and --with-std-map is for .npy files of one; leave it out with --exclude"
        raise FileFailed("wrong-shape", message)


def open_map(file: OutputFile, part: StoredArray) -> NpyWriter:
    """Return what writes a map: float32 in the array's own order; of complex numbers complex64, a std for each part."""
    assert part.spec is not None
    dtype = np.dtype(replace(part.spec, dtype="float32").stored_dtype)
    return NpyWriter(file, dtype, part.shape, fortran_order=part.spec.fortran_order)


def write_map(writer: Writer[Any], part: StoredArray, spec: SampleSpec, field: Mapped | None) -> None:
    """Write the std of the noise on every sample, which are of `spec` where they get it; None: there is no noise."""
    for block in part.blocks():
        with np.errstate(over="ignore", invalid="ignore"):
            x = block.astype(spec.dtype, copy=False)
            writer.write(np.zeros(x.shape, np.float32) if field is None else field.std_map(x))
