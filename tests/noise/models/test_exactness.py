"""P(y | x) of every noise of integers is its formula's, for many inputs: chi-square, with and without OpenCV."""

import pytest

from tests.noise.exactness import CASES, INPUTS, expected, seen, sigmas

UNLIKELY = 5.0
"""In standard deviations: less than one failure in a million."""
SIXTEEN = ("shot .01", "shot .01, speckle .2, std .04", "camera sidd", "poisson 12", "impulse 0.09")


def check(case, dtype, values, samples):
    for value in values:
        z, _ = sigmas(seen(case, dtype, value, samples), expected(case, dtype, value))
        assert abs(z) < UNLIKELY, f"{case.name}, {dtype} {value}: {z:.2f}"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_eight_bits(case):
    check(case, "uint8", INPUTS["uint8"], 10**6)


@pytest.mark.parametrize("case", [case for case in CASES if case.name in SIXTEEN], ids=lambda case: case.name)
def test_sixteen_bits(case):
    check(case, "uint16", INPUTS["uint16"][4::3], 10**6)


@pytest.mark.parametrize("case", CASES[4::5], ids=lambda case: case.name)
def test_without_opencv(case, without_opencv):
    check(case, "uint8", (17, 254), 10**5)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", INPUTS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_hundred_million(case, dtype):
    check(case, dtype, INPUTS[dtype], 10**8)


def test_another_formula_is_seen():
    """The check finds a std that is off by 1%, and a sample that cannot come out."""
    case = CASES[2]
    counts = seen(case, "uint8", 128, 10**6)
    assert abs(sigmas(counts, expected(case._replace(std=0.042), "uint8", 128))[0]) > UNLIKELY
    assert sigmas(counts, expected(CASES[-4], "uint8", 128) * 0 + (counts.argmax() == range(256)))[0] > UNLIKELY
