"""Times every noise on arrays beside white Gaussian noise in the same run: nanoseconds a sample, and the ratio.

`python tests/bench/model_times.py`, with what the manifest measures included; one thread, its CPU time, so that other
work on the machine shows little. `--json` writes the rows.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from noisecli.engines.resources import keep_freed_memory
from noisecli.model import SampleSpec
from noisecli.noise.draw import Draw
from noisecli.noise.models import Noise, NoiseParameters, field_of
from noisecli.noise.models.coloured import COLORS, Coloured
from noisecli.noise.models.impulse import Impulse
from noisecli.noise.models.poisson import Poisson
from noisecli.noise.models.signal_dependent import SignalDependent

SHAPE = (321, 481, 3)
FRAMES = 480_000
FILES = 4

Array = Any


class Case(NamedTuple):
    """A noise, its std as a share of full scale, and that of the white noise it is measured against."""

    name: str
    std: float
    noise: Noise
    white: float
    shared: bool = False


CASES = [
    Case("shot .01", 0.0, SignalDependent(shot=0.01), 0.066),
    Case("speckle .15", 0.0, SignalDependent(speckle=0.15), 0.066),
    Case("std 10, shot .01", 10 / 255, SignalDependent(shot=0.01), 0.08),
    Case("std 10, shot .01, speckle .15", 10 / 255, SignalDependent(0.01, 0.15), 0.1),
    Case("the same, grey", 10 / 255, SignalDependent(0.01, 0.15), 0.1, shared=True),
    Case("std 5, 10, 20 by channel", 0.0, SignalDependent(channel_stds=(5 / 255, 10 / 255, 20 / 255)), 0.05),
    Case("camera, dark", 0.005, SignalDependent(shot=0.001), 0.02),
    Case("camera, in linear light", 0.005, SignalDependent(shot=0.001, linear=True), 0.02),
    Case("speckle, severity 1", 0.0, SignalDependent(speckle=0.15), 0.08),
    Case("speckle, severity 5", 0.0, SignalDependent(speckle=0.6), 0.38),
    Case("poisson, severity 1", 0.0, Poisson(60.0), 0.08),
    Case("poisson, severity 3", 0.0, Poisson(12.0), 0.18),
    Case("poisson, severity 5", 0.0, Poisson(3.0), 0.38),
    Case("impulse, severity 1", 0.0, Impulse(0.03), 0.08),
    Case("impulse, severity 5", 0.0, Impulse(0.27), 0.38),
]
KINDS = {"8 bits": ("uint8", 255.0), "16 bits": ("uint16", 65535.0), "float32": ("float32", 1.0)}
SOUND_CASES = [Case(name, 0.01, noise, 0.01) for name, noise in COLORS.items()]
SOUND_CASES += [
    Case("slope -4.5", 0.01, Coloured(-4.5), 0.01),
    Case("pink, one for all channels", 0.01, COLORS["pink"], 0.01, shared=True),
]
SOUND_KINDS = {"PCM_16": ("int16", 2.0**15), "PCM_24": ("int32", 2.0**23), "FLOAT": ("float32", 1.0)}
BLOCK = 1 << 17
"""Samples of a block of an audio file."""


def add(x: Array, full_scale: float, noise: Noise | None, share: float, *, shared: bool) -> None:
    """Do as the worker does: streams and a field for every file."""
    is_sound = x.ndim == 2
    low, rate = (-full_scale, 16_000) if is_sound else (0.0, None)
    spec = SampleSpec(x.dtype.name, x.shape, full_scale, low, full_scale - (x.dtype.kind == "i"), sample_rate=rate)
    std = share * full_scale
    drawn = Draw(applied=True, std=std, mean=0.0) if noise is None else Draw(True, std, 0.0, noise)
    parameters = NoiseParameters(os.urandom(16), spec, drawn, shared_channels=shared)
    field = field_of("gaussian" if noise is None else noise.word, parameters)
    step = BLOCK // x.shape[1] if is_sound else len(x)
    for start in range(0, len(x), step):
        field.add(x[start : start + step])


def nanoseconds(call: Callable[[], None], samples: int) -> float:
    """Return the time of a sample, the median of several files."""
    taken = []
    for _ in range(FILES):
        begin = time.thread_time_ns()
        call()
        taken.append((time.thread_time_ns() - begin) / samples)
    return statistics.median(taken)


def measure(case: Case, x: Array, full_scale: float, runs: int) -> tuple[float, float]:
    """Let a noise and white noise take turns; return the medians."""
    own: list[float] = []
    white: list[float] = []
    for turn in range(runs + 1):
        ours = nanoseconds(lambda: add(x, full_scale, case.noise, case.std, shared=case.shared), x.size)
        theirs = nanoseconds(lambda: add(x, full_scale, None, case.white, shared=case.shared), x.size)
        if turn:
            own.append(ours)
            white.append(theirs)
    return statistics.median(own), statistics.median(white)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", default="", help="part of the name of samples and noise")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    keep_freed_memory()  # as every worker does
    importlib.import_module("cv2").setNumThreads(1)
    rng = np.random.default_rng(0)
    u = np.clip(0.43 + 0.22 * rng.standard_normal(SHAPE), 0, 1)
    rows = []
    loads = [(name, (u * scale).astype(dtype), scale, CASES) for name, (dtype, scale) in KINDS.items()]
    for channels, words in ((1, "mono"), (2, "stereo")):
        sound = 0.1 * rng.standard_normal((FRAMES // channels, channels))
        loads += [
            (f"{name} {words}", (sound * scale).astype(dtype), scale, SOUND_CASES[: None if channels > 1 else -1])
            for name, (dtype, scale) in SOUND_KINDS.items()
        ]
    for name, x, full_scale, cases in loads:
        if x.ndim == 2:
            # the workers of audio files load no OpenCV
            sys.modules.pop("cv2", None)
        for case in (case for case in cases if args.only in f"{name} {case.name}"):
            own, white = measure(case, x, full_scale, args.runs)
            rows.append({"samples": name, "noise": case.name, "ns": own, "white": white, "ratio": own / white})
            if not args.json:
                print(f"{name:13} {case.name:30} {own:6.2f} ns  white {white:5.2f} ns  {own / white:5.2f}x", flush=True)
    if args.json:
        json.dump(rows, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
