"""Times noisecli's noise on arrays beside the textbook line; a process of its own for each kind, as in a real run.

For sounds OpenCV is not loaded, and the noise uses it where it is. Writes a list of JSON objects.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from noisecli.engines.resources import keep_freed_memory
from noisecli.model import SampleSpec
from noisecli.noise.models.gaussian import NoiseField
from noisecli.noise.stream import Streams

SAMPLES = 481 * 321 * 3
SHAPES: dict[str, tuple[int, ...]] = {"images": (321, 481, 3), "audio": (SAMPLES, 1)}
GREY_STDS = (0.5, 5.0, 25.0, 100.0)
NATIVE_STDS = (100.0, 500.0)
"""Of 16 bits, beside the grey levels; 6,425 native is grey level 25."""
FILES = 8

Array = Any


class Samples(NamedTuple):
    """A kind of samples: how they lie in memory, and what full scale is."""

    name: str
    dtype: str
    full_scale: float
    low: float
    high: float


KINDS = {
    "images": [
        Samples("8 bits", "uint8", 255, 0, 255),
        Samples("16 bits", "uint16", 65535, 0, 65535),
        Samples("float32 picture", "float32", 1, 0, 1),
    ],
    "audio": [
        Samples("PCM_16", "int16", 1 << 15, -(1 << 15), (1 << 15) - 1),
        Samples("PCM_24", "int32", 1 << 23, -(1 << 23), (1 << 23) - 1),
        Samples("float32 sound", "float32", 1, -1, 1),
    ],
}


class Mute:
    """Stands in for the measure: takes every note and keeps none."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_: None


def textbook(x: Array, std: float, kind: Samples) -> Array:
    return np.clip(x + np.random.randn(*x.shape) * std, kind.low, kind.high).astype(x.dtype)


def ours(x: Array, std: float, kind: Samples, rate: int | None, *, measured: bool) -> Array:
    """Do as the worker does: streams and a field for every file."""
    spec = SampleSpec(kind.dtype, x.shape, kind.full_scale, kind.low, kind.high, sample_rate=rate)
    field = NoiseField(Streams(os.urandom(16)), spec, std)
    if not measured:
        mute: Any = Mute()
        field.measure = mute
    return field.add(x)


def nanoseconds(call: Callable[[float], Array], stds: list[float]) -> float:
    """Return the time of a sample, the median of several files."""
    taken = []
    for std in stds:
        begin = time.perf_counter_ns()
        call(std)
        taken.append((time.perf_counter_ns() - begin) / SAMPLES)
    return statistics.median(taken)


def measure(kind: Samples, picture: bool, native: float, runs: int) -> dict[str, Any]:
    """Let the textbook, and ours at a fixed std and at a new one for each file, take turns."""
    rng = np.random.default_rng(0)
    middle, spread = (kind.low + kind.high) / 2, kind.full_scale / 8
    x = np.clip(middle + spread * rng.standard_normal(SAMPLES), kind.low, kind.high).astype(kind.dtype)
    x = x.reshape(SHAPES["images" if picture else "audio"])
    rate = None if picture else 16_000
    ways: dict[str, Callable[[float], Array]] = {
        "fixed": lambda std: ours(x, std, kind, rate, measured=False),
        "fixed, measured": lambda std: ours(x, std, kind, rate, measured=True),
        "range": lambda std: ours(x, std, kind, rate, measured=False),
        "range, measured": lambda std: ours(x, std, kind, rate, measured=True),
        "textbook": lambda std: textbook(x, std, kind),
    }
    times: dict[str, list[float]] = {way: [] for way in ways}
    for turn in range(runs + 1):
        for way, call in ways.items():
            files = 2 if way == "textbook" else FILES
            stds = list(native * rng.uniform(0.5, 1.5, files)) if way.startswith("range") else [native] * files
            if turn == 0:
                call(native)
            else:
                times[way].append(nanoseconds(call, stds))
    return {way: statistics.median(taken) for way, taken in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("family", choices=list(KINDS))
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args()
    picture = args.family == "images"
    keep_freed_memory()  # as every worker does
    if picture:
        importlib.import_module("cv2").setNumThreads(1)
    rows = []
    for kind in KINDS[args.family]:
        stds = [grey / 255 * kind.full_scale for grey in GREY_STDS]
        stds += NATIVE_STDS if kind.dtype in ("uint16", "int16") else ()
        for native in stds:
            row = {"samples": kind.name, "dtype": kind.dtype, "std": native, "grey": native / kind.full_scale * 255}
            rows.append({**row, "ns": measure(kind, picture, native, args.runs)})
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
