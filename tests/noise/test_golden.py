"""Samples never change unnoticed: their digests stand in golden.json.

After a change that is meant to change samples (then noisecli.keys.STREAM_VERSION rises too), write them anew:
`NOISECLI_RENEW_GOLDEN=1 pytest tests/noise`, without xdist, and say so in the commit.
"""

import hashlib
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from noisecli.keys import stream_key
from noisecli.noise.models.coloured import COLORS, Coloured
from noisecli.noise.models.impulse import Impulse
from noisecli.noise.models.poisson import Poisson
from noisecli.noise.models.signal_dependent import OfCamera, SignalDependent, Spans
from noisecli.noise.quantile import edges, normal_from_words
from noisecli.noise.stream import Streams

FILE = Path(__file__).with_name("golden.json")
RENEW = bool(os.environ.get("NOISECLI_RENEW_GOLDEN"))
COUNT = 300_001
EXTREMES = [0, 1, 2, 2**16, 2**48 - 1, 2**48, 2**62, 2**63 - 1025, 2**63 - 1, 2**63, 2**63 + 1, 2**64 - 2, 2**64 - 1]

STDS = {
    "uint8": (0, 0.3, 1, 2.5, 5, 25, 50, 120, 500),
    "int8": (0.3, 25),
    "uint16": (0.3, 5, 25, 100, 500, 1999, 2000, 2000.5, 6425, 12850, 30000),
    "int16": (1, 25, 327.68, 2000, 3276.8, 30000),
    "int32": (0.3, 25, 83886.08, 2.0e9),
    "uint32": (25, 1.0e9),
    "int64": (25, 1.0e18),
    "uint64": (25, 1.0e18),
    "float16": (0.1,),
    "float32": (0.001, 0.1, 25 / 255, 2.0),
    "float64": (0.001, 0.1, 2.0),
}
MEANS = {
    "uint8": (-3, 0.5, 20.25),
    "uint16": (-100.5, 12000),
    "int32": (1000.5,),
    "float32": (0.25,),
    "float64": (-0.1,),
}


def samples_of(dtype):
    """Return samples over the whole range of an integer dtype, or [0, 1), the same on every machine."""
    dtype = np.dtype(dtype)
    ramp = np.arange(COUNT, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    if dtype.kind == "f":
        return ((ramp >> np.uint64(40)).astype(np.float64) / 2.0**24).astype(dtype)
    return (ramp >> np.uint64(64 - 8 * dtype.itemsize)).astype(f"u{dtype.itemsize}").view(dtype)


def digest(array):
    return hashlib.sha256(array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()).hexdigest()


@pytest.fixture(scope="module")
def check(request):
    """Compare a digest with the golden one; when renewing, write it."""
    golden = json.loads(FILE.read_text()) if FILE.exists() else {}

    def compare(name, array):
        if RENEW:
            golden[name] = digest(array)
        assert golden[name] == digest(array), f"the samples of {name} have changed"

    yield compare
    if RENEW:
        FILE.write_text(json.dumps(dict(sorted(golden.items())), indent=1) + "\n")


@pytest.mark.parametrize(
    ("dtype", "std", "mean"),
    [(dtype, std, 0) for dtype, stds in STDS.items() for std in stds]
    + [(dtype, 0.1 if dtype[0] == "f" else 25, mean) for dtype, means in MEANS.items() for mean in means]
    + [("uint16", 6425, 1000.5)],
)
def test_noise(check, add_noise, dtype, std, mean):
    x = samples_of(dtype)
    check(f"{dtype} std {std} mean {mean}", add_noise(x, std, mean, number=7))


OTHERS = {
    "shot .01, speckle .1": SignalDependent(0.01, 0.1),
    "linear light": SignalDependent(0.01, 0.1, linear=True),
    "stds by channel": SignalDependent(0.001, channel_stds=(0.01, 0.05, 0.1)),
    "poisson 60": Poisson(60.0),
    "impulse .27": Impulse(0.27),
}


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "float32", "float64"])
@pytest.mark.parametrize("name", OTHERS)
def test_other_noises(check, noise_field, dtype, name):
    x = samples_of(dtype)[:300_000].reshape(250, 400, 3)
    scale = 1.0 if dtype[0] == "f" else float(np.iinfo(dtype).max)
    check(f"{dtype}, {name}", noise_field(x, OTHERS[name], 0.04 * scale, 0.01 * scale, number=9).add(x))


COLOURED = {**COLORS, "slope 4.5": Coloured(4.5)}


@pytest.mark.parametrize("dtype", ["int16", "int32", "float32", "float64"])
@pytest.mark.parametrize("name", COLOURED)
def test_coloured(check, noise_field, dtype, name):
    x = samples_of(dtype)[:100_000].reshape(-1, 2)
    scale = 1.0 if dtype[0] == "f" else float(np.iinfo(dtype).max)
    field = noise_field(x, COLOURED[name], 0.04 * scale, number=9, sample_rate=16000)
    check(f"{dtype}, {name}", field.add(x))


def test_parameters(check):
    asked = [Spans((1e-4, 0.012), (0.1, 0.3)), OfCamera("brooks"), OfCamera("sidd")]
    drawn = [one.draw(0.1, Streams(bytes([number] * 16)).number) for one in asked for number in range(50)]
    check("parameters of noises", np.array([(std, noise.shot, noise.speckle) for std, noise in drawn]))


@pytest.mark.parametrize(("dtype", "std"), [("uint8", 25), ("uint16", 6425), ("float32", 0.1), ("float64", 0.1)])
def test_small_arrays(check, add_noise, dtype, std):
    check(f"{dtype} std {std}, 1001 samples", add_noise(samples_of(dtype)[:1001], std, number=8))


@pytest.mark.parametrize(("dtype", "std"), [("uint8", 25), ("uint16", 500), ("float32", 0.1)])
def test_shared_channels(check, add_noise, dtype, std):
    x = samples_of(dtype)[:300_000].reshape(250, 400, 3)
    check(f"{dtype} std {std}, shared channels", add_noise(x, std, shared_channels=True))


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_alpha(check, add_noise, dtype):
    x = samples_of(dtype)[:300_000].reshape(250, 300, 4)
    check(f"{dtype} with alpha", add_noise(x, 25 if dtype == "uint8" else 0.1, noisy_channels=3))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_without_clip(check, add_noise, dtype):
    check(f"{dtype} without clip", add_noise(samples_of(dtype), 0.5, clip=False))


def test_narrow_range(check, add_noise):
    x = samples_of("uint16") >> np.uint16(6)
    check("uint16 held below 1024", add_noise(x, 100, low=0, high=1023))


def test_raw_bits_and_quantile(check, streams):
    words = np.concatenate([streams(3).words.words(100_000), np.array(EXTREMES, np.uint64)])
    check("normal quantile", normal_from_words(words))
    check("edges", edges())
    check("raw 16 bits", streams(3).slots.uint16(1001))
    check("raw 8 bits", streams(3).cells.uint8(1001))
    draws = streams(3)
    check("draws", np.array([draws.uniform() for _ in range(100)]))


def test_keys(check):
    keys = [stream_key(seed, b"a/b.png", "std:0.1..0.1", copy) for seed in (0, -5, 2**80) for copy in (1, 2)]
    check("stream keys", np.frombuffer(b"".join(keys), np.uint8))


@pytest.mark.skipif(RENEW, reason="only after the digests are written")
@pytest.mark.parametrize(("dtype", "std"), [("uint8", 25), ("uint16", 500), ("uint16", 6425), ("float32", 0.1)])
def test_the_same_without_opencv(check, add_noise, without_opencv, dtype, std):
    assert "cv2" not in sys.modules
    check(f"{dtype} std {std} mean 0", add_noise(samples_of(dtype), std, 0, number=7))
