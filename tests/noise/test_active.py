"""How loud the parts are that are not silence: by windows of 100 ms, whatever the blocks."""

import numpy as np
import pytest

from noisecli.noise.active import ActiveRms

RATE = 8000
RNG = np.random.default_rng(8)


def expected(x, full_scale, rate=RATE):
    """Do as the Deep Noise Suppression challenge does, window by window."""
    windows = [x[start : start + rate // 10].astype(float) for start in range(0, len(x), rate // 10)]
    loud = [window for window in windows if 10 * np.log10((window**2).mean() / full_scale**2 + 1e-99) > -50]
    return np.sqrt((np.concatenate(loud or windows) ** 2).mean())


def measured(blocks, full_scale, rate=RATE):
    active = ActiveRms(rate, full_scale)
    for block in blocks:
        active.note(block)
    return active.value


@pytest.fixture(params=[1, 2], ids=["mono", "stereo"])
def speech(request):
    """Return ten seconds with pauses of a faint hiss, some of which share a window with words."""
    x = RNG.normal(0, 3000, (10 * RATE + 123, request.param))
    for start in (0, 12_345, 40_000):
        x[start : start + 9000] = RNG.normal(0, 20, (9000, request.param))
    return np.rint(x).astype(np.int16)


@pytest.mark.parametrize("cuts", [[], [1], [799, 800, 801], list(range(0, 80_000, 333))])
def test_blocks_do_not_show(speech, cuts):
    found = measured(np.split(speech, cuts), 32768.0)
    assert found == pytest.approx(expected(speech, 32768.0), rel=1e-12)
    assert found == measured([speech], 32768.0)
    assert found > 1.1 * np.sqrt((speech.astype(float) ** 2).mean())


def test_all_of_it_where_none_is_active():
    hiss = RNG.normal(0, 1e-3, (RATE, 1))
    assert measured([hiss], 1.0) == pytest.approx(np.sqrt((hiss**2).mean()), rel=1e-12)


@pytest.mark.parametrize("db", [-50.1, -49.9])
def test_the_threshold_is_that_of_rms(db):
    """A sine of full scale would have -3 dBFS."""
    x = np.sin(2 * np.pi * 100 * np.arange(2 * RATE) / RATE)[:, None] * np.sqrt(2) * 10 ** (db / 20)
    x[RATE:] /= 10
    whole = np.sqrt((x**2).mean())
    assert measured([x], 1.0) == pytest.approx(10 ** (db / 20) if db > -50 else whole, rel=1e-9)


def test_silence_and_what_is_no_number():
    assert measured([], 1.0) == measured([np.zeros((0, 2))], 1.0) == measured([np.zeros((RATE, 2))], 1.0) == 0
    x = np.full((RATE, 1), 0.25)
    x[::3] = np.nan
    x[1] = np.inf
    assert measured([x], 1.0) == pytest.approx(0.25)
    assert measured([np.full((3, 1), 0.25)], 1.0, rate=4) == pytest.approx(0.25)
