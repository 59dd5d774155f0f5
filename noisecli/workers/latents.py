"""Pure noise: inputs for a generator, in .npy files of many.

A latent's values depend on its number, not on the file it is in. Latents come in groups of about 65,536 samples with a
stream of their own: opening one costs as much as thousands of samples, too much for each of a hundred numbers, and
little for a group. A file that begins inside a group draws the group's start once more.
"""

import contextlib
import math
from collections.abc import Iterator
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from noisecli.codecs import ArraysCodec
from noisecli.codecs.arrays.npy import NpyWriter
from noisecli.keys import group_key
from noisecli.kinds.latents import LatentsSettings
from noisecli.model import Made, Task
from noisecli.noise.draw import Draw
from noisecli.noise.kernels import draw_noise
from noisecli.noise.measure import significant_or_none
from noisecli.noise.moments import Spread
from noisecli.noise.stream import Streams
from noisecli.settings import own_settings
from noisecli.storage import OutputFile, SourceFile
from noisecli.workers import OpenSource, Row, WorkerContext
from noisecli.workers.output import Pair
from noisecli.workers.recorded import draw_of
from noisecli.workers.rows import build_row, made_of

AnyArray = NDArray[Any]

GROUP_SAMPLES = 1 << 16


class RecordedLatents(NamedTuple):
    """What a row records: the noise, the number of the first latent, and of how many."""

    drawn: Draw
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
        std, mean = task.level.low, task.level.mean
        row, _ = self.recompute(task, opened, RecordedLatents(Draw(bool(std or mean), std, mean), *task.span))
        return made_of(task, row, {})

    def read_row(self, row: Row) -> RecordedLatents:
        """Return the noise that a row records."""
        recorded = RecordedLatents(draw_of(row), int(row["first"]), int(row["shape"][0]))
        if min(recorded.first, recorded.number) < 0:
            raise ValueError(f"first {recorded.first}, number {recorded.number}")
        return recorded

    def recompute(self, task: Task, opened: OpenSource, noise: RecordedLatents) -> tuple[Row, bool]:
        """Write the latents that a row records, or a task asks for."""
        wanted = own_settings(self._settings, LatentsSettings)
        dtype, shape = np.dtype(wanted.dtype), (noise.number, *wanted.shape)
        spread = Spread()

        def open_sink(file: OutputFile) -> NpyWriter:
            return NpyWriter(file, dtype, shape)

        with Pair(self._context, task, open_sink, None) as pair:
            for block in latents(task.key, dtype, wanted.shape, noise):
                spread.note(block)
                pair.noisy.write(block)
            written = pair.commit()
        drawn = {"std": noise.drawn.std, "mean": noise.drawn.mean, "key": task.key.hex(), "copy": task.copy}
        drawn |= {"applied": noise.drawn.applied, "measured_std": significant_or_none(spread.std)}
        described = {"dtype": dtype.name, "shape": list(shape), "first": noise.first}
        row = build_row(self._settings, task, None, written, described=described, unit="1", noise=drawn, words=[])
        return row, False

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


def latents(key: bytes, dtype: np.dtype[Any], shape: tuple[int, ...], noise: RecordedLatents) -> Iterator[AnyArray]:
    """Yield the samples of some latents in order, at most GROUP_SAMPLES at a time.

    Parameters
    ----------
    key
        Of all latents, from latents_key().
    dtype, shape
        Of one latent.
    noise
        Which latents, and their std and mean.
    """
    size = math.prod(shape)
    in_group = max(1, GROUP_SAMPLES // max(size, 1))
    end = noise.first + noise.number
    for group in range(noise.first // in_group, -(-end // in_group)):
        start = group * in_group
        skipped = max(noise.first - start, 0) * size
        wanted = (min(end, start + in_group) - start) * size
        for block in _group(group_key(key, group), dtype, wanted, noise):
            if skipped < block.size:
                yield block[skipped:]
            skipped = max(skipped - block.size, 0)


def _group(key: bytes, dtype: np.dtype[Any], count: int, noise: RecordedLatents) -> Iterator[AnyArray]:
    """Yield the first samples of a group."""
    streams = Streams(key)
    for start in range(0, count, GROUP_SAMPLES):
        drawn = draw_noise(streams, dtype, min(GROUP_SAMPLES, count - start), noise.drawn.std, noise.drawn.mean)
        yield drawn.astype(dtype, copy=False)
