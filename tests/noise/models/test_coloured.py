"""Coloured noise: the filter against its formula, the noise against the filter, and both against what files show."""

import os
import subprocess
import sys

import numpy as np
import pytest
from scipy.signal import lfilter

from noisecli.noise.models import Gaussian, noise_of_row
from noisecli.noise.models.coloured import COLORS, DB_PER_OCTAVE, STEEPEST, Coloured
from noisecli.noise.models.coloured import filtered as pages
from noisecli.noise.models.coloured.design import BEHIND, LOWEST, response_of
from noisecli.noise.models.coloured.filtered import GROUP_FRAMES, ColouredNoise, matrices_of

RATES = [*(pytest.param(rate, marks=pytest.mark.slow) for rate in (8000.0, 44100.0, 192000.0)), 16000.0]
POWERS = [-2.0, -1.0, 1.0, 2.0, -1.5, 0.3, STEEPEST / DB_PER_OCTAVE, -6.02 / DB_PER_OCTAVE]
SECONDS = 60


def gain_of(response, frequencies, rate):
    """Return |H|, with the exponentials summed up to infinity."""
    z = np.exp(-2j * np.pi * frequencies / rate)
    total = np.polynomial.polynomial.polyval(z, np.array(response.taps))
    for pole, weight in zip(response.poles, response.weights, strict=True):
        total = total + weight * (pole * z) ** len(response.taps) / (1 - pole * z)
    return np.abs(total)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("power", POWERS)
def test_the_slope_is_right_everywhere(power, rate):
    frequencies = np.geomspace(20, 0.45 * rate, 4000)
    db = 20 * np.log10(gain_of(response_of(power, rate), frequencies, rate))
    slope = np.gradient(db, np.log2(frequencies))
    assert np.abs(slope - power * DB_PER_OCTAVE).max() < 0.1


@pytest.mark.parametrize("power", [-2.0, -1.0, -0.5])
def test_flat_below_the_lowest_frequency(power):
    low, edge, top = 20 * np.log10(gain_of(response_of(power, 16000.0), np.array([0.01, LOWEST, 20.0]), 16000.0))
    assert 0 < low - edge < 3.1
    assert low - top > -power * 8


@pytest.mark.parametrize("power", POWERS)
@pytest.mark.parametrize("rate", RATES)
def test_gain_and_response(power, rate):
    response = response_of(power, rate)
    h = np.array(response.at(int(rate * 2)))
    assert response.gain == pytest.approx(np.sqrt((h * h).sum()), rel=1e-9)
    frequencies = np.array([20.0, 0.1 * rate, 0.45 * rate])
    long = np.abs(h @ np.exp(-2j * np.pi * np.outer(np.arange(h.size), frequencies) / rate))
    assert long == pytest.approx(gain_of(response, frequencies, rate), rel=1e-6)


@pytest.mark.parametrize("power", POWERS)
@pytest.mark.parametrize("rate", [8000.0, 192000.0])
def test_blocks_do_what_one_long_filter_does(streams, power, rate):
    """The same white noise through the same response in one go, from the same state on."""
    frames, response = 2 * GROUP_FRAMES, response_of(power, rate)
    noise, again = (ColouredNoise(streams(5), response, 2, 1.0) for _ in range(2))
    white = np.concatenate([again._before, *(again._white(GROUP_FRAMES) for _ in range(2))], axis=1)
    lags = BEHIND + 1 + np.arange(frames)
    unit = response.gain * pages._WHITE_STD
    for channel, got in enumerate(noise.take(frames)):
        expected = lfilter(response.at(frames + BEHIND), [1.0], white[channel])[BEHIND:]
        states = again._state[:, channel] * 2.0**-pages._STATE_BITS
        for pole, weight, state in zip(response.poles, response.weights, states, strict=True):
            expected += weight * pole**lags * state
        assert np.abs(got - expected / unit).max() < 3e-6


@pytest.mark.parametrize("power", POWERS)
@pytest.mark.parametrize("rate", RATES)
def test_no_library_has_a_say_in_the_last_bit(streams, power, rate):
    """Products of matrices are those of whole numbers, which nothing rounds."""
    made = matrices_of(response_of(power, rate))
    noise = ColouredNoise(streams(6), response_of(power, rate), 1, 1.0)
    seen = []

    class Watched(np.ndarray):
        def __array_ufunc__(self, ufunc, method, *inputs, **options):
            plain = [part.view(np.ndarray) if isinstance(part, Watched) else part for part in inputs]
            if ufunc is np.matmul:
                seen.append((plain[0], plain[1]))
            return getattr(ufunc, method)(*plain, **options)

    noise._matrices = made._replace(**{name: getattr(made, name).view(Watched) for name in ("out", "into", "within")})
    noise.take(GROUP_FRAMES)
    assert len(seen) == (4 if made.poles else 2)
    for left, right in seen:
        assert all(np.array_equal(part, np.rint(part)) for part in (left, right))
        assert (np.abs(left) @ np.abs(right)).max() < 2**53


PROGRAM = """
import hashlib
from noisecli.noise.models.coloured.design import response_of
from noisecli.noise.models.coloured.filtered import ColouredNoise
from noisecli.noise.stream import Streams
digest = hashlib.sha256()
for power in (-2.0, -1.0, 0.5, 2.0):
    digest.update(ColouredNoise(Streams(bytes(16)), response_of(power, 48000.0), 2, 1.0).take(200_000).tobytes())
print(digest.hexdigest())
"""


def test_the_same_bytes_by_other_processors_code():
    """OpenBLAS has code for each family of processors; where another library multiplies, it is asked twice."""
    found = set()
    for kernels, threads in (("Prescott", "1"), ("Haswell", "2")):
        environment = os.environ | {"OPENBLAS_CORETYPE": kernels, "OPENBLAS_NUM_THREADS": threads}
        command = [sys.executable, "-c", PROGRAM]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=600)
        found.add(done.stdout)
    assert len(found) == 1


@pytest.mark.parametrize("power", [-2.0, -1.0, 1.0])
def test_the_state_before_the_first_sample_is_that_of_endless_noise(power):
    poles = np.array(response_of(power, 16000.0).poles)
    first = matrices_of(response_of(power, 16000.0)).first * (2.0**-pages._STATE_BITS / pages._WHITE_STD)
    assert first @ first.T == pytest.approx(1 / (1 - np.outer(poles, poles)), rel=1e-9)


@pytest.mark.parametrize("power", [-2.0, -1.0, 1.0, 2.0])
def test_as_strong_from_the_first_sample_on(streams, power):
    """Over 8,000 noises: single samples at the start, around borders of blocks and groups, and at the end."""
    response, places = response_of(power, 8000.0), [0, 1, 31, 63, 64, 65, 1000, GROUP_FRAMES - 1]
    found = [ColouredNoise(streams(number), response, 500, 1.0).take(GROUP_FRAMES)[:, places] for number in range(16)]
    values = np.concatenate(found)
    assert np.abs((values**2).mean(0) - 1).max() < 5 * (2 / 8000) ** 0.5
    assert np.abs((values**4).mean(0) - 3).max() < 5 * (96 / 8000) ** 0.5
    across = (values[:, places.index(63)] * values[:, places.index(64)]).mean()
    inside = (values[:, places.index(64)] * values[:, places.index(65)]).mean()
    assert abs(across - inside) < 5 * (3 / 8000) ** 0.5


def sound(noise_field, noise, dtype="float32", channels=1, frames=SECONDS * 16000, scale=1.0, **more):
    x = np.zeros((frames, channels), dtype)
    return noise_field(x, noise, 0.01 * scale, low=-scale, high=scale, sample_rate=16000, **more).add(x)


NOISES = {**COLORS, "slope 4.5": Coloured(4.5), "slope -0.5": Coloured(-0.5), "white": Gaussian()}


@pytest.mark.parametrize("name", NOISES)
def test_what_a_minute_shows(noise_field, name):
    """Slope over all octaves, no octave apart from the line, no line in the spectrum, and kurtosis 3."""
    noise = NOISES[name]
    y = sound(noise_field, noise).reshape(-1).astype(np.float64)
    power = np.abs(np.fft.rfft(y * np.hanning(y.size))[1:]) ** 2
    frequencies = np.arange(1, power.size + 1) / SECONDS
    edges = np.geomspace(20, 0.45 * 16000, 25)
    slope = getattr(noise, "slope", 0.0)
    flat = power * (frequencies / 1000) ** (-slope / DB_PER_OCTAVE)
    bands = np.split(flat, np.searchsorted(frequencies, edges))[1:-1]
    db = np.array([10 * np.log10(band.mean()) for band in bands])
    errors = np.array([4.343 * (2 / band.size) ** 0.5 for band in bands])
    octaves = np.log2(edges[1:] * edges[:-1]) / 2
    assert abs(np.polyfit(octaves, db, 1, w=1 / errors)[0]) < 0.1
    level = np.average(db, weights=errors**-2)
    assert (np.abs(db - level) < 5 * errors + 0.1).all()
    # the largest of half a million exponentials is 13 on average, and above 25 once in 100,000 such files
    assert np.concatenate(bands).max() < 25 * 10 ** (level / 10)
    independent = {"brown": 60 * 2.5 * np.pi, "slope -0.5": 10**5, "pink": 10**4}.get(name, 5 * 10**5)
    assert abs((y**4).mean() / (y**2).mean() ** 2 - 3) < 5 * (24 / independent) ** 0.5


@pytest.mark.parametrize("dtype", ["int16", "int32", "float32", "float64"])
@pytest.mark.parametrize("channels", [1, 2, 5])
@pytest.mark.parametrize("shared", [False, True])
def test_any_blocks_give_the_same_samples(noise_field, dtype, channels, shared):
    scale = 1.0 if dtype[0] == "f" else float(np.iinfo(dtype).max)
    x = np.zeros((150_001, channels), dtype)
    more = {"number": 3, "sample_rate": 8000, "low": -scale, "high": scale, "shared_channels": shared}
    whole, parts = (noise_field(x, COLORS["pink"], 0.01 * scale, 0.001 * scale, **more) for _ in range(2))
    blocks = np.split(x, [0, 1, 64, 4095, 4096, 8193, 100_000, 100_000])
    expected = whole.add(x)
    assert np.array_equal(np.concatenate([parts.add(block) for block in blocks]), expected)
    assert parts.measure.std == pytest.approx(whole.measure.std, rel=1e-9)
    begun = noise_field(x, COLORS["pink"], 0.01 * scale, 0.001 * scale, **more)
    assert np.array_equal(begun.add(x[:100]), expected[:100])


def test_channels_are_independent_unless_shared(noise_field):
    y = sound(noise_field, COLORS["pink"], channels=3).astype(np.float64)
    correlation = np.corrcoef(y.T)
    assert np.abs(correlation - np.eye(3)).max() < 0.05
    shared = sound(noise_field, COLORS["pink"], channels=3, frames=5000, shared_channels=True)
    assert (shared == shared[:, :1]).all()


@pytest.mark.parametrize("dtype", ["int16", "int32"])
@pytest.mark.parametrize("std", [0.01, 0.3])
def test_integers_are_rounded_and_clipped_once(noise_field, dtype, std):
    scale = float(np.iinfo(dtype).max) + 1
    x = (np.sin(np.arange(50_000)) * 0.5 * scale).astype(dtype).reshape(-1, 1)
    more = {"number": 4, "sample_rate": 16000}
    field = noise_field(x, COLORS["brown"], std * scale, 7.25, **more)
    y = field.add(x)
    z = noise_field(x.astype(np.float64), COLORS["brown"], std * scale, 7.25, clip=False, **more)
    added = z.add(np.zeros(x.shape))
    expected = x.astype(np.float64) + np.rint(added)
    limits = np.iinfo(dtype)
    assert np.array_equal(y, expected.clip(limits.min, limits.max).astype(dtype))
    assert field.measure.clipped == np.count_nonzero(expected != y) > (0 if std == 0.3 else -1)


def test_rows_say_it(noise_field):
    for noise in (*COLORS.values(), Coloured(-4.5)):
        row = {"noise": noise.word, **noise.entries()}
        assert noise_of_row(row) == noise
        assert noise.draw(0.25, lambda place: 0.5) == (0.25, noise)
    with pytest.raises(ValueError, match="not that of gaussian-pink"):
        noise_of_row({"noise": "gaussian-pink", "slope": -3.0})
    with pytest.raises(ValueError, match="time"):
        noise_field(np.zeros(9, np.uint8), COLORS["pink"], 1.0)


def test_colours_are_the_slopes_that_are_so_steep():
    assert [round(noise.slope, 2) for noise in COLORS.values()] == [-3.01, -6.02, 3.01, 6.02]
    assert len({noise.word for noise in COLORS.values()}) == 4
    assert response_of(Coloured(-3.0103).power, 16000.0).taps == pytest.approx(
        response_of(COLORS["pink"].power, 16000.0).taps, rel=1e-6
    )
