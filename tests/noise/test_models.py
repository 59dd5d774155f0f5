"""What every noise of the table promises, whatever it does to a sample."""

import json
import subprocess
import sys

import numpy as np
import pytest

from noisecli.model import Level
from noisecli.noise.draw import Draw
from noisecli.noise.models import MODELS, Gaussian, NoiseParameters, field_of, noise_of_row
from noisecli.noise.models.coloured import COLORS, Coloured
from noisecli.noise.models.impulse import Impulse
from noisecli.noise.models.poisson import Poisson
from noisecli.noise.models.signal_dependent import CAMERAS, OfCamera, SignalDependent, Spans, SpeckleOnly
from noisecli.noise.moments import Columns

KEY = bytes(range(16))
ROWS, COLUMNS = 20_011, 7
NOISES = [
    Gaussian(),
    SignalDependent(0.004, 0.1),
    SignalDependent(0.004, 0.1, linear=True),
    Poisson(60.0),
    Impulse(0.6),
    *COLORS.values(),
    Coloured(-4.5),
]
CASES = [(noise, None) for noise in NOISES]
CASES += [(Gaussian(), COLUMNS)]


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0].word}{case[0].entries()}{', per column' if case[1] else ''}")
def make(request, spec_of):
    """Return a function: the noise of an array of some dtype, for a level of 5% of its full scale."""
    noise, columns = request.param

    def field(x, key=KEY):
        spec = spec_of(x, sample_rate=100 if isinstance(noise, Coloured) else None)
        std = spec.full_scale / 20
        stds = np.linspace(0.5, 1.5, columns) * std if columns else None
        drawn = Draw(applied=True, std=std, mean=0.0, noise=noise)
        return field_of(noise.word, NoiseParameters(key, spec, drawn, columns=Columns(COLUMNS, 1), column_stds=stds))

    return field


@pytest.fixture(params=["uint8", "int16", "int32", "float32", "float64"])
def x(request):
    """Return samples in the middle of their range, one dimension, of which none reaches an end of it."""
    middle = {"uint8": 128, "int32": 1 << 30, "float32": 0.5, "float64": 0.5}.get(request.param, 1 << 14)
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
    assert abs(np.corrcoef(first - x.astype(np.float64), other - x.astype(np.float64))[0, 1]) < 0.05


def test_every_noise_of_the_table_is_tested():
    assert {noise.word for noise, _ in CASES} == set(MODELS)
    assert {noise.word for noise, columns in CASES if columns} == {word for word in MODELS if MODELS[word].per_column}


@pytest.mark.parametrize("noise", NOISES, ids=str)
def test_a_row_has_the_parameters(noise):
    row = json.loads(json.dumps({"noise": noise.word, "std": 1.0, **noise.entries()}))
    assert noise_of_row(row) == noise


@pytest.mark.parametrize(
    "row",
    [
        {"noise": "poisson", "photons": -1.0},
        {"noise": "poisson", "photons": True},
        {"noise": "poisson", "photons": 1e9},
        {"noise": "impulse", "amount": 1.5},
        {"noise": "impulse", "amount": float("nan")},
        {"noise": "gaussian-signal-dependent", "shot": "0.1", "speckle": 0.0, "linear": False},
        {"noise": "gaussian-signal-dependent", "shot": 0.1, "speckle": 0.0, "linear": 1},
        {"noise": "gaussian-slope", "slope": 6.1},
        {"noise": "gaussian-slope", "slope": float("nan")},
        {"noise": "gaussian-slope", "slope": True},
        {"noise": "gaussian-slope", "slope": "-3"},
        {
            "noise": "gaussian-signal-dependent",
            "shot": 0.1,
            "speckle": 0.0,
            "linear": False,
            "channel_std_fractions": [-1],
        },
    ],
)
def test_a_row_that_somebody_edited(row):
    with pytest.raises(ValueError, match=r"not a number from|linear"):
        noise_of_row(row)
    with pytest.raises(KeyError):
        noise_of_row({"noise": row["noise"]})


def test_records_are_light():
    pages = [model.page for word, model in MODELS.items() if word != "gaussian"]
    program = f"import sys, noisecli.noise.models, {', '.join(pages)}; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=600)
    assert done.stdout == "False\n"


def test_no_two_noises_of_one_strength_share_a_key():
    asked = [None, Spans(), Poisson(), Impulse(), SpeckleOnly(), *map(OfCamera, CAMERAS), *COLORS.values()]
    asked += [Coloured(-4.5), Coloured(4.5)]
    levels = [Level("std", 0.1, 0.1, "10%", asked=each) for each in asked]
    assert {level.noise for level in levels} == set(MODELS)
    assert len({level.canonical for level in levels}) == len(levels)
    assert Level("std", 0.1, 0.1, "10%").canonical == "std:0.1..0.1"
