"""numpy's and OpenCV's array operations give the same samples and the same measure."""

import subprocess
import sys

import numpy as np
import pytest

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


def test_noise_alone_does_not_load_opencv():
    code = (
        "import sys, numpy as np; from noisecli import add_gaussian_noise; "
        "add_gaussian_noise(np.zeros((100, 400), np.int16), 25, rng=np.random.default_rng(1)); "
        "sys.exit('cv2' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
