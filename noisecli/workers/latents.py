"""Pure noise: inputs for a generator, in .npy files of many.

A latent's values depend on its number, not on the file it is in. Latents come in groups of about 65,536 samples with a
stream of their own: opening one costs as much as thousands of samples, too much for each of a hundred numbers, and
little for a group. A file that begins inside a group draws the group's start once more.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from noisecli.codecs import ArraysCodec
from noisecli.codecs.arrays.npy import NpyWriter
from noisecli.keys import group_key
from noisecli.model import Made, Task
from noisecli.noise.kernels import draw_noise
from noisecli.noise.measure import significant_or_none
from noisecli.noise.moments import Spread
from noisecli.noise.stream import Streams
from noisecli.storage import OutputFile, SourceFile
from noisecli.workers import OpenSource, Row, WorkerContext, Writer
from noisecli.workers.rows import to_line

AnyArray = NDArray[Any]

GROUP_SAMPLES = 1 << 16


class RecordedNoise(NamedTuple):
    """What a row tells: std, mean, the number of the first latent, and of how many."""

    std: float
    mean: float
    first: int
    number: int


class LatentsMaker:
    """Makes files of latents; see noisecli.workers.Maker."""

    def __init__(self, context: WorkerContext) -> None:
        self._context, self._settings = context, context.settings
        self._codec = cast(ArraysCodec, context.codec)

    @contextlib.contextmanager
    def open(self, file: SourceFile | None) -> Iterator[OpenSource]:
        """There is nothing to open."""
        yield OpenSource(None, None)

    def make(self, task: Task, opened: OpenSource) -> Made:
        """Write the latents of one file."""
        assert task.span is not None
        row, _ = self.recompute(task, opened, RecordedNoise(task.level.low, task.level.mean, *task.span))
        return Made(task.output, to_line(row), {}, (), row["applied"])

    def read_row(self, row: Row) -> RecordedNoise:
        """Return the noise that a row tells."""
        told = RecordedNoise(float(row["std"]), float(row["mean"]), int(row["first"]), int(row["shape"][0]))
        if not (math.isfinite(told.std) and math.isfinite(told.mean) and min(told.std, told.first, told.number) >= 0):
            raise ValueError(f"{told}")
        return told

    def recompute(self, task: Task, opened: OpenSource, told: RecordedNoise) -> tuple[Row, bool]:
        """Write the latents that a row tells, or a task."""
        wanted = self._settings.latents
        assert wanted is not None
        dtype, shape = np.dtype(wanted.dtype), (told.number, *wanted.shape)
        spread = Spread()

        def open_sink(file: OutputFile) -> NpyWriter:
            return NpyWriter(file, dtype, shape)

        with Writer(self._context, task.output, task, open_sink, None) as writer:
            for block in latents(task.key, dtype, wanted.shape, told):
                spread.note(block)
                with writer.telling():
                    writer.sink.write(block)
            size, digest = writer.commit()
        row: Row = {"file_name": task.output, "source": None, "kind": self._settings.kind, "format": writer.sink.format}
        row |= {"dtype": dtype.name, "shape": list(shape), "first": told.first, "noise": task.level.noise}
        row |= {"unit": "1", "level": task.level.label, "std": told.std, "mean": told.mean}
        row |= {"key": task.key.hex(), "copy": task.copy, "applied": bool(told.std or told.mean)}
        row |= {"measured_std": significant_or_none(spread.std)}
        row |= {"warnings": [], "settings": self._settings.key, "source_bytes": None, "source_sha256": None}
        return row | {"bytes": size, "sha256": digest}, False

    def mismatches(self, file: SourceFile, row: Row) -> Iterator[tuple[str, Any, Any]]:
        """Compare type and shape with the row."""
        with contextlib.closing(self._codec.open_source(file, self._settings.running.limits)) as decoded:
            for part in decoded.parts[:1]:
                found = {"dtype": np.dtype(part.dtype).name, "shape": list(part.shape)}
                yield from ((key, value, row.get(key)) for key, value in found.items() if value != row.get(key))

    def samples(self, file: SourceFile) -> Iterator[bytes]:
        """Yield the samples of a file."""
        with contextlib.closing(self._codec.open_source(file, self._settings.running.limits)) as decoded:
            for part in decoded.parts:
                yield repr((part.dtype, part.shape)).encode()
                yield from (block.tobytes() for block in part.blocks())


def latents(key: bytes, dtype: np.dtype[Any], shape: tuple[int, ...], told: RecordedNoise) -> Iterator[AnyArray]:
    """Yield the samples of some latents in order, at most GROUP_SAMPLES at a time.

    Parameters
    ----------
    key
        Of all latents, from latents_key().
    dtype, shape
        Of one latent.
    told
        Which latents, and their std and mean.
    """
    size = math.prod(shape)
    in_group = max(1, GROUP_SAMPLES // max(size, 1))
    end = told.first + told.number
    for group in range(told.first // in_group, -(-end // in_group)):
        start = group * in_group
        skipped = max(told.first - start, 0) * size
        wanted = (min(end, start + in_group) - start) * size
        for block in _group(group_key(key, group), dtype, wanted, told):
            if skipped < block.size:
                yield block[skipped:]
            skipped = max(skipped - block.size, 0)


def _group(key: bytes, dtype: np.dtype[Any], count: int, told: RecordedNoise) -> Iterator[AnyArray]:
    """Yield the first samples of a group."""
    streams = Streams(key)
    for start in range(0, count, GROUP_SAMPLES):
        noise = draw_noise(streams, dtype, min(GROUP_SAMPLES, count - start), told.std, told.mean)
        yield noise.astype(dtype, copy=False)
