"""Salt and pepper: half of the amount each, at places that no block size moves."""

import numpy as np
import pytest

from noisecli.noise.models.impulse import SEVERITIES, Impulse

COUNT = 400_000


@pytest.mark.parametrize("amount", [*SEVERITIES[1:], 0.5, 1 / 3, 1e-4, 1.0])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint32", "float32", "float64"])
def test_half_each(noise_field, operations, dtype, amount):
    x = np.full(COUNT, 0.5 if dtype[0] == "f" else 100).astype(dtype)
    field = noise_field(x, Impulse(amount))
    y = field.add(x)
    low, high = (0, 1) if dtype[0] == "f" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    bound = 5 * (COUNT * amount / 2) ** 0.5
    for extreme in (low, high):
        assert abs(np.count_nonzero(y == extreme) - COUNT * amount / 2) < bound
    assert np.isin(y, [low, high, x[0]]).all()
    assert field.measure.clipped == 0
    if amount == 1:
        assert not (y == x).any()


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_blocks_do_not_show(noise_field, dtype, shared):
    x = np.full((313, 250, 3), 0.5 if dtype[0] == "f" else 100).astype(dtype)
    whole, parts = (noise_field(x, Impulse(0.27), shared_channels=shared) for _ in range(2))
    expected = whole.add(x)
    pieces = [parts.add(block) for block in np.split(x, [1, 2, 2, 99, 262, 310])]
    np.testing.assert_array_equal(np.concatenate(pieces), expected)
    if shared:
        np.testing.assert_array_equal(expected, np.repeat(expected[..., :1], 3, axis=2))
    else:
        assert (expected[..., 0] != expected[..., 1]).any()


def test_places_are_independent(noise_field):
    x = np.full(COUNT, 100, np.uint8)
    hit = noise_field(x, Impulse(0.5)).add(x) != 100
    for lag in (1, 2, 3, 1000):
        both = np.mean(hit[lag:] & hit[:-lag])
        assert abs(both - 0.25) < 5 * (0.25 * 0.75 / COUNT) ** 0.5


def test_what_is_no_number_stays_and_so_do_alpha_and_missing_samples(noise_field):
    x = np.full((100, 100, 4), 0.5, np.float32)
    x[::7] = np.nan
    x[1::7] = -1.0
    y = noise_field(x, Impulse(0.9), nodata=-1.0, noisy_channels=3).add(x)
    np.testing.assert_array_equal(y[::7], x[::7])
    np.testing.assert_array_equal(y[1::7], x[1::7])
    np.testing.assert_array_equal(y[..., 3], x[..., 3])
    assert (y[2::7, :, :3] != 0.5).mean() > 0.8


def test_samples_without_a_black_and_a_white_are_refused(noise_field):
    with pytest.raises(ValueError, match="black and a white"):
        noise_field(np.zeros(5), Impulse(0.1), high=np.inf)
