"""Images and audio files: one array a file, decoded in blocks, with noise, into its output."""

import contextlib
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from noisecli.codecs import Codec, Sink, Source, StdMapCodec
from noisecli.errors import FileFailed
from noisecli.kinds import always_loses
from noisecli.model import Made, SampleSpec, Survival, Task
from noisecli.noise.active import ActiveRms
from noisecli.noise.draw import STD_DIGITS, Draw, draw
from noisecli.noise.measure import round_significant, square_sum
from noisecli.noise.models import Field, Mapped, NoiseParameters, field_of
from noisecli.noise.models.coloured import Coloured, realised
from noisecli.noise.models.inside import InsideField
from noisecli.noise.models.signal_dependent import SignalDependent
from noisecli.noise.nodata import is_measured, measured
from noisecli.noise.stream import Streams
from noisecli.noise.survival import survival
from noisecli.storage import OutputFile, SourceFile
from noisecli.workers import OpenSource, Row, WorkerContext, check_suffix
from noisecli.workers.described import LOSSY, described, fits
from noisecli.workers.output import Committed, Pair, held
from noisecli.workers.recorded import draw_of
from noisecli.workers.rows import build_samples_row, made_of
from noisecli.workers.scale import Scale, is_overshooting
from noisecli.workers.where import Inside, Region, Regions

AnyArray = NDArray[Any]


class Adding(Protocol):
    """What turns the blocks of a source into those of its output, in order: a Field, for one."""

    def add(self, block: AnyArray) -> AnyArray:
        """Return the block as it is to be written."""


_COLOURS = 3


class SampleMaker:
    """Makes outputs of images and audio files; see noisecli.workers.Maker."""

    def __init__(self, context: WorkerContext) -> None:
        self._context, self._settings = context, context.settings
        self._codec = cast(Codec, context.codec)
        self._scale = Scale(context.settings.noise)
        self._regions = Regions(context.settings, self._codec)

    @contextlib.contextmanager
    def open(self, file: SourceFile | None) -> Iterator[OpenSource]:
        """Open an image or audio file."""
        assert file is not None
        opened = self._codec.open_source(file, self._settings.running.limits)
        with contextlib.closing(check_suffix(opened, file)) as source:
            file.forget()
            yield OpenSource(file, source)

    def make(self, task: Task, opened: OpenSource) -> Made:
        """Draw an output's noise, and write it."""
        source: Source = opened.source
        self._scale.refuse_unknown(source, task.level)
        spec = self.spec_of_output(source)
        rms = self.signal_rms(task, source, spec)
        noise, asked = self._settings.noise, task.level.asked
        streams = Streams(task.key)
        drawn = draw(task.level, spec, streams, noise.probability, rms, None, asked, noise.shared_probability)
        drawn = self._at_ratio(task, source, spec, drawn)
        if not math.isfinite(drawn.std):
            raise FileFailed("out-of-range", "has samples too large for the arithmetic of doubles; scale them down")
        region = self._regions.of(task, source, applied=drawn.applied)
        row, written = self._make_drawn(task, opened, spec, drawn, region, rms)
        kept: dict[str, Survival | None] = {}
        if task.measure_survival and (written.lossy or written.format in LOSSY or always_loses(task.output)):
            field, measured = self._field(task, spec, drawn, region), written.lossy and row["applied"]
            inside = None if region is None else region.inside
            kept[task.output] = self.survival(task, source, spec, field, written.order, inside) if measured else None
        return made_of(task, row, kept)

    def read_row(self, row: Row) -> Draw:
        """Return the noise that a row records."""
        return draw_of(row)

    def recompute(self, task: Task, opened: OpenSource, noise: Draw) -> tuple[Row, bool]:
        """Make an output once more with the noise that its row records."""
        region, spec = self._regions.of(task, opened.source, applied=noise.applied), self.spec_of_output(opened.source)
        # the std is recorded; what is measured beside it may go by the signal
        rms = self.signal_rms(task, opened.source, spec) if self._settings.noise.snr_of else None
        row, written = self._make_drawn(task, opened, spec, noise, region, rms)
        return row, self.is_lossy(written, opened.source)

    def is_lossy(self, written: Committed, source: Source) -> bool:
        """Whether what was written, or read, depends on the version of a lossy codec."""
        return written.lossy or source.format in LOSSY

    def mismatches(self, file: SourceFile, row: Row) -> Iterator[tuple[str, Any, Any]]:
        """Decode an output wholly and compare type, shape and rate with its row."""
        with contextlib.closing(self._codec.open_source(file, self._settings.running.limits)) as decoded:
            frames = sum(len(block) for block in decoded.blocks())
            found = described(decoded.spec, frames)
        for key, value in found.items():
            if key in row and not fits(row, key, value):
                yield key, value, row[key]

    def samples(self, file: SourceFile) -> Iterator[bytes]:
        """Yield an output's samples."""
        with contextlib.closing(self._codec.open_source(file, self._settings.running.limits)) as decoded:
            yield repr(described(decoded.spec, 0)).encode()
            for block in decoded.blocks():
                yield block.tobytes()

    def spec_of_output(self, source: Source) -> SampleSpec:
        """Return what an output's samples mean. Raises FileFailed where the request does not fit them."""
        noise = self._settings.noise
        spec = self._scale.spec_of(source)
        if noise.dtype == "float32":
            # a range is in the samples' own unit, and they stay in it
            spec = replace(spec, dtype="float32") if noise.range is not None else spec.as_float32()
        if not noise.clip and not spec.is_float:
            message = "has integer samples, which cannot hold an unclipped sum; add --dtype float32"
            raise FileFailed("no-encoder", message)
        return spec

    def _make_drawn(
        self,
        task: Task,
        opened: OpenSource,
        spec: SampleSpec,
        drawn: Draw,
        region: Region | None,
        signal_rms: float | None,
    ) -> tuple[Row, Committed]:
        """Write an output, and the clean one beside it. Return its row, and what was written."""
        assert opened.file is not None
        field = self._field(task, spec, drawn, region)
        frames, written = self.write(task, opened.file, opened.source, spec, field if drawn.applied else None)
        measure = field.measure
        row = build_samples_row(
            self._settings, task, opened.file, drawn, measure, spec, frames, written, region, signal_rms
        )
        return row, written

    def write(
        self, task: Task, file: SourceFile, source: Source, spec: SampleSpec, field: Adding | None
    ) -> tuple[int, Committed]:
        """Stream the source through the noise into its output; return how many frames it has, and what was written."""

        def open_sink(output: OutputFile) -> Sink:
            stored = _stored(spec, source)
            return self._codec.create_sink(output, source, stored, self._settings.output.encoding, task.key)

        def open_map(output: OutputFile) -> Sink:
            codec = cast(StdMapCodec, self._codec)
            return codec.create_std_map(output, source, self._settings.output.encoding)

        frames = 0
        with Pair(self._context, task, open_sink, file, open_map) as pair:
            for block in self._blocks(source, spec):
                frames += len(block)
                if pair.std_map is not None:
                    pair.std_map.write(_std_map(block, spec, cast(Mapped | None, field)))
                pair.write(block if field is None else field.add(block), block)
            written = pair.commit()
        words = ["overshoot"] if is_overshooting(spec) and self._settings.noise.clip else []
        return frames, written._replace(warnings=[*source.warnings, *written.warnings, *words])

    def _blocks(self, source: Source, spec: SampleSpec) -> Iterator[AnyArray]:
        """Yield the source's blocks in the samples of spec."""
        if spec.dtype == source.spec.dtype:
            yield from source.blocks()
            return
        # as_float32() has made the full scale of integers 1
        scale = np.float32(self._scale.spec_of(source).full_scale / spec.full_scale)
        for block in source.blocks():
            scaled = block.astype(np.float32) / scale
            if spec.nodata is not None:
                scaled[~is_measured(block, spec.nodata)] = spec.nodata
            yield scaled

    def signal_rms(self, task: Task, source: Source, spec: SampleSpec) -> float | None:
        """Return how loud the signal is that a ratio asked for is of; None where the level is none."""
        if not task.level.is_ratio:
            return None
        if self._settings.noise.snr_of is None or spec.sample_rate is None:
            return self.rms(source, spec)
        active = ActiveRms(spec.sample_rate, spec.full_scale)
        for block in self._blocks(source, spec):
            active.note(block)
        return active.value

    def rms(self, source: Source, spec: SampleSpec) -> float:
        """Root mean square over the whole file and all its channels that get noise, DC included."""
        count, squares = 0, 0.0
        for block in self._blocks(source, spec):
            coloured = block[..., : spec.noisy_channels] if block.ndim == 3 else block
            flat = measured(np.ascontiguousarray(coloured).reshape(-1), spec.nodata)
            count += flat.size
            squares += square_sum(flat)
        return (squares / count) ** 0.5 if count else 0.0

    def survival(
        self,
        task: Task,
        clean: Source,
        spec: SampleSpec,
        field: Adding,
        order: Sequence[int] | None = None,
        inside: Inside | None = None,
    ) -> Survival | None:
        """Read a lossy output back, and add its noise once more, to measure what is left of it.

        `order` is that of its channels, where it is another than the source's; `inside` are the pixels that count.
        """
        folder = held(self._settings.destination, self._context.prefix)
        # an output of ours may be many times smaller than its samples
        limits = replace(self._settings.running.limits, max_decoded=sys.maxsize)
        with (
            folder.open(task.output, limits.max_bytes) as file,
            contextlib.closing(self._codec.open_source(file, limits)) as decoded,
        ):
            # decoders of lossy audio give floats, whatever the source held
            is_audio = spec.sample_rate is not None
            scale = _stored(spec, clean).full_scale / decoded.spec.full_scale if is_audio else 1
            places = slice(None) if order is None else np.argsort(order)
            # a last block that was filled up is longer
            written = (block[..., places] for block in decoded.blocks())
            pairs = zip(self._blocks(clean, spec), written, strict=False)
            triples = ((x, field.add(x), (y if scale == 1 else y * scale)[: len(x)]) for x, y in pairs)
            return survival(triples if inside is None else (_part(triple, inside) for triple in triples))

    def _at_ratio(self, task: Task, source: Source, spec: SampleSpec, drawn: Draw) -> Draw:
        """Return coloured noise at the ratio asked for: its std is the filter's, and a file may have more or less."""
        if not (task.level.is_ratio and drawn.applied and isinstance(drawn.noise, Coloured)):
            return drawn
        frames = spec.shape[0] if spec.shape[0] >= 0 else sum(len(block) for block in source.blocks())
        loudness = realised(self._parameters(task, spec, drawn), frames)
        return replace(drawn, std=round_significant(drawn.std / loudness, STD_DIGITS)) if loudness else drawn

    def _parameters(self, task: Task, spec: SampleSpec, drawn: Draw) -> NoiseParameters:
        noise = self._settings.noise
        shared = noise.shared_channels if drawn.shared is None else drawn.shared
        return NoiseParameters(task.key, spec, _in_memory(drawn, spec), noise.clip, shared)

    def _field(self, task: Task, spec: SampleSpec, drawn: Draw, region: Region | None) -> Field:
        field = field_of(task.level.noise, self._parameters(task, spec, drawn))
        return field if region is None else InsideField(field, region.inside)


def _in_memory(drawn: Draw, spec: SampleSpec) -> Draw:
    """Return a draw whose stds by channel are in the order of decoded samples: of colours, blue comes first there."""
    noise = drawn.noise
    channels = spec.noisy_channels or (spec.shape[-1] if len(spec.shape) > 2 else 1)
    if not isinstance(noise, SignalDependent) or channels != len(noise.channel_stds) or channels != _COLOURS:
        return drawn
    return replace(drawn, noise=replace(noise, channel_stds=noise.channel_stds[::-1]))


def _part(images: tuple[AnyArray, AnyArray, AnyArray], inside: Inside) -> tuple[AnyArray, AnyArray, AnyArray]:
    """Return the pixels inside of the clean, noisy and decoded image; all of them where one has another size."""
    clean, noisy, decoded = images
    if decoded.shape[:2] != inside.shape:
        return images
    return clean[inside], noisy[inside], decoded[inside]


def _stored(spec: SampleSpec, source: Source) -> SampleSpec:
    """Return what the samples handed to an encoder mean to it: --full-scale moves no sample of an audio file.

    Floats alone are divided by it, for encoders that take them in -1..1.
    """
    own = source.spec.full_scale
    if spec.sample_rate is None or spec.dtype != source.spec.dtype:
        return spec
    return spec if spec.is_float and source.format not in LOSSY else replace(spec, full_scale=own)


def _std_map(block: AnyArray, spec: SampleSpec, field: Mapped | None) -> AnyArray:
    """Return the std of the noise on each sample that is no alpha, as a share of full scale."""
    noisy = block[..., : spec.noisy_channels] if block.ndim > 2 else block
    if field is None:
        return np.zeros(noisy.shape, np.float32)
    return field.std_map(noisy) / np.float32(spec.full_scale)
