"""Half precision: every value there and back, every rounding to nearest even, checked by plain arithmetic."""

from fractions import Fraction

import numpy as np
import pytest

from noisecli.codecs.weights.bf16 import BF16, RoundsToBF16, narrow, widen

EVERY_HALF = np.arange(1 << 16, dtype=np.uint32).astype("<u2")


def bf16(bits):
    """Value of a bfloat16 by its definition."""
    sign, exponent, fraction = bits >> 15, (bits >> 7) & 0xFF, bits & 0x7F
    if exponent == 0xFF:
        return np.nan if fraction else -np.inf if sign else np.inf
    scale = Fraction(2) ** (max(exponent, 1) - 127 - 7)
    return float((-1) ** sign * (fraction + (0x80 if exponent else 0)) * scale)


def test_every_bf16_is_widened_to_its_value():
    np.testing.assert_array_equal(widen(EVERY_HALF, BF16), np.array([bf16(int(b)) for b in EVERY_HALF], np.float32))


@pytest.mark.parametrize("stored", [BF16, "<f2", ">f2"])
def test_every_half_comes_back_as_it_was(stored):
    raw = EVERY_HALF if stored == BF16 else EVERY_HALF.view("<f2").astype(stored)
    wide = widen(raw, stored)
    back = narrow(wide, stored)
    number = ~np.isnan(wide)
    np.testing.assert_array_equal(back[number].view("u2"), raw[number].view("u2"))
    assert np.isnan(widen(back, stored)[~number]).all()


def test_bf16_is_rounded_to_the_nearest_and_ties_to_the_even_one():
    # all neighbours, and between them: a quarter, just less than half, the half, just more, and three quarters
    low = EVERY_HALF[(EVERY_HALF & 0x7FFF) < 0x7F7F]
    start = low.astype(np.uint32) << np.uint32(16)
    for part, up in ((0x4000, 0), (0x7FFF, 0), (0x8000, low & 1), (0x8001, 1), (0xC000, 1)):
        upper = narrow((start | np.uint32(part)).view(np.float32), BF16)
        np.testing.assert_array_equal(upper, low + np.asarray(up, np.uint16))


def test_what_is_no_number_stays_so_and_what_is_beyond_the_largest_becomes_infinite():
    largest = np.float32(bf16(0x7F7F))
    block = np.array([largest, -largest, np.inf, -np.inf, np.nan, 0.0, -0.0, np.finfo("f4").max], np.float32)
    back = RoundsToBF16().rounded(block)
    np.testing.assert_array_equal(back, np.array([*block[:7], np.inf], np.float32))
    assert list(np.signbit(back[[5, 6]])) == [False, True]


def test_a_nan_whose_bits_are_all_in_the_lower_half_stays_one():
    block = np.array([0x7F800001, 0xFF800001, 0xFFFFFFFF], np.uint32).view(np.float32)
    assert np.isnan(widen(narrow(block, BF16), BF16)).all()


def test_every_nan_of_bf16_keeps_its_bits():
    nans = EVERY_HALF[(EVERY_HALF & 0x7FFF) > 0x7F80]
    np.testing.assert_array_equal(narrow(widen(nans, BF16), BF16), nans)


@pytest.mark.parametrize("stored", ["<f2", ">f2", "<f4", ">f4", "<f8", ">f8"])
def test_whole_precisions_pass_bit_for_bit(stored):
    raw = np.array([1.5, -0.0, np.inf, np.nan, 1e-4], stored)
    assert narrow(widen(raw, stored), stored).tobytes() == raw.tobytes()
