"""Noise in linear light: the curve is sRGB's, undone and applied once around the noise."""

import numpy as np
import pytest
from scipy.stats import ks_2samp

from noisecli.keys import stream_key
from noisecli.noise import srgb
from noisecli.noise.models.signal_dependent import SignalDependent
from noisecli.noise.models.signal_dependent.linear import _edges
from noisecli.noise.quantile import normal_from_words
from noisecli.noise.stream import Streams

NOISE = SignalDependent(0.002, 0.1, linear=True)


def test_the_curve_is_srgb_s():
    u = np.linspace(0, 2, 100_001)
    exact = np.where(u > 0.04045, ((u + 0.055) / 1.055) ** 2.4, u / 12.92)
    np.testing.assert_allclose(srgb.decode(u), exact, rtol=1e-14)
    light = np.linspace(0, 4, 100_001)
    exact = np.where(light > 0.0031308, 1.055 * light ** (1 / 2.4) - 0.055, 12.92 * light)
    np.testing.assert_allclose(srgb.encode(light), exact, rtol=1e-14)


def test_it_goes_on_below_black_and_above_white():
    u = np.linspace(-3, 30, 100_001)
    np.testing.assert_array_equal(srgb.decode(-u), -srgb.decode(u))
    np.testing.assert_allclose(srgb.encode(srgb.decode(u)), u, atol=1e-7)
    assert (np.diff(srgb.decode(u)) > 0).all()


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "float32", "float64"])
@pytest.mark.parametrize("u", [0.02, 0.2, 0.6])
def test_samples_are_those_of_the_formula(noise_field, dtype, u):
    scale = 1.0 if dtype[0] == "f" else float(np.iinfo(dtype).max)
    x = np.full(200_000, u * scale).astype(dtype)
    y = noise_field(x, NOISE, 0.01 * scale).add(x).astype(float) / scale
    light = srgb.decode(x[:1] / scale)
    n = np.random.default_rng(7).standard_normal(x.size)
    free = srgb.encode(light + np.sqrt(1e-4 + 0.002 * light + 0.01 * light**2) * n).clip(0, 1)
    other = np.rint(free * scale) / scale if dtype == "uint8" else free
    assert ks_2samp(y, other).pvalue > 1e-6


def test_sixteen_bits_are_the_rounded_curve(noise_field):
    """Edges change nothing: a 16-bit sample is the curve around the noise, rounded, for the same n."""
    x = (np.arange(100_000) * 977 % 65_536).astype(np.uint16)
    y = noise_field(x, NOISE, 655.35).add(x)
    words = Streams(stream_key(0, b"a.png", NOISE.word, 1)).words.words(x.size)
    light = srgb.decode(x / 65_535)
    free = srgb.encode(light + np.sqrt(1e-4 + 0.002 * light + 0.01 * light**2) * normal_from_words(words))
    # up to what the two roundings of the curve differ by, next to a half
    away = np.abs(y - (free * 65_535).clip(0, 65_535))
    assert away.max() < 0.5 + 1e-3


def test_audio_has_no_linear_light(noise_field):
    with pytest.raises(ValueError, match="linear light"):
        noise_field(np.zeros((5, 1), np.int16), NOISE, sample_rate=8000)


def test_the_map_is_in_linear_light(noise_field):
    x = np.arange(256, dtype=np.uint8)
    light = srgb.decode(x / 255)
    exact = 255 * np.sqrt(1e-4 + 0.002 * light + 0.01 * light**2)
    np.testing.assert_allclose(noise_field(x, NOISE, 2.55).std_map(x), exact, rtol=1e-6)


@pytest.mark.parametrize(
    ("low", "high", "scale"),
    [(0, 255, 255.0), (0, 65_535, 65_535.0), (-32_768, 32_767, 32_767.0), (0, 4095, 4095.0), (5, 9, 255.0)],
)
def test_edges_are_found_by_cells_as_by_comparing_all(low, high, scale):
    edges = _edges(low, high, scale)
    lights = edges.lights[:-1]
    rng = np.random.default_rng(0)
    near = [lights, np.nextafter(lights, 9), np.nextafter(lights, -9), [-1e9, 1e9]]
    asked = np.concatenate(
        [rng.uniform(lights[0] - 0.1, lights[-1] + 0.1, 300_000), rng.uniform(-0.001, 0.004, 99_999)]
    )
    asked = np.concatenate([asked, *near])
    np.testing.assert_array_equal(edges.below(asked), lights.searchsorted(asked, side="right") + low - 1)
