"""Nothing wraps around, nothing is lost at the limits, what is no number stays, what gets no noise keeps its bytes."""

import numpy as np
import pytest
from scipy.special import ndtr

INTEGERS = ["uint8", "int8", "uint16", "int16", "int32", "uint32", "int64", "uint64"]
COUNT = 40_000


def limits(dtype):
    return int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("std", [1, 25, 2000, 20_000])
def test_no_wrap_around(add_noise, operations, dtype, std):
    low, high = limits(dtype)
    for base, at_limit in ((low, low), (high, high)):
        y = add_noise(np.full(COUNT, base, dtype), std, number=51)
        away = np.abs(y.astype(object) - base).astype(float)
        assert away.max() <= min(9.2 * std + 1, high - low)
        share = ndtr(0.5 / std)
        assert abs((y == at_limit).mean() - share) < 5 * (share * (1 - share) / COUNT) ** 0.5 + 1e-9


@pytest.mark.parametrize("dtype", INTEGERS)
def test_sums_are_exact(add_noise, dtype):
    """The noise that a wide integer gets does not depend on the integer: no float loses its last digits."""
    low, high = limits(dtype)
    middle = np.full(COUNT, (low + high) // 2, dtype)
    k = add_noise(middle, 3, number=52).astype(object) - int(middle[0])
    for base in (low + 60, high - 60):
        y = add_noise(np.full(COUNT, base, dtype), 3, number=52).astype(object)
        assert np.all(y - base == k)


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("std", [1e5, 1e10, 1e19, 1e21])
def test_huge_noise_saturates(add_noise, dtype, std):
    low, high = limits(dtype)
    base = (low + high) // 2
    y = add_noise(np.full(COUNT, base, dtype), std, number=53)
    for limit, room in ((low, base - low), (high, high - base)):
        share = ndtr(-room / std)
        assert abs((y == limit).mean() - share) < 5 * (share * (1 - share) / COUNT) ** 0.5 + 1e-9
    for quarter in ((3 * low + high) // 4, (low + 3 * high) // 4):
        share = ndtr((quarter - base) / std)
        seen = np.mean(y < np.asarray(quarter, dtype))
        assert abs(seen - share) < 5 * (share * (1 - share) / COUNT) ** 0.5 + 0.5 / std + 1e-9


@pytest.mark.parametrize("dtype", ["uint64", "int64"])
def test_sixty_four_bits_cross_their_whole_range(add_noise, dtype):
    low, high = limits(dtype)
    y = add_noise(np.full(COUNT, low, dtype), 1e19, number=54)
    share = ndtr(-float(high - low) / 1e19)
    assert abs((y == high).mean() - share) < 5 * (share / COUNT) ** 0.5


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("mean", [-5, 0, 7])
def test_std_zero_adds_the_mean(add_noise, operations, dtype, mean):
    x = np.full(20_000, 100, dtype)
    np.testing.assert_array_equal(add_noise(x, 0.0, mean), 100 + mean)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_std_zero_keeps_floats(add_noise, dtype):
    x = np.linspace(0, 1, 20_000).astype(dtype)
    np.testing.assert_array_equal(add_noise(x, 0.0), x)


@pytest.mark.parametrize("clip", [True, False])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_what_is_no_number_stays(field_of, operations, dtype, clip):
    x = np.full(30_000, 0.5, dtype)
    x[::7], x[1::7], x[2::7] = np.nan, np.inf, -np.inf
    field = field_of(x, 0.1, clip=clip)
    y = field.add(x)
    bad = ~np.isfinite(x)
    np.testing.assert_array_equal(y[bad], x[bad])
    assert np.isfinite(y[~bad]).all()
    assert field.measure.not_finite == np.count_nonzero(bad)
    added = y[~bad].astype(float) - 0.5
    assert field.measure.std == pytest.approx(float(np.std(added)), rel=1e-4)
    assert field.measure.psnr_db(1.0) == pytest.approx(-10 * np.log10(np.mean(added**2)), abs=1e-3)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_floats_are_held_between_the_limits_or_not(field_of, dtype):
    x = np.full(30_000, 0.5, dtype)
    held, free = field_of(x, 0.5).add(x), field_of(x, 0.5, clip=False).add(x)
    assert (free.min() < 0, free.max() > 1) == (True, True)
    np.testing.assert_array_equal(held, np.clip(free, 0, 1))


@pytest.mark.parametrize(
    ("dtype", "low", "high"), [("uint16", 0, 4095), ("int32", -(2**23), 2**23 - 1), ("uint8", 5, 9)]
)
@pytest.mark.parametrize("std", [300, 30_000])
def test_a_narrower_range_is_kept(add_noise, operations, dtype, low, high, std):
    x = np.full(30_000, high - 1, dtype)
    y = add_noise(x, std, low=low, high=high)
    assert (int(y.min()) >= low, int(y.max())) == (True, high)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_alpha_is_untouched(field_of, dtype):
    x = np.arange(60 * 50 * 4).reshape(60, 50, 4).astype(dtype) % 200
    field = field_of(x, 25, noisy_channels=3, low=0, high=255)
    y = field.add(x)
    np.testing.assert_array_equal(y[..., 3], x[..., 3])
    assert np.mean(y[..., :3] != x[..., :3]) > 0.9
    assert field.measure.count == 60 * 50 * 3


@pytest.mark.parametrize("noisy_channels", [None, 3])
def test_shared_channels(add_noise, noisy_channels):
    x = np.full((40, 50, 4), 128, np.int16)
    k = add_noise(x, 20, shared_channels=True, noisy_channels=noisy_channels) - x
    coloured = noisy_channels or 4
    for channel in range(1, coloured):
        np.testing.assert_array_equal(k[..., channel], k[..., 0])
    assert len(np.unique(k[0, :, 0])) > 10


def test_shared_channels_leave_grey_pictures_alone(add_noise):
    x = np.full((40, 50), 128, np.int16)
    np.testing.assert_array_equal(add_noise(x, 20, shared_channels=True), add_noise(x, 20))


def test_shared_channels_of_a_sound(add_noise):
    x = np.zeros((1000, 2), np.int16)
    y = add_noise(x, 20, shared_channels=True, sample_rate=8000)
    np.testing.assert_array_equal(y[:, 0], y[:, 1])


@pytest.mark.parametrize("shape", [(0,), (0, 5), (5, 0, 3), (1,), (1, 1), (7, 3, 1)])
@pytest.mark.parametrize("shared", [False, True])
def test_odd_shapes(add_noise, shape, shared):
    x = np.full(shape, 3, np.uint8)
    assert add_noise(x, 25, shared_channels=shared).shape == shape


def test_input_is_not_changed_and_may_be_read_only(add_noise):
    for dtype in (*INTEGERS, "float32", "float64"):
        x = np.full((50, 60, 3), 1, dtype)
        x.flags.writeable = False
        y = add_noise(x[::2, ::-1], 0.5)
        assert (x == 1).all()
        assert y.flags.writeable
