"""Float noise: the normal distribution as far as it can be seen, full variance, tails included."""

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import kstest

COUNT = 1 << 22


@pytest.fixture(scope="module", params=["float32", "float64"])
def normal(request, field_of):
    """Return n of mean 0 and std 1, as it is added to zeros."""
    x = np.zeros(COUNT, request.param)
    y = field_of(x, 1.0, clip=False, number=21).add(x)
    assert y.dtype == x.dtype
    return y.astype(np.float64)


def test_kolmogorov_smirnov(normal):
    assert kstest(normal[: COUNT // 4], "norm").pvalue > 1e-4


@pytest.mark.parametrize("sigmas", [1, 2, 2.66, 3, 4, 5])
def test_tail_counts(normal, sigmas):
    share = ndtr(-sigmas)
    bound = 5 * (COUNT * share) ** 0.5 + 1
    assert abs(np.count_nonzero(normal > sigmas) - COUNT * share) < bound
    assert abs(np.count_nonzero(normal < -sigmas) - COUNT * share) < bound


def test_moments(normal):
    assert abs(normal.mean()) < 5 / COUNT**0.5
    assert abs((normal**2).mean() - 1) < 5 * (2 / COUNT) ** 0.5
    assert abs((normal**3).mean()) < 5 * (15 / COUNT) ** 0.5
    assert abs((normal**4).mean() - 3) < 5 * (96 / COUNT) ** 0.5


def test_frequencies(normal):
    """Chi-square over 1,000 equally likely bins."""
    seen = np.bincount((ndtr(normal) * 1000).astype(int), minlength=1000)
    chi = ((seen - COUNT / 1000) ** 2 / (COUNT / 1000)).sum()
    assert abs(chi - 999) < 4 * (2 * 999) ** 0.5


@pytest.mark.parametrize(("dtype", "std", "mean"), [("float32", 0.1, 0.25), ("float64", 30, -7), ("float16", 0.5, 0)])
def test_std_and_mean(field_of, dtype, std, mean):
    x = np.zeros(COUNT // 4, dtype)
    y = field_of(x, std, mean, clip=False, number=22).add(x).astype(np.float64)
    assert abs(y.mean() - mean) < 5 * std / x.size**0.5
    assert abs(y.std() - std) < 5 * std / (2 * x.size) ** 0.5


def test_double_precision_is_fine(normal, request):
    """No step in the values: 64 random bits stand behind each."""
    if "float64" in request.node.name:
        values = np.unique(normal[: 1 << 18])
        assert len(values) == 1 << 18


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_tails_of_many(field_of, dtype):
    x = np.zeros(1 << 22, dtype)
    field, blocks = field_of(x, 1.0, clip=False, number=23), 24
    seen = dict.fromkeys((3, 4, 5, 5.5), 0)
    for _ in range(blocks):
        y = np.abs(field.add(x))
        for sigmas in seen:
            seen[sigmas] += np.count_nonzero(y > sigmas)
    for sigmas, count in seen.items():
        expected = blocks * x.size * 2 * ndtr(-sigmas)
        assert abs(count - expected) < 5 * expected**0.5 + 1
