"""What is measured equals plain numpy on the arrays."""

import numpy as np
import pytest

from noisecli.model import SampleSpec
from noisecli.noise.measure import Measure, round_significant, significant_or_none, square_sum
from noisecli.noise.models.gaussian import NoiseField
from noisecli.noise.stream import Streams

CASES = [
    *[("uint8", std) for std in (0.3, 25, 120, 2000)],
    ("int8", 25),
    *[("uint16", std) for std in (25, 500, 2000, 6425, 30000)],
    *[("int16", std) for std in (25, 2000, 12850)],
    *[("int32", 1e6), ("uint32", 1e9), ("int64", 1e6), ("uint64", 1e6)],
    *[("float16", 0.1), ("float32", 0.1), ("float32", 0.001), ("float64", 0.5)],
]
COUNT = 300_001


def clean(dtype):
    ramp = np.arange(COUNT, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    if dtype.startswith("f"):
        return (ramp / 2.0**64).astype(dtype)
    return ramp.view(dtype)[:COUNT].copy() if np.dtype(dtype).itemsize < 8 else (ramp >> np.uint64(40)).astype(dtype)


@pytest.mark.parametrize(("dtype", "std"), CASES)
def test_equals_numpy(field_of, spec_of, operations, dtype, std):
    x = clean(dtype)
    field = field_of(x, std, number=81)
    y = field.add(x)
    measure, full_scale = field.measure, spec_of(x).full_scale
    applied = y.astype(np.float64) - x.astype(np.float64)
    power, signal = np.mean(applied**2), np.mean(x.astype(np.float64) ** 2)
    assert measure.count == COUNT
    assert measure.total == pytest.approx(applied.sum(), rel=1e-9, abs=1e-9 * np.abs(applied).sum())
    assert measure.std == pytest.approx(applied.std(), rel=1e-8)
    assert measure.psnr_db(full_scale) == pytest.approx(10 * np.log10(full_scale**2 / power), abs=1e-6)
    assert measure.snr_db == pytest.approx(10 * np.log10(signal / power), abs=1e-6)
    assert measure.not_finite == 0


@pytest.mark.parametrize(("dtype", "std"), [(dtype, std) for dtype, std in CASES if dtype[0] != "f"])
@pytest.mark.parametrize("narrow", [False, True])
def test_clipped_integers_are_those_the_clip_changed(field_of, operations, dtype, std, narrow):
    """Noise without a clip is seen on wider integers: the stream is the same, the samples are too."""
    x = clean(dtype)
    low, high = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
    if narrow:
        low, high = low // 2 + 3, high // 3
    field = field_of(x, std, number=82, low=low, high=high)
    y = field.add(x)
    free = noise_alone(field_of, std, dtype) + x.astype(np.int64)
    np.testing.assert_array_equal(y, np.clip(free, low, min(high, 2**63 - 1)))
    assert field.measure.clipped == np.count_nonzero((free < low) | (free > high))
    assert field.measure.clipped_fraction == field.measure.clipped / COUNT


def noise_alone(field_of, std, dtype):
    """Return k itself, from a clip at the lowest value and one at the highest that each leave one half of it.

    What is larger than the whole range of the dtype is cut there, and counts as any larger value. 8 bits, where k is
    often as large as that, get the noise of 16.
    """
    dtype = "int16" if np.dtype(dtype).itemsize == 1 else dtype
    low, high = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
    ends = (np.full(COUNT, end, dtype) for end in (low, high))
    up, down = (field_of(end, std, number=82).add(end).astype(np.int64) - end.astype(np.int64) for end in ends)
    k = up + down
    return np.where(np.abs(k) == high - low, 2 * k, k)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_clipped_floats_are_those_the_clip_changed(field_of, dtype):
    x = clean(dtype)
    x[::100], x[1::100], x[2::100] = np.nan, np.inf, -np.inf
    field = field_of(x, 0.3, number=83)
    field.add(x)
    free = field_of(x, 0.3, number=83, clip=False).add(x)
    finite = np.isfinite(free)
    assert field.measure.clipped == np.count_nonzero(((free < 0) | (free > 1)) & finite)
    assert field.measure.not_finite == COUNT - np.count_nonzero(finite)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_half_open_clip_with_infinities(field_of, dtype):
    x = np.array([0.0, 5.0, np.inf, -np.inf, np.nan] * 10, dtype)
    field = field_of(x, 0.0, low=-np.inf, high=1.0)
    np.testing.assert_array_equal(field.add(x), np.where(x == 5, 1, x))
    assert field.measure.clipped == 10


def test_undefined_is_none(add_noise, field_of):
    empty = Measure()
    assert (empty.std, empty.clipped_fraction, empty.psnr_db(255), empty.snr_db) == (0.0, 0.0, None, None)
    silence = np.zeros(1000, np.int16)
    field = field_of(silence, 25)
    field.add(silence)
    assert field.measure.snr_db is None
    assert field.measure.psnr_db(32768) is not None
    unchanged = field_of(silence + np.int16(3), 0.0)
    unchanged.add(silence + np.int16(3))
    assert (unchanged.measure.snr_db, unchanged.measure.psnr_db(32768)) == (None, None)


def test_extremes_are_exact(operations):
    """Sums of the largest squares lose nothing: blocks of many samples at the limits of 16 bits."""
    for value, dtype in ((65535, np.uint16), (-32768, np.int16), (255, np.uint8), (-128, np.int8)):
        assert square_sum(np.full(1_000_001, value, dtype)) == 1_000_001 * value**2


@pytest.mark.parametrize("dtype", ["uint16", "int16", "uint8"])
def test_largest_change_is_exact(field_of, operations, dtype):
    low, high = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
    x = np.full(200_000, low, dtype)
    field = field_of(x, 0.0, mean=high - low)
    assert (field.add(x) == high).all()
    assert field.measure.total == 200_000 * (high - low)
    assert field.measure.squares == 200_000 * (high - low) ** 2
    assert field.measure.std == 0


def test_square_sum_of_floats_ignores_what_is_no_number():
    x = np.array([3.0, np.nan, 4.0, np.inf, -np.inf], np.float32)
    assert square_sum(x) == 25
    assert square_sum(np.array([], np.float32)) == 0


def test_a_black_picture_at_std_25(field_of):
    x = np.zeros((500, 500), np.uint8)
    field = field_of(x, 25)
    field.add(x)
    assert field.measure.std == pytest.approx(14.6, abs=0.1)
    assert field.measure.total / field.measure.count == pytest.approx(10, abs=0.1)


def test_digits():
    assert round_significant(123456.789, 6) == 123457
    assert round_significant(0.1 + 0.2, 9) == 0.3
    assert significant_or_none(float("inf")) is None
    assert significant_or_none(float("nan")) is None
    assert significant_or_none(None) is None
    assert significant_or_none(1.23456789) == 1.23457


@pytest.mark.parametrize("dtype", ["int64", "uint64"])
def test_noise_on_large_integers_is_measured(dtype):
    """The samples differ beyond the digits of a double; what was added does not."""
    x = np.full(20_000, 2**62 + 12_345, dtype)
    spec = SampleSpec(dtype, x.shape, 1.0, *(float(end) for end in (np.iinfo(dtype).min, np.iinfo(dtype).max)))
    field = NoiseField(Streams(bytes(16)), spec, 25.0)
    added = (field.add(x) - x).view(np.int64)
    assert field.measure.std == pytest.approx(added.std(), rel=1e-9)
    assert field.measure.std == pytest.approx(25, rel=5 / np.sqrt(2 * x.size))


@pytest.mark.parametrize("size", [5e220, 1.7e308, 5e-320])
def test_what_doubles_cannot_hold_is_none_and_no_error(size):
    measure = Measure(count=3, total=1.0, squares=min(size, 1e300) ** 0.5, signal_squares=1 / max(size, 1e-300))
    assert measure.psnr_db(size) is None
    Measure(count=3, squares=1e10, signal_squares=5e-324).snr_db  # noqa: B018
    assert Measure(count=3, squares=1e200, signal_squares=5e-324).snr_db is None


def test_squares_beyond_doubles_are_infinite_not_left_out():
    samples = np.array([5e220, 1.0, np.nan, np.inf])
    assert square_sum(samples) == np.inf
    assert square_sum(samples[1:]) == 1.0
