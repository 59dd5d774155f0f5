"""A step by sign under Gaussian noise: integers rounded once and exactly, whatever the size of a block."""

import itertools

import numpy as np
import pytest
from scipy import stats

from noisecli.model import SampleSpec
from noisecli.noise.models.gaussian import NoiseField
from noisecli.noise.models.signed_step import StepField
from noisecli.noise.stream import Streams

KEY = bytes(range(16))
SPECS = {
    "uint8": SampleSpec("uint8", (1,), 255.0, 0.0, 255.0),
    "uint16": SampleSpec("uint16", (1,), 65535.0, 0.0, 65535.0),
    "float32": SampleSpec("float32", (1,), 1.0, 0.0, 1.0),
}
UNLIKELY = 1e-6


def signs_of(count, seed=5):
    return np.random.default_rng(seed).integers(-1, 2, count, dtype=np.int8)


@pytest.mark.parametrize(("std", "step", "mean"), [(0.4, 0.3, 0.0), (2.0, 2.55, 0.0), (12.75, 2.55, 1.2)])
def test_integers_follow_the_formula_around_each_of_three_means(std, step, mean):
    count = 600_000
    x, signs = np.full(count, 120, np.uint8), signs_of(count)
    noisy = StepField(KEY, SPECS["uint8"], std, mean, step).add(x, signs).astype(int) - 120
    for sign in (-1, 0, 1):
        k = noisy[signs == sign]
        centre = mean + sign * step
        values = np.arange(np.floor(centre - 3.5 * std), np.ceil(centre + 3.5 * std) + 1)
        edges = np.concatenate([[-np.inf], values[:-1] + 0.5, [np.inf]])
        expected = np.diff(stats.norm.cdf(edges, centre, std)) * k.size
        expected = expected * k.size / expected.sum()
        observed = np.histogram(k, edges)[0]
        enough = expected >= 5
        kept_expected, kept_observed = expected[enough], observed[enough]
        kept_expected *= kept_observed.sum() / kept_expected.sum()
        assert stats.chisquare(kept_observed, kept_expected).pvalue > UNLIKELY


@pytest.mark.parametrize("step", [2.55, 2.4, 0.4, 655.35])
def test_without_noise_the_step_is_rounded_once_and_held(step):
    spec = SPECS["uint16"]
    x, signs = np.array([0, 1, 500, 40000, 65534, 65535] * 3, np.uint16), np.repeat([-1, 0, 1], 6).astype(np.int8)
    expected = np.rint(x + step * signs).clip(0, 65535)
    assert np.array_equal(StepField(KEY, spec, 0.0, 0.0, step).add(x, signs), expected)


def test_floats_step_and_are_held():
    x, signs = np.random.default_rng(1).random(100_000, dtype=np.float32), signs_of(100_000)
    noisy = StepField(KEY, SPECS["float32"], 0.0, 0.0, 0.1).add(x, signs)
    assert np.allclose(noisy, (x + 0.1 * signs).clip(0, 1), atol=1e-7)
    shaken = StepField(KEY, SPECS["float32"], 0.05, 0.0, 0.1).add(x * 0 + 0.5, signs) - 0.5 - 0.1 * signs
    assert abs(shaken.std() / 0.05 - 1) < 5 / np.sqrt(2 * 100_000)


@pytest.mark.parametrize("dtype", SPECS)
def test_blocks_do_not_show(dtype):
    spec, count = SPECS[dtype], 300_001
    scale = spec.full_scale
    x, signs = (np.random.default_rng(2).random(count) * scale).astype(dtype), signs_of(count)
    whole = StepField(KEY, spec, 0.05 * scale, 0.0, 0.01 * scale)
    expected = whole.add(x, signs)
    pieces = StepField(KEY, spec, 0.05 * scale, 0.0, 0.01 * scale)
    cuts = [0, 1, 1000, 17_777, 200_000, count]
    parts = [pieces.add(x[a:b], signs[a:b]) for a, b in itertools.pairwise(cuts)]
    assert np.array_equal(np.concatenate(parts), expected)
    assert pieces.measure.clipped == whole.measure.clipped
    assert pieces.measure.count == count


@pytest.mark.parametrize("dtype", SPECS)
def test_no_step_is_plain_noise(dtype):
    spec = SPECS[dtype]
    x = (np.random.default_rng(3).random(50_000) * spec.full_scale).astype(dtype)
    plain = NoiseField(Streams(KEY), spec, 0.1 * spec.full_scale).add(x)
    std = 0.1 * spec.full_scale
    assert np.array_equal(StepField(KEY, spec, std, 0.0, 0.0).add(x, signs_of(50_000)), plain)
    assert np.array_equal(StepField(KEY, spec, std, 0.0, 2.0).add(x, np.zeros(50_000, np.int8)), plain)


def test_the_three_streams_are_independent():
    x, ones = np.full(200_000, 100, np.uint8), np.ones(200_000, np.int8)
    noises = [StepField(KEY, SPECS["uint8"], 10.0, 0.0, 2.0).add(x, sign * ones) - 100.0 for sign in (-1, 0, 1)]
    correlations = np.corrcoef(noises)[np.triu_indices(3, 1)]
    assert np.abs(correlations).max() < 5 / np.sqrt(200_000)


def test_step_and_noise_are_measured_together():
    x, signs = np.full(400_000, 100, np.uint8), signs_of(400_000)
    field = StepField(KEY, SPECS["uint8"], 4.0, 0.0, 3.0)
    noisy = field.add(x, signs)
    assert field.measure.std == pytest.approx((noisy.astype(float) - 100).std(), rel=1e-9)
    assert field.measure.std == pytest.approx(np.sqrt(4**2 + 3**2 * 2 / 3 + 1 / 12), rel=0.01)
