"""Full scale and the clip of an image or an audio file: by its type, the request, and the samples that are there."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from noisecli.codecs import Source
from noisecli.errors import FileFailed
from noisecli.model import Level, SampleSpec
from noisecli.noise.nodata import measured
from noisecli.settings import NoiseSettings

_FAR = 4.0
"""Times full scale, +12 dB. Decoders of lossy files go to 1.4, masters in floats to 2; beyond it is another scale."""
_USUAL_SCALES = (128, 1 << 15, 1 << 23, 1 << 31)
"""Of integers kept as floats."""
_LONGEST = 1e12


class Extremes(NamedTuple):
    """The lowest and the highest finite sample of those that get noise; infinite where there is none."""

    lowest: float
    highest: float


class Scale:
    """What the samples of sources mean under one request."""

    def __init__(self, noise: NoiseSettings) -> None:
        self._noise = noise
        self._seen: tuple[Source, Extremes] | None = None

    def spec_of(self, source: Source) -> SampleSpec:
        """Return what a source's samples mean, and how far noise may take them.

        Raises FileFailed where its type or its samples do not fit. An audio file of floats that goes a little beyond
        full scale keeps what it has there: its clip is as wide as it is.
        """
        noise = self._noise
        spec = scaled(source.spec, noise)
        if not source.spec.is_float and noise.full_scale is None and noise.range is None:
            return spec
        found = self._extremes(source)
        if spec.sample_rate is not None and spec.is_float:
            _refuse_far(found, spec.full_scale)
            return replace(spec, low=min(spec.low, found.lowest), high=max(spec.high, found.highest))
        if found.lowest < spec.low or found.highest > spec.high:
            inside = f"{number(spec.low)}..{number(spec.high)}"
            words = f"has samples from {number(found.lowest)} to {number(found.highest)}, outside {inside}"
            raise FileFailed("out-of-range", f"{words}; {self._way_out(found, spec)}")
        return spec

    def refuse_unknown(self, source: Source, level: Level) -> None:
        """Raise FileFailed for an image of signed integers whose level is a share of full scale, which nobody said."""
        spec, noise = source.spec, self._noise
        known = noise.full_scale is not None or noise.range is not None or level.is_ratio
        if known or spec.is_float or spec.low == 0 or spec.sample_rate is not None:
            return
        found = self._extremes(source)
        there = f"has signed samples, from {number(found.lowest)} to {number(found.highest)}"
        words = f"{there}, whose scale is not known; {_range_around(found)}, or use --snr-db"
        raise FileFailed("out-of-range", words)

    def _extremes(self, source: Source) -> Extremes:
        """Read a source once for all of its outputs."""
        if self._seen is None or self._seen[0] is not source:
            self._seen = source, _extremes_of(source)
        return self._seen[1]

    def _way_out(self, found: Extremes, spec: SampleSpec) -> str:
        if self._noise.range is not None:
            return _range_around(Extremes(min(found.lowest, spec.low), max(found.highest, spec.high)))
        if found.lowest < 0 and spec.sample_rate is None:
            return _range_around(found)
        return f"say what {'white' if spec.sample_rate is None else 'full scale'} is: --full-scale V"


def is_overshooting(spec: SampleSpec) -> bool:
    """Whether an audio file goes beyond its own full scale."""
    return spec.sample_rate is not None and max(-spec.low, spec.high) > spec.full_scale


def number(value: float) -> str:
    """Return a sample in words: whole ones exactly."""
    return str(int(value)) if abs(value) < _LONGEST and value == int(value) else f"{value:g}"


def on_scale(spec: SampleSpec, full_scale: float | None, limits: tuple[float, float] | None) -> SampleSpec:
    """Return the spec of the same samples on a scale that was asked for: 0..V (signed: -V..V), or limits."""
    if limits is not None:
        return replace(spec, full_scale=limits[1] - limits[0], low=limits[0], high=limits[1])
    if full_scale is None:
        return spec
    lowest, highest = (-math.inf, math.inf) if spec.is_float else (spec.low, spec.high)
    low = max(-full_scale, lowest) if spec.low < 0 else 0.0
    return replace(spec, full_scale=full_scale, low=low, high=min(full_scale, highest))


def scaled(spec: SampleSpec, noise: NoiseSettings) -> SampleSpec:
    """Return the spec on the scale that was asked for. Raises FileFailed where the samples' type ends before it."""
    asked = on_scale(spec, noise.full_scale, noise.range)
    if spec.is_float:
        return asked
    if noise.full_scale is not None and noise.full_scale > max(spec.high, spec.full_scale):
        message = f"has samples that end at {number(spec.high)}, below --full-scale {number(noise.full_scale)}"
        raise FileFailed("out-of-range", message)
    if noise.range is None:
        return asked
    low, high = float(math.ceil(asked.low)), float(math.floor(asked.high))
    if not spec.low <= low < high <= spec.high:
        limits, held = (f"{number(one)}..{number(other)}" for one, other in (noise.range, (spec.low, spec.high)))
        raise FileFailed("out-of-range", f"has {spec.dtype} samples, which hold {held}, not --range {limits}")
    return replace(asked, low=low, high=high)


def _extremes_of(source: Source) -> Extremes:
    lowest, highest = math.inf, -math.inf
    for block in source.blocks():
        coloured = block[..., : source.spec.noisy_channels] if block.ndim == 3 else block
        coloured = measured(coloured, source.spec.nodata)
        if not coloured.size:
            continue
        low, high = coloured.min(), coloured.max()
        if not (np.isfinite(low) and np.isfinite(high)):
            finite = coloured[np.isfinite(coloured)]
            low, high = finite.min(initial=np.inf), finite.max(initial=-np.inf)
        lowest, highest = min(lowest, float(low)), max(highest, float(high))
    return Extremes(lowest, highest)


def _refuse_far(found: Extremes, full_scale: float) -> None:
    peak = max(-found.lowest, found.highest)
    if peak > _FAR * full_scale:
        usual = next((str(scale) for scale in _USUAL_SCALES if scale >= peak), "V")
        there = f"has samples from {number(found.lowest)} to {number(found.highest)}, far beyond full scale"
        words = f"{there}, which is {number(full_scale)}; say what it is: --full-scale {usual}"
        raise FileFailed("out-of-range", words)


def _range_around(found: Extremes) -> str:
    low, high = _outward(found.lowest, math.floor), _outward(found.highest, math.ceil)
    if -1 <= found.lowest < 0 < found.highest <= 1:
        # all files of such a folder have one scale, though few reach its ends
        low, high = "-1", "1"
    return f"say which values are black and white: --range {low}..{high}"


def _outward(value: float, whole: Callable[[float], int]) -> str:
    """Return a number of three digits that a sample does not exceed; whole ones exactly."""
    if abs(value) < _LONGEST and value == int(value):
        return number(value)
    step = 10.0 ** (math.floor(math.log10(abs(value))) - 2)
    return number(float(f"{whole(value / step) * step:.4g}"))
