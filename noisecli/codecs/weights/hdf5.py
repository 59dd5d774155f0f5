"""Keras' .weights.h5, and the whole-model .h5 of older versions: tensors are datasets, overwritten in place.

The output begins as a copy of the file, so attributes, names, optimizer state and all else stay unchanged.
"""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from noisecli.codecs import InputFile, OutputFile, StoredArray
from noisecli.codecs.damage import truncated
from noisecli.codecs.limits import refuse_bomb, refuse_crowd
from noisecli.codecs.region import Region, copy
from noisecli.codecs.weights import bf16
from noisecli.codecs.weights.bf16 import BF16, RoundsToBF16
from noisecli.codecs.weights.chunks import CACHE_BYTES, open_dataset, refuse_chunks, written_bytes
from noisecli.codecs.weights.keras_layout import is_parameter, legacy_folder, walk
from noisecli.errors import FileFailed, FileSkipped, shown
from noisecli.model import Limits, SampleSpec

_SLACK = 1 << 24
"""Room for what HDF5 itself notes beside the values."""

_Slab = tuple[tuple[int, ...], tuple[int, ...]]
"""Start and count along every axis."""


@dataclass(slots=True)
class HDF5Tensor:
    """One tensor of an open file; see noisecli.codecs.StoredArray."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    spec: SampleSpec | None
    root: h5py.File
    file: Region

    def blocks(self) -> Iterator[NDArray[Any]]:
        # an open dataset takes kilobytes, and a file may hold very many
        with _failing("cannot be read", self.file):
            opened = open_dataset(self.root, self.name)
        for slab in _slabs(self.shape):
            with _failing("cannot be read", self.file):
                raw = _read(opened, self.dtype, slab)
            yield bf16.widen(raw, self.dtype)


class RoundedTensor(RoundsToBF16, HDF5Tensor):
    """One tensor of BF16."""


class HDF5Source:
    """One opened file, or a stretch of an archive; see noisecli.codecs.ArraysSource.

    `most_written` is how long an output can become when all tensors are written, packed or not.
    """

    format = "hdf5"

    def __init__(self, file: Region, size: int, limits: Limits) -> None:
        self.warnings: Sequence[str] = []
        with _failing("cannot be opened", file):
            self._opened = h5py.File(file, "r", rdcc_nbytes=CACHE_BYTES)
        self.keeps_size, self._decoded = True, 0
        try:
            with _failing("cannot be read", file):
                self.parts: Sequence[StoredArray] = self._look_through(file, size, limits)
            refuse_bomb(self._decoded, size, limits)
            self.most_written = 2 * (size + self._decoded) + _SLACK
        except BaseException:
            self.close()
            raise

    def _look_through(self, file: Region, size: int, limits: Limits) -> list[HDF5Tensor]:
        """Return all datasets; those that may get noise are checked, on what the file says of them alone."""
        parts, legacy = [], legacy_folder(self._opened)
        for name, dataset in walk(self._opened):
            part = _part(name, dataset, legacy, (self._opened, file))
            parts.append(part)
            if part.spec is not None:
                if dataset.id.get_storage_size() > size:
                    raise truncated(f"{shown(name)} lies beyond its end")
                self._decoded += written_bytes(dataset)
                refuse_chunks(name, dataset, limits)
                # compressed ones move when they change, and so do those that were never written
                self.keeps_size = self.keeps_size and dataset.id.get_offset() is not None
        refuse_crowd(part.name for part in parts)
        if legacy is None and not any(is_parameter(part.name, None) for part in parts):
            message = (
                "is an HDF5 file without the weights of a Keras model; of data, make an .npz for noisecli arrays, "
            )
            raise FileSkipped("unsupported-format", f"{message}which says how")
        return parts

    def close(self) -> None:
        with contextlib.suppress(OSError, RuntimeError):
            self._opened.close()


class HDF5Sink:
    """A copy of the source whose datasets are overwritten; see noisecli.codecs.ArraysSink."""

    format = "hdf5"
    lossy = False

    def __init__(self, file: Region, most: int) -> None:
        self.warnings: Sequence[str] = []
        self._file = file
        file.hold_to(most)
        self._part: StoredArray | None = None
        self._slabs: Iterator[_Slab] = iter(())
        self._rest: NDArray[Any] = np.empty(0)
        with _failing("cannot be written", file):
            self._opened = h5py.File(file, "r+", rdcc_nbytes=CACHE_BYTES)

    def begin(self, part: StoredArray, spec: SampleSpec | None) -> None:
        self._part = None
        if spec is None:
            return
        bf16.require_stored(part.name, part.spec, spec)
        with _failing("cannot be written", self._file):
            self._target = open_dataset(self._opened, part.name)
            _refuse_clock(part.name, self._target)
        self._part, self._slabs, self._rest = part, _slabs(part.shape), np.empty(0, spec.dtype)
        self._slab = next(self._slabs, None)

    def write(self, block: NDArray[Any]) -> None:
        """Take the tensor's next values, however many."""
        assert self._part is not None
        values = np.concatenate([self._rest, block]) if self._rest.size else block
        while self._slab is not None and values.size >= (size := int(np.prod(self._slab[1], dtype=np.int64))):
            with _failing("cannot be written", self._file):
                _write(self._target, bf16.narrow(values[:size], self._part.dtype), self._slab)
            values, self._slab = values[size:], next(self._slabs, None)
        self._rest = values.copy()

    def finish(self) -> None:
        """Close the library's side; only now all has arrived."""
        with _failing("cannot be written", self._file):
            self._opened.close()

    def abort(self) -> None:
        self._file.abandon()
        with contextlib.suppress(OSError, RuntimeError):
            self._opened.close()


class HDF5File(HDF5Source):
    """A file that is HDF5 from its first byte to its last."""

    def __init__(self, file: InputFile, limits: Limits) -> None:
        super().__init__(Region(file.fileno(), 0, file.size), file.size, limits)
        self.descriptor, self.size = file.fileno(), file.size


def create_sink(file: OutputFile, source: HDF5File) -> HDF5Sink:
    """Begin an output as a copy of the source."""
    copy(source.descriptor, file.fileno(), 0, source.size)
    return HDF5Sink(Region(file.fileno()), source.most_written)


def _part(name: str, dataset: h5py.Dataset, legacy: str | None, inside: tuple[h5py.File, Region]) -> HDF5Tensor:
    stored = _stored(dataset)
    shape = dataset.shape if dataset.shape is not None else (0,)
    spec = bf16.describe(stored, shape) if is_parameter(name, legacy) and dataset.shape is not None else None
    kind = RoundedTensor if stored == BF16 else HDF5Tensor
    return kind(name, stored, shape, spec, *inside)


def _stored(dataset: h5py.Dataset) -> str:
    """How the file holds the numbers: BF16, or numpy's word."""
    dtype: np.dtype[Any] = dataset.dtype
    if dtype.kind == "V" and dtype.itemsize == 2 and dtype.names is None:
        return BF16 if dataset.attrs.get("dtype") in ("bfloat16", b"bfloat16") else dtype.str
    if dtype.kind == "f" and not h5py.h5t.py_create(dtype).equal(dataset.id.get_type()):
        # a type of another layout, which h5py reads as the next wider one
        return "float?"
    return dtype.str


def _slabs(shape: tuple[int, ...]) -> Iterator[_Slab]:
    """Yield boxes of at most bf16.BLOCK_SAMPLES values that follow each other in the order of indices."""
    if 0 in shape:
        return
    axis, inner = len(shape), 1
    while axis and inner * shape[axis - 1] <= bf16.BLOCK_SAMPLES:
        axis -= 1
        inner *= shape[axis]
    if not axis:
        yield (0,) * len(shape), shape
        return
    # the box is whole after this axis, and one index wide before it
    split, step = axis - 1, max(1, bf16.BLOCK_SAMPLES // inner)
    for outer in np.ndindex(*shape[:split]):
        for start in range(0, shape[split], step):
            count = min(step, shape[split] - start)
            yield (*outer, start, *(0,) * (len(shape) - axis)), (*(1,) * split, count, *shape[axis:])


def _read(dataset: h5py.Dataset, stored: str, slab: _Slab) -> NDArray[Any]:
    memory, selected = _spaces(dataset, slab)
    raw = np.empty(memory.get_simple_extent_npoints(), bf16.raw_dtype(stored))
    dataset.id.read(memory, selected, raw, _memory_type(dataset, stored))
    return raw


def _write(dataset: h5py.Dataset, raw: NDArray[Any], slab: _Slab) -> None:
    memory, selected = _spaces(dataset, slab)
    stored = BF16 if dataset.dtype.kind == "V" else dataset.dtype.str
    dataset.id.write(memory, selected, np.ascontiguousarray(raw), _memory_type(dataset, stored))


def _spaces(dataset: h5py.Dataset, slab: _Slab) -> tuple[Any, Any]:
    start, count = slab
    selected = dataset.id.get_space()
    if start:
        selected.select_hyperslab(start, count)
    return h5py.h5s.create_simple((int(np.prod(count, dtype=np.int64)),)), selected


def _memory_type(dataset: h5py.Dataset, stored: str) -> Any:
    return dataset.id.get_type() if stored == BF16 else h5py.h5t.py_create(bf16.raw_dtype(stored))


def _refuse_clock(name: str, dataset: h5py.Dataset) -> None:
    """Two runs must give the same bytes: HDF5 notes the time when it writes to some datasets, if they want that."""
    chunked = dataset.id.get_create_plist().get_layout() == h5py.h5d.CHUNKED
    if h5py.h5o.get_info(dataset.id).ctime and not chunked and dataset.id.get_offset() is None:
        words = "would note the time of its change; rewrite it: h5repack -l CONTI old.h5 new.h5"
        raise FileFailed("no-encoder", f"{shown(name)} {words}")


@contextlib.contextmanager
def _failing(what: str, file: Region) -> Iterator[None]:
    """Raise what the system said to the file under HDF5; h5py has four kinds of error for everything else."""
    try:
        yield
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
        file.check()
        words = shown(" ".join(str(error).split()), 300)
        message = f"its HDF5 {what} ({words}); copy or save it again"
        raise FileFailed("truncated" if "truncated" in words else "corrupt", message) from error
    file.check()
