"""numpy's and OpenCV's array operations give the same samples and the same measure."""

import subprocess
import sys

import numpy as np
import pytest

from noisecli.noise.array_ops import NumpyOperations, OpenCVOperations
from noisecli.noise.kernels import draw_noise
from noisecli.noise.quantile import edges, normal_from_words

CASES = [
    *[("uint8", std, mean) for std, mean in ((0.3, 0), (25, 0), (25, -3.5), (120, 20), (2000, 0))],
    *[("int8", 25, 0), ("uint16", 100, 0), ("uint16", 2000, 9999), ("uint16", 6425, 0), ("uint16", 30000, 0)],
    *[("int16", 25, 0), ("int16", 3276.8, 1.5), ("int32", 1e6, 0), ("uint32", 1e9, 0), ("int64", 1e12, 0)],
    *[("float16", 0.1, 0), ("float32", 0.1, 0), ("float32", 0.3, 0.1), ("float64", 0.1, 0)],
]


@pytest.mark.parametrize(("dtype", "std", "mean"), CASES)
@pytest.mark.parametrize("count", [1000, 200_003])
def test_same_samples_same_measure(field_of, monkeypatch, dtype, std, mean, count):
    ramp = np.arange(count, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    x = ramp.view(dtype)[:count].copy() if not dtype.startswith("f") else (ramp / 2.0**64).astype(dtype)
    fast = field_of(x, std, mean, number=41)
    y = fast.add(x)
    monkeypatch.delitem(sys.modules, "cv2")
    plain = field_of(x, std, mean, number=41)
    np.testing.assert_array_equal(plain.add(x), y)
    assert (plain.measure.count, plain.measure.clipped) == (fast.measure.count, fast.measure.clipped)
    for name in ("total", "squares", "signal_squares"):
        exact = np.dtype(dtype).kind in "iu" and np.dtype(dtype).itemsize <= 2
        rel = 0 if exact else 1e-7 if dtype == "float32" else 1e-12
        assert getattr(plain.measure, name) == pytest.approx(getattr(fast.measure, name), rel=rel, abs=0)


@pytest.mark.parametrize("way", [NumpyOperations, OpenCVOperations])
def test_every_byte_plus_every_narrow_number(way):
    x, k = (grid.ravel() for grid in np.meshgrid(np.arange(256), np.arange(-128, 128)))
    out = np.empty(x.size, np.uint8)
    held = way().add_narrow(x.astype(np.uint8), k.astype(np.int8), out)
    np.testing.assert_array_equal(out, np.clip(x + k, 0, 255))
    assert held == np.count_nonzero((x + k < 0) | (x + k > 255))


@pytest.mark.parametrize(("std", "mean", "expected"), [(5, 0, 1), (30, 0, 2), (30.5, 0, 2), (25, 25, 2), (5, -90, 1)])
def test_integers_come_in_bytes_where_all_of_them_fit(streams, std, mean, expected):
    """At std 30 one value in 47,000 is beyond a byte, and some are among a million."""
    noise = draw_noise(streams(), np.dtype("uint8"), 1 << 20, std, mean)
    assert noise.itemsize == expected
    assert (np.abs(noise.astype(int)).max() > 127) == (expected == 2)
    # bytes or not, each is the number that its bits stand for, far from any table
    slots, words = streams().slots.uint16(1 << 20), streams().words
    inside = np.zeros(1 << 20, np.uint64)
    cut = np.rint(edges()[slots] * std + mean) != np.rint(edges()[slots.astype(int) + 1] * std + mean)
    inside[cut] = words.words(int(cut.sum())) >> np.uint64(16)
    normal = normal_from_words((slots.astype(np.uint64) << np.uint64(48)) | inside)
    np.testing.assert_array_equal(noise[cut], np.rint(normal[cut] * std + mean))
    np.testing.assert_array_equal(noise[~cut], np.rint(edges()[slots[~cut]] * std + mean))


def test_noise_alone_does_not_load_opencv():
    code = (
        "import sys, numpy as np; from noisecli import add_gaussian_noise; "
        "add_gaussian_noise(np.zeros((100, 400), np.int16), 25, rng=np.random.default_rng(1)); "
        "sys.exit('cv2' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
