"""The normal quantile: near the true one everywhere, from operations that round the same way on every machine."""

import ast
import inspect

import numpy as np
import pytest
from scipy.special import log_ndtr, ndtri, ndtri_exp

from noisecli.noise import quantile
from noisecli.noise.quantile import edges, normal_from_words

TOP = 2**64 - 1


def exact(words):
    """Quantile of (U + 1/2) / 2^64, by the nearer tail."""
    folded = [min(int(word), TOP - int(word)) for word in words]
    lower = ndtri_exp(np.log(np.array([(word + 0.5) / 2.0**64 for word in folded])))
    return np.where(np.array([int(word) <= TOP // 2 for word in words]), lower, -lower)


def test_against_scipy(streams):
    words = streams(1).words.words(200_000)
    np.testing.assert_allclose(normal_from_words(words), ndtri(words.astype(np.float64) / 2.0**64), rtol=0, atol=1e-10)


def test_tails_against_scipy(streams):
    raw = streams(2).words.words(64 * 500)
    shifts = np.repeat(np.arange(64, dtype=np.uint64), 500)
    words = np.concatenate([raw >> shifts, ~(raw >> shifts)])
    np.testing.assert_allclose(normal_from_words(words), exact(words), rtol=0, atol=1e-10)


def test_extremes():
    z = normal_from_words(np.array([0, 2**63 - 1, 2**63, TOP], np.uint64))
    assert z[0] == -z[3]
    assert z[0] == pytest.approx(exact([0])[0], abs=1e-10)
    assert log_ndtr(z[0]) == pytest.approx(-65 * np.log(2), abs=1e-9)
    assert abs(z[1]) < 1e-10
    assert z[2] == -z[1]


def test_is_symmetric(streams):
    words = streams(4).words.words(100_000)
    np.testing.assert_array_equal(normal_from_words(~words), -normal_from_words(words))


def test_is_monotone_over_the_whole_range():
    words = (np.arange(2**17, dtype=np.uint64) << np.uint64(47)) + np.uint64(2**46)
    assert np.all(np.diff(normal_from_words(words)) > 0)


@pytest.mark.parametrize("exponent", range(12, 64))
def test_is_monotone_where_two_cells_meet(exponent):
    steps = np.arange(-512, 513) << max(exponent - 30, 0)
    at = np.array([(1 << exponent) + int(step) for step in steps], np.uint64)
    assert np.diff(normal_from_words(at)).min() > -2e-11


def test_does_not_depend_on_the_count(streams):
    words = streams(5).words.words(20_001)
    whole = normal_from_words(words)
    for count in (0, 1, 7, 4097, 8193):
        np.testing.assert_array_equal(normal_from_words(words[:count]), whole[:count])


def test_edges():
    np.testing.assert_allclose(edges(), ndtri(np.arange(65537) / 65536), rtol=0, atol=1e-12)
    np.testing.assert_array_equal(edges(), -edges()[::-1])
    assert np.all(np.diff(edges()) > 0)


def test_uses_only_operations_that_ieee_754_rounds_one_way():
    libm = {"exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "erf", "erfc", "power", "float_power", "pow"}
    sums = {"dot", "matmul", "vdot", "inner", "einsum", "sum", "mean", "cumsum", "sin", "cos", "tan", "tanh", "cbrt"}
    called = {
        node.attr
        for node in ast.walk(ast.parse(inspect.getsource(quantile)))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }
    assert not called & (libm | sums | {"cv2", "scipy"})
    assert "sqrt" in called, "the test does not see what is called"
