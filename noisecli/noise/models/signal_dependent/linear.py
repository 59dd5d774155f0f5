"""Signal-dependent noise in linear light: the sRGB curve undone, noise, the curve applied, held, rounded once.

With L the light behind a sample x, y is the integer whose share of the light holds L + std(L) n: between the lights of
y - 1/2 and y + 1/2. The curve is monotone, so comparing with these edges is exact, and no curve is applied to a sample.
"""

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from noisecli.noise import srgb
from noisecli.noise.adding import hold
from noisecli.noise.array_ops import operations
from noisecli.noise.models import NoiseParameters
from noisecli.noise.models.signal_dependent import SignalDependent
from noisecli.noise.models.signal_dependent.samples import SignalField, Variance, of_channels
from noisecli.noise.quantile import normal_from_words
from noisecli.noise.scaled import CACHED, CELL_ERROR, ROUNDING, Float32, by_cell, drawn_again, repeat, scaled_floats

AnyArray = NDArray[Any]
Float64 = NDArray[np.float64]

_MARK = -32768
_CELLS = 1 << 16
_LARGEST_BY_CELL = 1.0
"""A larger std, as a share of full scale, leaves a table's cells too coarse: its samples are computed one by one."""


class LinearField(SignalField):
    """Noise of variance std^2 + shot L + speckle^2 L^2 on the light L behind each sample, full scale being 1."""

    def __init__(self, parameters: NoiseParameters, noise: SignalDependent) -> None:
        super().__init__(parameters, noise)
        spec, scale = self._spec, self._spec.full_scale
        if spec.sample_rate is not None:
            raise ValueError("audio has no linear light")
        self._variances = tuple(
            Variance(variance.constant / (scale * scale), noise.shot, noise.speckle) for variance in self._variances
        )
        self._offset = self._mean / scale

    def _map(self, x: AnyArray) -> Float64:
        scale = self._spec.full_scale
        if not self._spec.is_float and x.itemsize <= 2:
            return self._of_tables(x, np.arange(x.size))[1] * scale
        stds: Float64 = self._by_channel(
            x, lambda variance, part: variance.stds(srgb.decode(part.astype(np.float64) / scale))
        )
        return stds * scale

    def _apply(self, x: AnyArray, values: AnyArray, noisy: AnyArray) -> int:
        return hold(values, self._spec, noisy, clip=self._clip)

    def _values(self, x: AnyArray, channels: int) -> AnyArray:
        """Return noisy samples before the clip; of integers of 8 and 16 bits one more than what they are held to."""
        together = max(channels, len(self._variances))
        step = max(CACHED // together, 1) * together
        values = np.empty(x.size, x.dtype if self._spec.is_float else np.int32 if x.itemsize <= 2 else np.float64)
        for start in range(0, x.size, step):
            part = x[start : start + step]
            if self._spec.is_float or x.itemsize > 2:
                values[start : start + step] = self._curved(part, channels)
            elif self._grid is not None:
                values[start : start + step] = self._by_grid(part, channels)
            else:
                values[start : start + step] = self._edges.below(self._lights(part, channels))
        return values

    def _curved(self, x: AnyArray, channels: int) -> AnyArray:
        """Return noisy samples by the curve itself; integers too wide for tables are rounded."""
        scale = self._spec.full_scale
        dtype = x.dtype if self._spec.is_float else np.dtype(np.float64)
        lights = srgb.decode(x.astype(np.float64) / scale)
        stds: Float64 = self._by_channel(lights, Variance.stds)
        lights += scaled_floats(self._streams, dtype, stds, self._offset, channels)
        y = srgb.encode(lights) * scale
        return np.where(np.isfinite(x), y, x).astype(dtype) if self._spec.is_float else np.rint(y)

    @property
    def _edges(self) -> "_Edges":
        spec = self._spec
        limits = np.iinfo(spec.dtype)
        low, high = max(int(spec.low), int(limits.min)), min(int(spec.high), int(limits.max))
        return _edges(low, high, spec.full_scale)

    @property
    def _grid(self) -> "_Grid | None":
        spec = self._spec
        if spec.dtype not in ("uint8", "int8"):
            return None
        largest = max(float(_light_tables(each, spec.dtype, spec.full_scale).stds.max()) for each in self._variances)
        if largest > _LARGEST_BY_CELL or abs(self._offset) > 1:
            return None
        edges = self._edges
        return _grid(edges.low, edges.low + edges.lights.size - 3, spec.full_scale, largest)

    def _of_tables(self, x: AnyArray, places: NDArray[np.intp]) -> tuple[Float64, Float64]:
        """Return the light and the std of the samples at some places."""
        keys = x.view(f"u{x.itemsize}")
        tables = [_light_tables(each, self._spec.dtype, self._spec.full_scale) for each in self._variances]
        stds = of_channels([table.stds for table in tables], keys, places)
        return tables[0].lights.take(keys[places]), stds

    def _lights(self, x: AnyArray, channels: int) -> Float64:
        """Return the light with noise behind each sample, from 64 bits each."""
        n = repeat(normal_from_words(self._streams.words.words(x.size // channels)), channels)
        lights, stds = self._of_tables(x, np.arange(x.size))
        n *= stds
        n += lights
        n += self._offset
        return n

    def _by_grid(self, x: AnyArray, channels: int) -> AnyArray:
        """Return noisy samples of 8 bits: a table holds them for small cells of light that no edge cuts."""
        grid, count = self._grid, x.size // channels
        assert grid is not None
        slots, bits = self._streams.slots.uint16(count), self._streams.cells.uint8(count)
        keys, found = x.view(np.uint8), np.empty((2, x.size), np.float32)
        tables = [_light_tables(each, self._spec.dtype, self._spec.full_scale) for each in self._variances]
        for number, table in enumerate(tables):
            for column, out in zip(table.quick, found, strict=True):
                _look_up(column, keys, out, number, len(tables))
        lights, stds = found
        light = by_cell(slots, bits, stds, channels)
        light += lights
        light += np.float32(self._offset)
        y = grid.find(light)
        unsure = np.flatnonzero(y == _MARK)
        n = drawn_again(self._streams, slots, bits, 40, unsure // channels)
        exact, exact_stds = self._of_tables(x, unsure)
        y[unsure] = self._edges.below(n * exact_stds + exact + self._offset)
        return y


def _look_up(table: Float32, keys: NDArray[np.uint8], out: Float32, first: int, step: int) -> None:
    if step == 1:
        operations().look_up(table, keys, out)
    else:
        out[first::step] = table[keys[first::step]]


class _LightTables(NamedTuple):
    """Light and std of every value of a type, by its bits; both in single precision too."""

    lights: Float64
    stds: Float64
    quick: tuple[Float32, Float32]


@lru_cache(maxsize=8)
def _light_tables(variance: Variance, dtype: str, full_scale: float) -> _LightTables:
    kind = np.dtype(dtype)
    values = np.arange(1 << 8 * kind.itemsize, dtype=f"u{kind.itemsize}").view(kind)
    lights = srgb.decode(values / full_scale)
    stds = variance.stds(lights)
    return _LightTables(lights, stds, (lights.astype(np.float32), stds.astype(np.float32)))


class _Edges(NamedTuple):
    """The lights between neighbouring values, from below `low` to above the highest; then infinity.

    `first` has, for cells of light of one width, how many edges are below each: a cell holds two at most.
    """

    low: int
    lights: Float64
    per_light: float
    first: NDArray[np.int32]

    def below(self, lights: Float64) -> NDArray[np.intp]:
        """Return the value that each light is rounded to; one less or more where the clip will hold it."""
        cell = (lights - self.lights[0]) * self.per_light
        cell += 1
        np.clip(cell, 0, self.first.size - 1, out=cell)
        passed: NDArray[np.intp] = self.first.take(cell.astype(np.intp)).astype(np.intp)
        for _ in range(2):
            passed += lights >= self.lights.take(passed)
        passed += self.low - 1
        return passed


@lru_cache(maxsize=4)
def _edges(low: int, high: int, full_scale: float) -> _Edges:
    lights = srgb.decode((np.arange(low, high + 2) - 0.5) / full_scale)
    per_light = 1 / float(np.diff(lights).min())
    cells = int((lights[-1] - lights[0]) * per_light) + 4
    # an edge near the border of a cell counts as inside the later one: it is compared, not taken as passed
    places = np.floor((lights - lights[0]) * per_light + (1 + 2.0**-20)).astype(np.intp)
    first = np.concatenate([[0], np.cumsum(np.bincount(places, minlength=cells))[:-1]])
    return _Edges(low, np.append(lights, np.inf), per_light, first.astype(np.int32))


class _Grid(NamedTuple):
    """A table of values for cells of light of one width: the mark where an edge is inside, or near by."""

    start: np.float32
    per_light: np.float32
    table: NDArray[np.int16]

    def find(self, light: Float32) -> AnyArray:
        """Return the value for each light, or the mark, also for NaN. The lights are overwritten."""
        light -= self.start
        light *= self.per_light
        np.maximum(light, np.float32(0), out=light)
        np.minimum(light, np.float32(_CELLS - 2), out=light)
        # NaN alone gets the last cell
        np.fmin(light, np.float32(_CELLS - 1), out=light)
        y = np.empty(light.size, np.int16)
        operations().look_up(self.table, light.astype(np.uint16), y)
        return y


@lru_cache(maxsize=8)
def _grid(low: int, high: int, full_scale: float, largest: float) -> _Grid:
    """Return the table for values between two, and stds up to `largest`."""
    edges = _edges(low, high, full_scale)
    first, last = float(edges.lights[0]), float(edges.lights[-2])
    width = (last - first) / (_CELLS - 64)
    start = np.float32(first - 16 * width)
    per_light = np.float32(1 / width)
    # how far a light may be off: by its cell of n, by rounding, and by rounding in find()
    reach = max(abs(first), abs(last)) + 1
    doubt = largest * CELL_ERROR + (reach + 5 * largest) * ROUNDING
    ends = float(start) + np.arange(_CELLS + 1) / float(per_light)
    below, above = edges.below(ends[:-1] - doubt), edges.below(ends[1:] + doubt)
    table = np.where(below == above, below, _MARK).astype(np.int16)
    table[-1] = _MARK
    return _Grid(start, per_light, table)
