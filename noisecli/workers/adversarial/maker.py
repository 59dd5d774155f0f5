"""Adversarial outputs: the samples come ready from the process that has the model; here they are written, and read."""

from __future__ import annotations

import contextlib
import math
import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from noisecli import codecs
from noisecli.codecs import ArraysCodec, ArraysSink, ArraysSource
from noisecli.errors import FileFailed, shown
from noisecli.kinds import load
from noisecli.kinds.adversarial import AdversarySettings
from noisecli.kinds.arrays import ARRAYS
from noisecli.model import Made, SampleSpec, Survival, Task
from noisecli.noise.draw import Draw
from noisecli.noise.measure import Measure, round_significant, significant_or_none
from noisecli.settings import own_settings
from noisecli.storage import OutputFile, SourceFile
from noisecli.workers import OpenSource, Row, check_suffix
from noisecli.workers.output import Committed, Pair, Writer
from noisecli.workers.rows import build_samples_row, made_of
from noisecli.workers.samples import SampleMaker

if TYPE_CHECKING:
    from noisecli.gradient.fgsm import Predictions

AnyArray = NDArray[Any]


@dataclass(frozen=True)
class PreparedOutput:
    """An output's samples, worked out where the model is; it travels in Task.extra.

    Attributes
    ----------
    source_sha256
        Of the source they were made from.
    spec
        What the samples mean.
    noisy
        An image's colour channels, or the array of an archive, with step and noise.
    drawn, measure
        The noise.
    step
        What the row says of the step.
    """

    source_sha256: str
    spec: SampleSpec
    noisy: AnyArray
    drawn: Draw
    measure: Measure
    step: Row

    def add(self, block: AnyArray) -> AnyArray:
        """Return the image as it is to be written, its own alpha behind the colours."""
        coloured = self.spec.noisy_channels
        if coloured is None or block.ndim < 3 or block.shape[-1] <= coloured:
            return self.noisy
        whole = block.copy()
        whole[..., :coloured] = self.noisy
        return whole


def is_archive(file: SourceFile) -> bool:
    """Whether a source is an .npz."""
    return file.suffix.lower() == ".npz"


class AdversarialMaker(SampleMaker):
    """Writes what is ready; see noisecli.workers.Maker."""

    @contextlib.contextmanager
    def open(self, file: SourceFile | None) -> Iterator[OpenSource]:
        """Open an image or an archive."""
        assert file is not None
        if not is_archive(file):
            with super().open(file) as opened:
                yield opened
            return
        archive = _arrays().open_source(file, self._settings.running.limits)
        with contextlib.closing(check_suffix(archive, file)) as source:
            specs = (part.spec for part in source.parts if part.spec is not None)
            yield OpenSource(file, source, sum(math.prod(spec.shape) * np.dtype(spec.dtype).itemsize for spec in specs))

    def make(self, task: Task, opened: OpenSource) -> Made:
        """Write an output."""
        ready: PreparedOutput = pickle.loads(task.extra)
        row, written = self._write_ready(task, opened, ready)
        kept: dict[str, Survival | None] = {}
        if task.measure_survival and row["member"] is None:
            kept[task.output] = self.survival(task, opened.source, ready.spec, ready) if written.lossy else None
        return made_of(task, row, kept)

    def recompute(self, task: Task, opened: OpenSource, noise: Draw) -> tuple[Row, bool]:
        """Write an output that is ready once more."""
        row, written = self._write_ready(task, opened, pickle.loads(task.extra))
        return row, row["member"] is None and self.is_lossy(written, opened.source)

    def _write_ready(self, task: Task, opened: OpenSource, ready: PreparedOutput) -> tuple[Row, Committed]:
        assert opened.file is not None
        if opened.file.sha256() != ready.source_sha256:
            raise FileFailed("changed", "changed while it was read; run again when its writer is done")
        if is_archive(opened.file):
            frames, written = 0, self._write_archive(task, opened.file, opened.source, ready)
        else:
            frames, written = self.write(task, opened.file, opened.source, ready.spec, ready)
        row = build_samples_row(
            self._settings, task, opened.file, ready.drawn, ready.measure, ready.spec, frames, written
        )
        return row | ready.step, written

    def _write_archive(self, task: Task, file: SourceFile, source: ArraysSource, ready: PreparedOutput) -> Committed:
        """Write the samples with step and noise, and all other arrays as they are, labels among them."""
        samples_key = own_settings(self._settings, AdversarySettings).samples_key

        def open_sink(output: OutputFile) -> ArraysSink:
            return _arrays().create_sink(output, source)

        def write_to(writer: Writer[ArraysSink], noisy: AnyArray | None) -> None:
            with writer.naming_errors():
                for part in source.parts:
                    chosen = noisy is not None and part.name == samples_key
                    writer.sink.begin(part, part.spec if chosen else None)
                    if chosen and noisy is not None:
                        writer.sink.write(noisy)

        with Pair(self._context, task, open_sink, file) as pair:
            write_to(pair.noisy, ready.noisy)
            if pair.clean is not None:
                write_to(pair.clean, None)
            written = pair.commit()
        return written._replace(lossy=False, warnings=[*source.warnings, *written.warnings])

    def mismatches(self, file: SourceFile, row: Row) -> Iterator[tuple[str, Any, Any]]:
        """Decode an output wholly and compare type and shape with its row."""
        if not is_archive(file):
            yield from super().mismatches(file, row)
            return
        with self.open(file) as opened:
            for part in opened.source.parts:
                for _ in part.blocks() if part.spec is not None else ():
                    pass
            found = next((part for part in opened.source.parts if part.name == row.get("member")), None)
        described = (None, None) if found is None or found.spec is None else (found.spec.dtype, list(found.shape))
        for key, value in zip(("dtype", "shape"), described, strict=True):
            if value != row.get(key):
                yield key, value, shown(row.get(key))

    def samples(self, file: SourceFile) -> Iterator[bytes]:
        """Yield the samples of an image, or of all arrays of numbers of an archive."""
        if not is_archive(file):
            yield from super().samples(file)
            return
        with self.open(file) as opened:
            for part in opened.source.parts:
                yield repr((part.name, part.dtype, part.shape)).encode()
                if part.spec is not None:
                    yield from (block.tobytes() for block in part.blocks())

    def stepped(self, file: SourceFile, member: str | None) -> Iterator[AnyArray]:
        """Yield the samples that got step and noise."""
        with self.open(file) as opened:
            if member is None:
                yield from opened.source.blocks()
                return
            for part in opened.source.parts:
                if part.name == member:
                    yield from part.blocks()


def whole(part: codecs.StoredArray) -> AnyArray:
    """Return all samples of an array, in its own shape."""
    blocks = [block.copy() for block in part.blocks()]
    flat = np.concatenate(blocks) if blocks else np.empty(0, np.float32)
    return flat.reshape(part.shape, order="F" if part.spec is not None and part.spec.fortran_order else "C")


def in_storage_order(samples: AnyArray, spec: SampleSpec) -> AnyArray:
    """Return an array's samples in one dimension, as blocks() of its part gives them."""
    return samples.ravel(order="F" if spec.fortran_order else "C")


def _arrays() -> ArraysCodec:
    return cast(ArraysCodec, load(ARRAYS.codec))


def describe_step(
    eps: float,
    full_scale: float,
    labels: NDArray[np.int32],
    answered: dict[str, Predictions],
    *,
    place: int | None,
    member: str | None,
) -> dict[str, Any]:
    """Return the row's part about the step.

    Parameters
    ----------
    eps
        In the samples' native unit, of which `full_scale` is 100%.
    labels
        Of the samples, one for an image.
    answered
        What the model says "before", after the "step" alone, and "after" step and noise, of each sample.
    place
        Of an image in its batch: its slot.
    member
        The name of an archive's array.
    """
    row: dict[str, Any] = {"member": member, "place": place, "samples": len(labels)}
    row |= {"eps": eps, "eps_fraction": round_significant(eps / full_scale, 9)}
    row["label"] = int(labels[0]) if member is None else None
    for when, said in answered.items():
        row[f"answer_{when}"] = int(said.classes[0]) if member is None else None
        row[f"loss_{when}"] = significant_or_none(float(np.mean(said.losses, dtype=np.float64)))
        row[f"accuracy_{when}"] = round_significant(float(np.mean(said.classes == labels)), 6)
    changed = answered["before"].classes != answered["after"].classes
    row["changed"] = round_significant(float(np.mean(changed)), 6)
    return row
