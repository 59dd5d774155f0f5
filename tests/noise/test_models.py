"""What every noise of the table promises, whatever it does to a sample."""

import numpy as np
import pytest

from noisecli.model import Level
from noisecli.noise.draw import Draw
from noisecli.noise.models import MODELS, NoiseParameters, field_of
from noisecli.noise.moments import Columns

KEY = bytes(range(16))
ROWS, COLUMNS = 20_011, 7
CASES = [(noise, None) for noise in MODELS] + [(noise, COLUMNS) for noise, model in MODELS.items() if model.per_column]


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0]}{', per column' if case[1] else ''}")
def make(request, spec_of):
    """Return a function: the noise of an array of some dtype, for a level of 5% of its full scale."""
    noise, columns = request.param

    def field(x, key=KEY):
        spec = spec_of(x)
        std = spec.full_scale / 20
        stds = np.linspace(0.5, 1.5, columns) * std if columns else None
        drawn = Draw(applied=True, std=std, mean=0.0)
        return field_of(noise, NoiseParameters(key, spec, drawn, columns=Columns(COLUMNS, 1), column_stds=stds))

    return field


@pytest.fixture(params=["uint8", "int16", "int32", "float32", "float64"])
def x(request):
    """Return samples in the middle of their range, one dimension, of which none reaches an end of it."""
    middle = {"uint8": 128, "float32": 0.5, "float64": 0.5}.get(request.param, np.iinfo("int16").max // 2)
    return np.full(ROWS * COLUMNS, middle, request.param)


def test_blocks_do_not_show(make, x):
    whole, parts = make(x), make(x)
    expected = whole.add(x)
    cuts = [1, 8, 4097, 65_536, 65_537, 131_072]
    assert np.array_equal(np.concatenate([parts.add(block) for block in np.split(x, cuts)]), expected)
    assert (parts.measure.count, parts.measure.clipped) == (whole.measure.count, whole.measure.clipped)
    assert parts.measure.std == pytest.approx(whole.measure.std, rel=1e-9)


def test_samples_stay_what_they_are_and_the_source_stays_whole(make, x):
    before = x.copy()
    noisy = make(x).add(x)
    assert (noisy.dtype, noisy.shape) == (x.dtype, x.shape)
    assert np.array_equal(x, before)
    assert (noisy != x).mean() > 0.5


def test_what_is_measured_is_what_was_done(make, x):
    field = make(x)
    added = field.add(x).astype(np.float64) - x.astype(np.float64)
    assert field.measure.count == x.size
    assert field.measure.std == pytest.approx(added.std(), rel=1e-6)


def test_the_key_alone_makes_the_noise(make, x):
    first = make(x).add(x)
    assert np.array_equal(make(x).add(x), first)
    other = make(x, bytes(16)).add(x)
    assert abs(np.corrcoef(first - x.astype(np.float64), other - x.astype(np.float64))[0, 1]) < 0.02


def test_no_two_noises_of_one_strength_share_a_key():
    levels = [Level("std", 0.1, 0.1, "10%", noise=noise) for noise in [*MODELS, "another"]]
    assert len({level.canonical for level in levels}) == len(levels)
    assert Level("std", 0.1, 0.1, "10%").canonical == "std:0.1..0.1"
