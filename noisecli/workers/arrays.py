"""Files of arrays: every array that was chosen gets noise of its own, the others are copied as they are."""

import contextlib
import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from noisecli.codecs import ArraysCodec, ArraysSink, ArraysSource, Rounding, StoredArray
from noisecli.errors import FileFailed, shown
from noisecli.keys import part_key
from noisecli.kinds import KINDS
from noisecli.kinds.arrays import ArraysSettings
from noisecli.model import Made, SampleSpec, Task
from noisecli.noise.draw import STD_DIGITS, Draw, draw
from noisecli.noise.measure import Measure, round_significant, square_sum
from noisecli.noise.models import Field, Mapped, NoiseParameters, field_of
from noisecli.noise.models.rounded import RoundedField
from noisecli.noise.moments import Columns, Spread
from noisecli.noise.stream import Streams
from noisecli.storage import OutputFile, SourceFile
from noisecli.workers import OpenSource, Row, WorkerContext, check_suffix
from noisecli.workers.output import Pair, Writer
from noisecli.workers.parameters import Chosen, choose
from noisecli.workers.recorded import RecordedNoise, arrays_of, noise_of
from noisecli.workers.rows import build_arrays_row, describe_array, made_of
from noisecli.workers.std_map import open_map, refuse_archive, write_map

AnyArray = NDArray[Any]

_MOST_FEATURES = 1 << 20


class PartDraw(NamedTuple):
    """What one array gets: std and mean, and where every column has a std of its own, those."""

    draw: Draw
    spec: SampleSpec
    column_stds: NDArray[np.float64] | None = None


class ArraysMaker:
    """Makes outputs of arrays and weights; see noisecli.workers.Maker."""

    def __init__(self, context: WorkerContext) -> None:
        self._context, self._settings = context, context.settings
        own = context.settings.own
        # verify reads outputs without knowing what was asked for
        self._wanted = own if isinstance(own, ArraysSettings) else ArraysSettings()
        self._codec = cast(ArraysCodec, context.codec)

    @contextlib.contextmanager
    def open(self, file: SourceFile | None) -> Iterator[OpenSource]:
        """Open a file of arrays."""
        assert file is not None
        opened = self._codec.open_source(file, self._settings.running.limits)
        with contextlib.closing(check_suffix(opened, file)) as source:
            size = sum(math.prod(part.shape) * _itemsize(part) for part in source.parts)
            yield OpenSource(file, source, size)

    def make(self, task: Task, opened: OpenSource) -> Made:
        """Draw the noise of every array chosen, and write the output."""
        source: ArraysSource = opened.source
        chosen = choose(KINDS[self._settings.kind], self._wanted, source.parts, task.source)
        share = self._draw_share(task) if task.level.relative else None
        drawn = {part.name: self._draw(task, part, share) for part in source.parts if part.name in chosen.names}
        row = self._make_drawn(task, opened, drawn, share, chosen)
        if KINDS[self._settings.kind].all_arrays or [part.name for part in source.parts] == [""]:
            return made_of(task, row, {})
        noised = tuple(entry["name"] for entry in row["parts"] if entry["applied"])
        left = (part.name for part in source.parts if part.spec is not None and part.shape and part.name not in drawn)
        return made_of(task, row, {}, noised, () if self._wanted.choose else tuple(left))

    def _draw_share(self, task: Task) -> float:
        """Draw what share of its own std every array of the file gets."""
        unit = SampleSpec("float64", (), 1.0, -math.inf, math.inf)
        return draw(task.level, unit, Streams(task.key), self._settings.noise.probability, None, 1.0).std

    def _draw(self, task: Task, part: StoredArray, share: float | None) -> PartDraw:
        spec = self._spec_of_output(part)
        rms = _rms(part) if task.level.is_ratio else None
        column_stds = self._column_stds(part, share)
        own_std = None
        if column_stds is not None and share:
            own_std = _root_mean_square(column_stds) / share
        elif task.level.relative:
            own_std = _own_std(part)
        if 0 in part.shape:
            # its row has the parameters of its noise all the same
            return PartDraw(draw(task.level, spec, Streams(task.key), 0.0, 0.0, 0.0, task.level.asked), spec)
        # the same stream for every array: chance and position in a range are the file's
        probability = self._settings.noise.probability
        drawn = draw(task.level, spec, Streams(task.key), probability, rms, own_std, task.level.asked)
        _refuse_too_large(drawn, spec)
        return PartDraw(drawn, spec, column_stds)

    def _column_stds(self, part: StoredArray, share: float | None) -> NDArray[np.float64] | None:
        """Return the std of each column's noise, rounded; None where all have the same."""
        if not self._wanted.per_feature or share is None:
            return None
        columns = _columns(part)
        if columns.number > _MOST_FEATURES:
            message = f"has {columns.number:,} columns, more than the {_MOST_FEATURES:,} of --per-feature"
            raise FileFailed("too-large", message)
        spread = Spread(columns)
        for block in part.blocks():
            spread.note(block)
        stds = _of_elements(spread.stds, columns) * share
        return np.array([round_significant(std, STD_DIGITS) for std in stds.tolist()])

    def read_row(self, row: Row) -> RecordedNoise:
        """Return the noise that a row records."""
        return noise_of(row)

    def recompute(self, task: Task, opened: OpenSource, noise: RecordedNoise) -> tuple[Row, bool]:
        """Make an output once more with the noise that its row records."""
        chosen = choose(KINDS[self._settings.kind], self._wanted, opened.source.parts, task.source)
        drawn = {}
        for part in opened.source.parts:
            if part.name in chosen.names:
                if part.name not in noise.draws:
                    raise FileFailed("no-match", f"its row does not name the array {shown(part.name)!r}")
                column_stds = self._column_stds(part, noise.std_fraction)
                drawn[part.name] = PartDraw(noise.draws[part.name], self._spec_of_output(part), column_stds)
        return self._make_drawn(task, opened, drawn, noise.std_fraction, chosen), False

    def mismatches(self, file: SourceFile, row: Row) -> Iterator[tuple[str, Any, Any]]:
        """Decode the arrays chosen, and compare types and shapes with the row."""
        entries, unchanged = arrays_of(row), row.get("parts_unchanged")
        with contextlib.closing(self._codec.open_source(file, self._settings.running.limits)) as decoded:
            parts = {part.name: part for part in decoded.parts}
            if entries is None:
                yield "parts", shown(list(parts)), shown(row.get("parts"))
                return
            for entry in entries:
                part = parts.pop(entry["name"], None)
                found = None if part is None else {"dtype": part.dtype, "shape": list(part.shape)}
                expected = {key: entry.get(key) for key in ("dtype", "shape")}
                if part is None or found != expected:
                    yield f"array {shown(entry['name'])!r}", shown(found), shown(expected)
                elif part.spec is not None:
                    for _ in part.blocks():
                        pass
            if len(parts) != unchanged:
                yield "parts_unchanged", len(parts), shown(unchanged)

    def samples(self, file: SourceFile) -> Iterator[bytes]:
        """Yield the samples of all arrays of numbers."""
        with contextlib.closing(self._codec.open_source(file, self._settings.running.limits)) as decoded:
            for part in decoded.parts:
                yield repr((part.name, part.dtype, part.shape)).encode()
                if part.spec is not None:
                    yield from (block.tobytes() for block in part.blocks())

    def _spec_of_output(self, part: StoredArray) -> SampleSpec:
        """Return what an array's noisy samples are: --dtype, --clip."""
        assert part.spec is not None
        spec = part.spec
        if self._settings.noise.dtype is not None:
            spec = replace(spec, dtype=self._settings.noise.dtype, low=-math.inf, high=math.inf)
        if self._wanted.limits is None:
            return spec
        low, high = self._wanted.limits
        if not spec.is_float:
            low, high = max(math.ceil(low), spec.low), min(math.floor(high), spec.high)
            if low > high:
                message = f"has {spec.dtype} samples, of which none lies inside --clip; give it other limits"
                raise FileFailed("out-of-range", message)
        return replace(spec, low=low, high=high)

    def _make_drawn(
        self, task: Task, opened: OpenSource, drawn: dict[str, PartDraw], share: float | None, chosen: Chosen
    ) -> Row:
        """Write an output, and the clean one beside it; return its row."""
        assert opened.file is not None
        source: ArraysSource = opened.source

        def open_sink(output: OutputFile) -> ArraysSink:
            return self._codec.create_sink(output, source)

        refuse_archive(task, source)
        with Pair(self._context, task, open_sink, opened.file, lambda file: open_map(file, source.parts[0])) as pair:
            entries = []
            for part in source.parts:
                if part.name in drawn:
                    entries.append(self._write_part(task, part, drawn[part.name], pair, chosen))
                else:
                    _copy(part, pair)
            written = pair.commit()
        unchanged = len(source.parts) - len(drawn)
        words = [*chosen.words, *source.warnings]
        return build_arrays_row(self._settings, task, opened.file, share, entries, unchanged, words, written)

    def _write_part(
        self, task: Task, part: StoredArray, drawn: PartDraw, pair: Pair[ArraysSink], chosen: Chosen
    ) -> Row:
        """Stream one array through its noise into the output; return its entry for the row."""
        assert part.spec is not None
        converts = drawn.spec.dtype != part.spec.dtype
        key = part_key(task.key, chosen.twins.get(part.name, part.name))
        field = self._field(task, part, drawn, key) if drawn.draw.applied else None
        if pair.std_map is not None:
            write_map(pair.std_map, part, drawn.spec, cast(Mapped | None, field))
        if field is None and not converts:
            _copy(part, pair)
            return describe_array(part.name, part.dtype, part.shape, drawn.draw, Measure())
        _begin(pair.noisy, part, drawn.spec)
        if pair.clean is not None:
            _begin(pair.clean, part, drawn.spec if converts else None)
        for block in part.blocks():
            # beyond the range of its type a sample becomes infinite, which the row counts
            with np.errstate(over="ignore", invalid="ignore"):
                x = block.astype(drawn.spec.dtype) if converts else block
                changed = x if field is None else field.add(x)
            pair.noisy.write(changed)
            if part.name in chosen.variances and (changed < 0).any():
                chosen.words.append("negative-variance")
            if pair.clean is not None and converts:
                pair.clean.write(x)
        dtype = np.dtype(drawn.spec.stored_dtype).newbyteorder(">" if part.dtype.startswith(">") else "<").str
        measure = Measure() if field is None else field.measure
        return describe_array(part.name, dtype if converts else part.dtype, part.shape, drawn.draw, measure)

    def _field(self, task: Task, part: StoredArray, drawn: PartDraw, key: bytes) -> Field:
        clip = self._wanted.limits is not None
        parameters = NoiseParameters(
            key, drawn.spec, drawn.draw, clip, columns=_columns(part), column_stds=drawn.column_stds
        )
        field = field_of(task.level.noise, parameters)
        return RoundedField(field, part.rounded) if isinstance(part, Rounding) else field


def _itemsize(part: StoredArray) -> int:
    return 0 if part.spec is None else np.dtype(part.spec.dtype).itemsize * part.spec.components


def _begin(writer: Writer[ArraysSink], part: StoredArray, spec: SampleSpec | None) -> None:
    with writer.naming_errors():
        writer.sink.begin(part, spec)


def _copy(part: StoredArray, pair: Pair[ArraysSink]) -> None:
    """Write an array as it is."""
    for writer in (pair.noisy, pair.clean):
        if writer is not None:
            _begin(writer, part, None)


def _refuse_too_large(drawn: Draw, spec: SampleSpec) -> None:
    """Refuse what floats of the samples' size cannot hold."""
    largest = np.finfo(np.float32 if spec.dtype in ("float16", "float32") else np.float64).max
    if not math.isfinite(drawn.std) or max(drawn.std, abs(drawn.mean)) > float(largest) / 16:
        raise FileFailed("out-of-range", "has samples, or gets noise, too large for their type; scale them down")


def _own_std(part: StoredArray) -> float:
    """The standard deviation of an array's finite samples, rounded; of complex numbers that of either part."""
    assert part.spec is not None
    columns = Columns(part.spec.components, 1, part.spec.components)
    spread = Spread(columns)
    for block in part.blocks():
        spread.note(block)
    std = float(_of_elements(spread.stds, columns)[0])
    return round_significant(std, STD_DIGITS) if math.isfinite(std) else math.inf


def _rms(part: StoredArray) -> float:
    """Root mean square of an array's finite samples, DC included."""
    count, squares = 0, 0.0
    for block in part.blocks():
        count += int(np.count_nonzero(np.isfinite(block)))
        with np.errstate(over="ignore", invalid="ignore"):
            squares += square_sum(block)
    return math.sqrt(squares / count) if count else 0.0


def _columns(part: StoredArray) -> Columns:
    assert part.spec is not None
    return Columns.of(part.shape, fortran_order=part.spec.fortran_order, components=part.spec.components)


def _of_elements(stds: NDArray[np.float64], columns: Columns) -> NDArray[np.float64]:
    """Return the std of each column, the same for the real and the imaginary parts: the root of their mean variance."""
    if columns.components == 1:
        return stds
    with np.errstate(over="ignore", invalid="ignore"):
        each = np.sqrt(np.square(stds).reshape(-1, columns.components).mean(axis=1))
    return np.repeat(each, columns.components)


def _root_mean_square(stds: NDArray[np.float64]) -> float:
    with np.errstate(over="ignore", invalid="ignore"):
        return math.sqrt(float(np.square(stds).mean())) if stds.size else 0.0
