"""Samples without data stay, count as not finite, and no other sample becomes one."""

import numpy as np
import pytest

from noisecli.model import SampleSpec
from noisecli.noise.models.gaussian import NoiseField
from noisecli.noise.models.signed_step import StepField
from noisecli.noise.stream import Streams

KEY = bytes(range(16))
CASES = [("uint8", 255.0, 0.0), ("uint8", 255.0, 7.0), ("int16", 32767.0, -9999.0), ("float32", 1.0, -9999.0)]


def spec_of(dtype, high, mark):
    low = -32768.0 if dtype == "int16" else 0.0
    return SampleSpec(dtype, (200, 300), full_scale=high, low=low, high=high, nodata=mark)


@pytest.mark.parametrize(("dtype", "high", "mark"), CASES)
@pytest.mark.parametrize("shape", [(200, 300), (200, 100, 3)])
def test_gaps_stay(dtype, high, mark, shape):
    random = np.random.default_rng(3)
    x = (random.uniform(0.3, 0.7, shape) * high).astype(dtype) if mark != 7 else random.integers(0, 30, shape, np.uint8)
    gaps = random.uniform(size=shape) < 0.25
    x[~gaps & (x == mark)] += 1
    x[gaps] = mark
    field = NoiseField(Streams(KEY), spec_of(dtype, high, mark), high / 20)
    noisy = field.add(x)
    np.testing.assert_array_equal(noisy == mark, gaps)
    assert field.measure.not_finite == np.count_nonzero(gaps)
    assert field.measure.count == gaps.size
    if mark != 7:
        assert field.measure.std == pytest.approx(high / 20, rel=0.02)


def test_other_samples_get_the_noise_they_would_have():
    x = np.random.default_rng(4).integers(80, 170, (200, 300)).astype(np.uint8)
    with_gaps = x.copy()
    with_gaps[:, ::3] = 0
    plain = NoiseField(Streams(KEY), spec_of("uint8", 255.0, None), 5.0).add(x)
    gapped = NoiseField(Streams(KEY), spec_of("uint8", 255.0, 0.0), 5.0).add(with_gaps)
    np.testing.assert_array_equal(gapped[:, 1::3], plain[:, 1::3])
    np.testing.assert_array_equal(gapped[:, 2::3], plain[:, 2::3])


def test_nothing_but_gaps():
    field = NoiseField(Streams(KEY), spec_of("float32", 1.0, -1.0), 0.1)
    assert (field.add(np.full((4, 5), -1, np.float32)) == -1).all()
    assert (field.measure.not_finite, field.measure.count, field.measure.std) == (20, 20, 0.0)


def test_no_step_either():
    x = np.full((20, 30), 0, np.uint8)
    x[5:] = 100
    field = StepField(KEY, spec_of("uint8", 255.0, 0.0), 2.0, 0.0, 4.0)
    noisy = field.add(x, np.ones(x.shape, np.int8))
    assert not noisy[:5].any()
    assert noisy[5:].mean() == pytest.approx(104, abs=1)
    assert field.measure.not_finite == 150
