"""Integer noise: P(k) = Phi((k + 1/2 - mean) / std) - Phi((k - 1/2 - mean) / std), and nothing else."""

import numpy as np
import pytest
from scipy.special import ndtr

COUNT = 1 << 21
LIMIT_SIGMAS = 4
CASES = [
    *[("int16", std, 0.0) for std in (0.3, 1, 2.5, 5, 25, 50, 120, 100.5, 500, 2000)],
    *[("int16", 25, mean) for mean in (-100, 0.5, 3.25)],
    ("int16", 0.3, 0.3),
    ("int16", 2000, -1000.75),
    *[("uint16", std, 0.0) for std in (2001, 6425, 12850, 30000)],
    ("uint16", 6425, 2000.5),
    ("int32", 25, 0.25),
    ("int32", 3000, 0.0),
    ("int64", 25, 0.25),
]


def interval(low, high):
    """Phi(high) - Phi(low), without loss in the upper tail."""
    return np.where(low > 0, ndtr(-low) - ndtr(-high), ndtr(high) - ndtr(low))


def probabilities(values, std, mean, low, high):
    """P(y) of every value of clip(x + k, low, high), with mean that of x + k."""
    at = np.concatenate([values - 0.5, values[-1:] + 0.5])
    at = np.where(at < low, -np.inf, np.where(at > high, np.inf, at))
    edges = (at - mean) / std
    return interval(edges[:-1], edges[1:])


def merge(expected, seen, least=10.0):
    """Join neighbours until each bin expects enough."""
    bins = np.floor(np.cumsum(expected) / least).astype(int)
    joined, counts = np.bincount(bins, expected), np.bincount(bins, seen)
    keep = joined > 0
    return joined[keep], counts[keep]


def chi_square_sigmas(seen, values, std, mean, low, high):
    expected = probabilities(values, std, mean, low, high) * seen.sum()
    expected, seen = merge(expected, seen)
    expected[-1] += seen.sum() - expected.sum()
    freedom = len(expected) - 1
    statistic = float(((seen - expected) ** 2 / expected).sum()) / freedom
    # Wilson and Hilferty: the cube root of a chi-square is nearly normal
    return (statistic ** (1 / 3) - (1 - 2 / (9 * freedom))) / (2 / (9 * freedom)) ** 0.5


def check_exact(field, x, std, mean, blocks=1):
    """Draw noise on one value again and again; compare all frequencies with the formula."""
    base, limits = int(x[0]), np.iinfo(x.dtype)
    centre = base + mean
    low, high = max(limits.min, int(centre - 10 * std - 10)), min(limits.max, int(centre + 10 * std + 10))
    seen = np.zeros(high - low + 1)
    for _ in range(blocks):
        y = field.add(x).astype(np.int64)
        assert y.min() >= low
        assert y.max() <= high
        seen += np.bincount(y - low, minlength=len(seen))
    values = np.arange(low, high + 1, dtype=float)
    sigmas = chi_square_sigmas(seen, values, std, centre, limits.min, limits.max)
    assert abs(sigmas) < LIMIT_SIGMAS
    return seen, values


@pytest.mark.parametrize(("dtype", "std", "mean"), CASES)
def test_frequencies(field_of, dtype, std, mean):
    x = np.full(COUNT, 32768 if dtype == "uint16" else 0, dtype)
    check_exact(field_of(x, std, mean, number=11), x, std, mean)


@pytest.mark.parametrize(("std", "mean"), [(0.3, 0), (2.5, 0.25), (25, 0), (50, 0), (120, 0), (25, -20)])
@pytest.mark.parametrize("base", [0, 128, 250])
def test_frequencies_on_eight_bits_with_the_clip(field_of, std, mean, base):
    x = np.full(COUNT // 2, base, np.uint8)
    check_exact(field_of(x, std, mean, number=12), x, std, mean)


@pytest.mark.parametrize(("std", "mean"), [(0.3, 0.0), (1, 0.25), (25, 0.5), (500, -3.3), (2000, 0.0), (6425, 0.0)])
def test_mean_is_not_moved(field_of, std, mean):
    """Truncation would move it by a half."""
    x = np.zeros(COUNT, np.int32 if std > 3000 else np.int16)
    y = field_of(x, std, mean, number=13).add(x)
    rounded = (std**2 + 1 / 12) ** 0.5
    assert abs(y.mean() - mean) < 5 * rounded / COUNT**0.5


@pytest.mark.parametrize("std", [0.3, 1, 2.5, 25, 120])
def test_std_is_that_of_rounded_noise(field_of, std):
    x = np.zeros(COUNT, np.int16)
    y = field_of(x, std, number=14).add(x)
    k = np.arange(-1300.0, 1301)
    p = probabilities(k, std, 0.0, -np.inf, np.inf)
    variance, fourth = (p * k**2).sum(), (p * k**4).sum()
    assert abs((y.astype(float) ** 2).mean() - variance) < 5 * ((fourth - variance**2) / COUNT) ** 0.5


def test_share_at_the_limits(field_of):
    x = np.full(COUNT, 230, np.uint8)
    y = field_of(x, 25, number=15).add(x)
    share = ndtr(-24.5 / 25)
    assert abs((y == 255).mean() - share) < 5 * (share * (1 - share) / COUNT) ** 0.5


@pytest.mark.slow
@pytest.mark.parametrize("std", [0.3, 1, 2.5, 5, 25, 50, 120, 500, 2000, 6425, 12850])
def test_frequencies_of_many(field_of, std):
    x = np.full(1 << 22, 32768 if std > 2000 else 0, np.uint16 if std > 2000 else np.int16)
    check_exact(field_of(x, std, number=16), x, std, 0.0, blocks=24)
