"""What HDF5 would take in memory for a dataset, asked before it reads a value: it inflates a chunk in one piece."""

import math
import zlib

import h5py

from noisecli.codecs.limits import DEFLATE_RATIO, refuse_block
from noisecli.errors import FileFailed, FileSkipped, shown
from noisecli.model import Limits

_LZF = 32000
_READ = {h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32, _LZF}
_LZF_RATIO = 88
"""A packed byte becomes so many at most."""
_PIECE = 1 << 20
CACHE_BYTES = 1 << 26
"""Room for the chunks of one dataset that are in use."""


def open_dataset(root: h5py.File, name: str) -> h5py.Dataset:
    """Open a dataset with room for one of its chunks at least: otherwise every block would unpack it again."""
    opened = root[name]
    if opened.chunks is None or (held := _chunk_bytes(opened)) <= CACHE_BYTES:
        return opened
    access = h5py.h5p.create(h5py.h5p.DATASET_ACCESS)
    access.set_chunk_cache(1, held, 1.0)
    # a second handle has the cache of the first
    del opened
    return h5py.Dataset(h5py.h5d.open(root.id, name.encode(), access))


def _chunk_bytes(dataset: h5py.Dataset) -> int:
    itemsize: int = dataset.dtype.itemsize
    return math.prod(list[int](dataset.chunks)) * itemsize


def written_bytes(dataset: h5py.Dataset) -> int:
    """Return how many bytes a dataset takes once all of it is written: chunks are written whole."""
    shape, chunks = list[int](dataset.shape), dataset.chunks
    if chunks is not None:
        shape = [-(-length // chunk) * chunk for length, chunk in zip(shape, chunks, strict=True)]
    itemsize: int = dataset.dtype.itemsize
    return math.prod(shape) * itemsize


def refuse_chunks(name: str, dataset: h5py.Dataset, limits: Limits) -> None:
    """Raise FileFailed for chunks that are larger than memory holds, or inflate to more than they should."""
    if dataset.chunks is None:
        return
    held = _chunk_bytes(dataset)
    refuse_block(f"a chunk of {shown(name)}", held, limits)
    filters = _filters(name, dataset)
    if not filters & {h5py.h5z.FILTER_DEFLATE, _LZF}:
        return
    stored: list[tuple[tuple[int, ...], int]] = []
    dataset.id.chunk_iter(lambda chunk: stored.append((chunk.chunk_offset, chunk.size)) if _is_large(chunk) else None)
    for place, size in stored:
        if _LZF in filters:
            refuse_block(f"a chunk of {shown(name)}", size * _LZF_RATIO, limits)
            continue
        refuse_block(f"a packed chunk of {shown(name)}", size, limits)
        _, packed = dataset.id.read_direct_chunk(place)
        if _inflates_beyond(packed, held + _PIECE):
            message = f"has a chunk of {shown(name)} that inflates to more than its {held:,} bytes; save it again"
            raise FileFailed("corrupt", message)


def _filters(name: str, dataset: h5py.Dataset) -> set[int]:
    """Return how chunks are packed. Raises FileSkipped for what no Keras or h5py writes by itself."""
    created = dataset.id.get_create_plist()
    filters = [created.get_filter(number)[0] for number in range(created.get_nfilters())]
    if not _READ.issuperset(filters) or len(set(filters)) < len(filters):
        message = f"has {shown(name)} packed in a way that is not read; unpack it: h5repack -f NONE old.h5 new.h5"
        raise FileSkipped("unsupported-format", message)
    return set(filters)


def _is_large(chunk: h5py.h5d.StoreInfo) -> bool:
    """Whether a packed chunk could become more than 64 MiB; most cannot, and are not read."""
    return bool(chunk.size * DEFLATE_RATIO > 1 << 26)


def _inflates_beyond(packed: bytes, most: int) -> bool:
    inflating, size = zlib.decompressobj(), 0
    try:
        while not inflating.eof and size <= most:
            piece = inflating.decompress(packed, _PIECE)
            packed, size = inflating.unconsumed_tail, size + len(piece)
            if not piece and not packed:
                break
    except zlib.error:
        # HDF5 reports this itself
        return False
    return size > most
