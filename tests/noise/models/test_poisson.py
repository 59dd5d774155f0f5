"""Photons counted: exact counts for every rate, whatever the blocks are; what cannot be counted is refused."""

import numpy as np
import pytest
from scipy.stats import chisquare, poisson

from noisecli.errors import FileFailed
from noisecli.noise.models.poisson import SEVERITIES, Poisson
from noisecli.noise.models.poisson.counts import table_of

UNLIKELY = 1e-6


def ramp(dtype, shape):
    u = (np.arange(int(np.prod(shape))) * 40_503 % 65_536) / 65_535.0
    return (u * (1.0 if dtype[0] == "f" else np.iinfo(dtype).max)).astype(dtype).reshape(shape)


def test_the_cdf_is_poisson_s():
    rates = (0.0, 1e-3, 0.5, 3.0, 59.9, 255.0)
    cdf = table_of(rates + (1.0,) * 250).cdf[:6, :-1] / 2.0**64
    exact = poisson.cdf(np.arange(cdf.shape[1]), np.array(rates)[:, None])
    np.testing.assert_allclose(cdf, exact, rtol=1e-12, atol=2e-15)


@pytest.mark.parametrize("dtype", ["uint16", "uint32", "int16", "float32", "float64"])
@pytest.mark.parametrize("photons", [3.0, 60.0, 255.0])
@pytest.mark.parametrize("u", [0.0, 0.0037, 0.4019, 0.9999, 1.0])
def test_counts_of_rates_between_those_of_the_table(noise_field, operations, dtype, photons, u):
    scale = 1.0 if dtype[0] == "f" else float(np.iinfo(dtype).max)
    x = np.full(200_000, u * scale).astype(dtype)
    y = noise_field(x, Poisson(photons), clip=False, number=3).add(x)
    counts = np.rint(y / scale * photons).astype(int)
    most = int(photons) if dtype[0] != "f" else 1000
    p = poisson.pmf(np.arange(1001), float(x[0]) / scale * photons)
    seen = np.bincount(counts, minlength=1001)
    p[most] = p[most:].sum()
    p[most + 1 :] = 0
    kept = p * x.size > 10
    expected = np.append(p[kept], max(1 - p[kept].sum(), 0)) * x.size
    found = np.append(seen[kept], x.size - seen[kept].sum())
    if expected[-1] < 5:
        assert found[-1] < 25
        found, expected = found[:-1], expected[:-1] * found[:-1].sum() / expected[:-1].sum()
    assert len(found) == 1 or chisquare(found, expected).pvalue > UNLIKELY


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_blocks_do_not_show(noise_field, dtype, shared, request):
    x = ramp(dtype, (313, 250, 3))
    whole, parts = (noise_field(x, Poisson(60.0), shared_channels=shared) for _ in range(2))
    expected = whole.add(x)
    pieces = [parts.add(block) for block in np.split(x, [1, 2, 2, 99, 262, 310])]
    np.testing.assert_array_equal(np.concatenate(pieces), expected)
    assert parts.measure.clipped == whole.measure.clipped
    request.getfixturevalue("without_opencv")
    np.testing.assert_array_equal(noise_field(x, Poisson(60.0), shared_channels=shared).add(x), expected)


def test_grey_noise_keeps_grey(noise_field):
    x = np.repeat(ramp("uint8", (200, 200, 1)), 3, axis=2)
    y = noise_field(x, Poisson(12.0), shared_channels=True).add(x)
    np.testing.assert_array_equal(y, np.repeat(y[..., :1], 3, axis=2))


@pytest.mark.parametrize("photons", SEVERITIES[1:])
def test_mean_and_variance(noise_field, photons):
    x = np.full(300_000, 0.3, np.float64)
    y = noise_field(x, Poisson(photons), clip=False).add(x)
    assert abs(y.mean() - 0.3) < 5 * (0.3 / photons / x.size) ** 0.5
    assert y.var() == pytest.approx(0.3 / photons, rel=0.03)


@pytest.mark.parametrize(("dtype", "value"), [("int16", -1), ("float32", -1e-3), ("float64", 1.5)])
def test_what_counts_no_photons_is_refused(noise_field, dtype, value):
    x = np.full(100, 0, dtype)
    x[50] = value
    with pytest.raises(FileFailed, match=f"a sample {value:g}, outside"):
        noise_field(x, Poisson(60.0)).add(x)


def test_twelve_bits_in_sixteen(noise_field):
    x = np.full(100_000, 4095, np.uint16)
    field = noise_field(x, Poisson(5.0), high=4095)
    field = type(field)(field_parameters(x), 5.0)
    y = field.add(x)
    assert set(np.unique(y)) == {0, 819, 1638, 2457, 3276, 4095}
    x[0] = 4096
    with pytest.raises(FileFailed, match=r"outside 0\.\.4095"):
        field.add(x)


def field_parameters(x):
    from noisecli.model import SampleSpec
    from noisecli.noise.draw import Draw
    from noisecli.noise.models import NoiseParameters

    spec = SampleSpec(x.dtype.name, x.shape, 4095.0, 0.0, 4095.0)
    return NoiseParameters(bytes(16), spec, Draw(applied=True, std=0.0, mean=0.0))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_what_is_no_number_stays(noise_field, dtype):
    x = np.full(30_000, 0.5, dtype)
    x[::7], x[1::7], x[2::7] = np.nan, np.inf, -np.inf
    y = noise_field(x, Poisson(25.0)).add(x)
    bad = ~np.isfinite(x)
    np.testing.assert_array_equal(y[bad], x[bad])
    assert np.isfinite(y[~bad]).all()


def test_missing_samples_and_alpha_stay(noise_field):
    x = ramp("int16", (100, 100, 4))
    x[::3] = -9999
    y = noise_field(x, Poisson(25.0), nodata=-9999.0, noisy_channels=3, low=0).add(x)
    np.testing.assert_array_equal(y[::3], x[::3])
    np.testing.assert_array_equal(y[..., 3], x[..., 3])
