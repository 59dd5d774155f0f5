"""From a level to one output's std: fair draws, in the quantity they are written in."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import kstest

from noisecli.levels import parse_label, parse_level
from noisecli.model import Level, SampleSpec
from noisecli.noise.draw import draw, drawn_level
from noisecli.noise.models.impulse import SEVERITIES as IMPULSE_SEVERITIES
from noisecli.noise.models.impulse import Impulse
from noisecli.noise.models.poisson import SEVERITIES as POISSON_SEVERITIES
from noisecli.noise.models.poisson import Poisson
from noisecli.noise.models.signal_dependent import OfCamera, SignalDependent, Spans, SpeckleOnly

PICTURE = SampleSpec("uint8", (8, 8, 3), full_scale=255, low=0, high=255)
SOUND = SampleSpec("int16", (100, 1), full_scale=32768, low=-32768, high=32767, sample_rate=8000)
FIXED = Level("std", 25 / 255, 25 / 255, "25")


def draws(streams, level, spec=PICTURE, probability=1.0, rms=None, count=2000):
    return [draw(level, spec, streams(number), probability, rms) for number in range(count)]


def test_a_fixed_level(streams):
    assert {drawn.std for drawn in draws(streams, FIXED, count=50)} == {25.0}
    drawn = draw(replace(FIXED, mean=-5 / 255), PICTURE, streams(), 1.0, None)
    assert (drawn.applied, drawn.std, drawn.mean) == (True, 25.0, -5.0)
    assert drawn.fraction(PICTURE) == round(25 / 255, 10)


def test_a_range_is_uniform(streams):
    stds = [drawn.std for drawn in draws(streams, Level("std", 5 / 255, 50 / 255, "5..50"))]
    assert kstest(stds, "uniform", (5, 45)).pvalue > 1e-3


def test_a_range_of_variances_is_uniform_in_variance(streams):
    stds = np.array([drawn.std for drawn in draws(streams, Level("var", 0.01, 0.04, "0.01..0.04"))])
    assert kstest((stds / 255) ** 2, "uniform", (0.01, 0.03)).pvalue > 1e-3


def test_decibels_are_uniform_in_decibels(streams):
    stds = [drawn.std for drawn in draws(streams, Level("snr_db", 5, 40, "5..40"), SOUND, rms=1000.0)]
    assert kstest(20 * np.log10(1000.0 / np.array(stds)), "uniform", (5, 35)).pvalue > 1e-3


def test_decibels_stand_for_the_ratio_of_powers(streams):
    drawn = draw(Level("snr_db", 20, 20, "20"), SOUND, streams(), 1.0, 1000.0)
    assert (drawn.applied, drawn.std) == (True, 100.0)


@pytest.mark.parametrize("rms", [0.0, None])
def test_silence_stays_as_it_is(streams, rms):
    for mean in (0.0, 0.1):
        drawn = draw(Level("snr_db", 5, 40, "5..40", mean=mean), SOUND, streams(), 1.0, rms)
        assert (drawn.applied, drawn.std, drawn.mean) == (False, 0.0, 0.0)


@pytest.mark.parametrize("probability", [0.0, 0.1, 0.5, 1.0])
def test_probability(streams, probability):
    applied = sum(drawn.applied for drawn in draws(streams, FIXED, probability=probability))
    assert abs(applied - 2000 * probability) <= 5 * (2000 * probability * (1 - probability)) ** 0.5


def test_probability_does_not_move_the_std(streams):
    level = Level("std", 0.1, 0.2, "0.1..0.2")
    sure, rare = draws(streams, level, count=200), draws(streams, level, probability=0.3, count=200)
    assert all(b.std == a.std for a, b in zip(sure, rare, strict=True) if b.applied)


def test_severity_steps_are_equally_likely(streams):
    steps = (0.08, 0.12, 0.18, 0.26, 0.38)
    stds = [drawn.std for drawn in draws(streams, Level("severity", 1, 5, "1..5", steps=steps))]
    values, counts = np.unique(stds, return_counts=True)
    np.testing.assert_allclose(values, np.array(steps) * 255)
    assert np.abs(counts - 400).max() < 5 * (2000 * 0.2 * 0.8) ** 0.5


def test_severity_zero_is_no_noise(streams):
    drawn = draw(Level("severity", 0, 0, "0", mean=0.5, steps=(0.0,)), PICTURE, streams(), 1.0, None)
    assert not drawn.applied


def test_std_zero(streams):
    nothing = Level("std", 0, 0, "0")
    assert not draw(nothing, PICTURE, streams(), 1.0, None).applied
    assert draw(replace(nothing, mean=0.1), PICTURE, streams(), 1.0, None).applied


def test_std_has_nine_digits(streams):
    for drawn in draws(streams, Level("std", 0.01, 0.5, "1%..50%"), SOUND, count=200):
        assert drawn.std == float(f"{drawn.std:.9g}")
        assert drawn.std > 0


def test_a_last_bit_of_the_rms_does_not_show(streams):
    level, rms = Level("snr_db", 17, 17, "17"), 1234.56789
    stds = {
        draw(level, SOUND, streams(), 1.0, value).std for value in (rms, math.nextafter(rms, 2000), rms * (1 + 1e-14))
    }
    assert len(stds) == 1


def test_the_same_strength_in_other_words_is_the_same_level():
    share = 25 / 255
    same = [FIXED, Level("std", share, share, "25/255"), Level("std", share, share, "9.80392157%")]
    same += [Level("var", share**2, share**2, "625"), replace(FIXED, mean=0.1)]
    assert len({level.canonical for level in same}) == 1


def test_other_strengths_are_other_levels():
    levels = [FIXED, Level("std", 0.1, 0.1, "10%"), Level("std", 0.1, 0.2, "10%..20%"), Level("var", 0.1, 0.2, "")]
    levels += [
        Level("snr_db", 10, 10, "10"),
        Level("snr_db", 10, 20, ""),
        Level("severity", 1, 2, "", steps=(0.1, 0.2)),
    ]
    assert len({level.canonical for level in levels}) == len(levels)


@pytest.mark.parametrize("text", ["5..50", "1e-3%..50%", "10%..50/255", "0.123456789123..47.9876543219876"])
def test_a_row_says_all_that_is_needed(streams, text):
    asked = parse_level(text, "std", 255.0, "imagenet-c", 0.0)
    recorded = parse_label(asked.label, 255.0)
    for number in range(20):
        drawn = drawn_level(asked, streams(number), 0.9)
        assert drawn == drawn_level(recorded, streams(number), 0.9)
        assert (drawn is not None) == draw(asked, PICTURE, streams(number), 0.9, None).applied


def test_shot_is_uniform_in_its_logarithm(streams):
    noise = Spans(shot=(1e-4, 0.012), speckle=(0.1, 0.3))
    level = Level("std", 0.02, 0.02, "5.1")
    drawn = [draw(level, PICTURE, streams(number), 1.0, None, noise=noise) for number in range(2000)]
    shots, speckles = (np.array([getattr(one.noise, name) for one in drawn]) for name in ("shot", "speckle"))
    assert kstest(np.log(shots), "uniform", (np.log(1e-4), np.log(120))).pvalue > 1e-3
    assert kstest(speckles, "uniform", (0.1, 0.2)).pvalue > 1e-3
    assert abs(np.corrcoef(np.log(shots), speckles)[0, 1]) < 5 / 2000**0.5
    assert {one.std for one in drawn} == {5.1}
    assert all(shot == float(f"{shot:.9g}") for shot in shots)


@pytest.mark.parametrize(("camera", "log"), [("brooks", np.log), ("sidd", np.log10)])
def test_cameras(streams, camera, log):
    """Brooks et al. (2019), Zamir et al. (2020)."""
    low, high, slope, offset, spread = {
        "brooks": (1e-4, 0.012, 2.18, 1.20, 0.26),
        "sidd": (0.00068674, 0.02194856, 1.85, 0.30, 0.20),
    }[camera]
    level = Level("std", 0.0, 0.0, "0")
    drawn = [draw(level, PICTURE, streams(number), 1.0, None, noise=OfCamera(camera)) for number in range(2000)]
    shots = log(np.array([one.noise.shot for one in drawn]))
    reads = log((np.array([one.std for one in drawn]) / 255) ** 2)
    assert kstest(shots, "uniform", (log(low), log(high) - log(low))).pvalue > 1e-3
    rest = reads - slope * shots - offset
    assert kstest(rest, "norm", (0, spread)).pvalue > 1e-3
    assert abs(np.corrcoef(shots, rest)[0, 1]) < 5 / 2000**0.5


def test_a_parameter_moves_no_other_and_no_chance_moves_one(streams):
    level = Level("std", 0.1, 0.2, "25..51")
    wide, narrow = Spans(shot=(1e-4, 0.012), speckle=(0.1, 0.3)), Spans(shot=(1e-4, 0.012))
    for number in range(200):
        both = draw(level, PICTURE, streams(number), 1.0, None, noise=wide)
        one = draw(level, PICTURE, streams(number), 1.0, None, noise=narrow)
        rare = draw(level, PICTURE, streams(number), 0.5, None, noise=wide)
        assert both.noise.shot == one.noise.shot
        assert both.std == one.std == draw(level, PICTURE, streams(number), 1.0, None).std
        assert rare == both if rare.applied else (rare.std, rare.noise) == (0.0, type(rare.noise)())


@pytest.mark.parametrize(
    ("asked", "severities", "name"),
    [
        (Poisson(), POISSON_SEVERITIES, "photons"),
        (Impulse(), IMPULSE_SEVERITIES, "amount"),
        (SpeckleOnly(), SpeckleOnly.SEVERITIES, "speckle"),
    ],
)
def test_severities_of_the_corruptions(streams, asked, severities, name):
    for number in range(1, 6):
        level = Level("severity", severities[number], severities[number], str(number))
        drawn = draw(level, PICTURE, streams(), 1.0, None, noise=asked)
        assert (drawn.applied, drawn.std, getattr(drawn.noise, name)) == (True, 0.0, severities[number])
    assert not draw(Level("severity", 0.0, 0.0, "0"), PICTURE, streams(), 1.0, None, noise=asked).applied
    several = Level("severity", severities[1], severities[5], "1..5", steps=severities[1:])
    found = [getattr(draw(several, PICTURE, streams(n), 1.0, None, noise=asked).noise, name) for n in range(500)]
    values, counts = np.unique(found, return_counts=True)
    assert set(values) == set(severities[1:])
    assert np.abs(counts - 100).max() < 5 * (500 * 0.2 * 0.8) ** 0.5


def test_shot_alone_is_noise_and_none_is_none(streams):
    nothing = Level("std", 0.0, 0.0, "0")
    assert draw(nothing, PICTURE, streams(), 1.0, None, noise=SignalDependent(shot=0.01)).applied
    assert not draw(nothing, PICTURE, streams(), 1.0, None, noise=SignalDependent()).applied
    by_ratio = draw(Level("snr_db", 20, 20, "20"), SOUND, streams(), 1.0, 1000.0, noise=SignalDependent(speckle=0.1))
    assert (by_ratio.std, by_ratio.noise.speckle) == (100.0, 0.1)


def test_other_noises_are_other_values():
    asked = [Spans(), Spans(shot=(1e-4, 0.01)), Spans(speckle=(0.1, 0.1)), Spans(linear=True), SpeckleOnly()]
    asked += [Spans(channel_stds=(0.1, 0.2)), OfCamera("brooks"), OfCamera("sidd"), OfCamera("sidd", linear=True)]
    assert len({one.canonical for one in asked}) == len(asked)
    assert SignalDependent(0.01, 0.2).canonical == Spans((0.01, 0.01), (0.2, 0.2)).canonical
