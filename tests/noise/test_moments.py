"""Standard deviations of data in blocks."""

import numpy as np
import pytest

from noisecli.noise.moments import Columns, Spread

BLOCKS = [1, 7, 64, 1000, 10**6]


def noted(flat, block, columns=None):
    spread = Spread(columns)
    for start in range(0, flat.size, block):
        spread.note(flat[start : start + block])
    return spread


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("dtype", ["uint8", "int64", "float16", "float32", "float64"])
def test_std_is_that_of_the_whole(block, dtype):
    x = np.random.default_rng(0).normal(100, 20, 3000).astype(dtype)
    assert noted(x, block).std == pytest.approx(x.astype(float).std(), rel=1e-11)


def test_a_large_mean_costs_no_digits():
    x = np.random.default_rng(0).normal(0, 1, 10_000) + 1e9
    assert noted(x, 100).std == pytest.approx(x.std(), rel=1e-9)


@pytest.mark.parametrize("dtype", ["int64", "uint64"])
@pytest.mark.parametrize("base", [0, 1_700_000_000_000_000_000, 2**63 - 200])
def test_large_integers_close_together_keep_their_digits(dtype, base):
    """Nanoseconds since 1970, identifiers: a double has no room for what tells them apart."""
    steps = np.random.default_rng(2).integers(0, 200, 3000)
    x = np.array(base, dtype) + steps.astype(dtype)
    assert noted(x, 100).std == pytest.approx(steps.std(), rel=1e-11)


def test_integers_from_end_to_end():
    limits = np.iinfo(np.int64)
    assert noted(np.array([limits.min, limits.max] * 50), 7).std == pytest.approx(2.0**63, rel=1e-11)


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("fortran_order", [False, True])
@pytest.mark.parametrize("shape", [(500, 6), (10, 20, 15), (2, 1500), (3000, 1), (1, 3000)])
def test_columns_are_the_last_axis(shape, fortran_order, block):
    x = np.random.default_rng(1).normal(5, 1, shape) * np.arange(1, shape[-1] + 1)
    flat = x.ravel("F" if fortran_order else "C")
    stds = noted(flat, block, Columns.of(shape, fortran_order=fortran_order)).stds
    expected = x.reshape(-1, shape[-1]).std(axis=0)
    assert np.allclose(stds, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("block", BLOCKS)
def test_what_is_not_finite_is_left_out(block):
    x = np.random.default_rng(2).normal(0, 1, (300, 3))
    x[::7, 1], x[5, 0], x[:, 2] = np.nan, np.inf, np.nan
    stds = noted(x.ravel(), block, Columns(3, 1)).stds
    assert stds[0] == pytest.approx(np.delete(x[:, 0], 5).std())
    assert stds[1] == pytest.approx(np.nanstd(x[:, 1]))
    assert stds[2] == 0


def test_nothing_has_no_spread():
    assert Spread().std == 0
    assert noted(np.zeros(0), 1).std == 0


def test_beyond_doubles_is_told():
    assert not np.isfinite(noted(np.array([1e308, -1e308, 1e308]), 2).std)


def test_one_dimension_is_one_column():
    assert Columns.of((7,), fortran_order=False) == Columns.of((), fortran_order=True) == Columns(1, 1)
