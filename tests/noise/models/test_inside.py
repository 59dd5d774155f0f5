"""Noise in a part of an image: there it is what it is without, elsewhere the samples stay; of any noise and type."""

import numpy as np
import pytest

from noisecli.model import SampleSpec
from noisecli.noise.draw import Draw
from noisecli.noise.measure import Measure
from noisecli.noise.models import Gaussian, NoiseParameters, field_of
from noisecli.noise.models.impulse import Impulse
from noisecli.noise.models.inside import InsideField
from noisecli.noise.models.poisson import Poisson
from noisecli.noise.models.signal_dependent import SignalDependent

KEY = bytes(range(16))
NOISES = {
    "gaussian": (Gaussian(), 0.1),
    "wide": (Gaussian(), 0.45),
    "shot": (SignalDependent(shot=0.01), 0.02),
    "speckle": (SignalDependent(speckle=0.3), 0.0),
    "linear": (SignalDependent(shot=0.01, linear=True), 0.05),
    "poisson": (Poisson(12.0), 0.0),
    "impulse": (Impulse(0.27), 0.0),
}
SCALES = {"uint8": 255.0, "uint16": 65535.0, "float32": 1.0, "float64": 1.0}


def spec_of(dtype, shape, **more):
    return SampleSpec(dtype, shape, SCALES[dtype], 0.0, SCALES[dtype], **more)


def picture(dtype, shape, seed=1):
    values = np.random.default_rng(seed).uniform(0, 1, shape)
    return np.rint(values * SCALES[dtype]).astype(dtype) if dtype.startswith("u") else values.astype(dtype)


def parameters(noise, std, spec, *, shared=False):
    return NoiseParameters(KEY, spec, Draw(True, std * spec.full_scale, 0.0, noise), shared_channels=shared)


def blob(height, width):
    y, x = np.mgrid[:height, :width]
    return (x - width / 2) ** 2 + (y - height / 3) ** 2 < (min(height, width) / 3) ** 2


@pytest.mark.parametrize("word", NOISES)
@pytest.mark.parametrize("dtype", SCALES)
@pytest.mark.parametrize("channels", [(), (3,)])
@pytest.mark.parametrize("shared", [False, True])
def test_the_noise_inside_is_that_of_the_whole_image(word, dtype, channels, shared):
    noise, std = NOISES[word]
    shape = (61, 47, *channels)
    x, spec, inside = picture(dtype, shape), spec_of(dtype, shape), blob(61, 47)
    made = parameters(noise, std, spec, shared=shared)
    whole = field_of(noise.word, made).add(x)
    field = InsideField(field_of(noise.word, made), inside)
    part = field.add(x)
    assert part.dtype == x.dtype
    assert (part[~inside] == x[~inside]).all()
    assert (part[inside] == whole[inside]).all()
    assert (part[inside] != x[inside]).any()
    again = Measure()
    again.note(x[inside].reshape(-1), part[inside].reshape(-1), 0)
    assert (field.measure.count, field.measure.not_finite) == (again.count, 0)
    assert field.measure.std == pytest.approx(again.std, rel=1e-6)
    assert field.measure.snr_db == pytest.approx(again.snr_db, rel=1e-6)


def test_a_mask_that_is_longer_than_a_piece_and_several_frames():
    shape = (1100, 700)
    x, spec, inside = picture("uint8", shape), spec_of("uint8", (2, *shape)), blob(*shape)
    made = parameters(Gaussian(), 0.1, spec)
    whole, field = field_of("gaussian", made), InsideField(field_of("gaussian", made), inside)
    for _ in range(2):
        everywhere, part = whole.add(x), field.add(x)
        assert (part == np.where(inside, everywhere, x)).all()
    assert field.measure.count == 2 * np.count_nonzero(inside)


def test_only_clipped_samples_inside_are_counted():
    x = np.zeros((40, 50, 3), np.uint8)
    inside = np.zeros((40, 50), np.bool_)
    inside[5:15, 10:20] = True
    spec = spec_of("uint8", x.shape)
    field = InsideField(field_of("gaussian", parameters(Gaussian(), 0.2, spec)), inside)
    noisy = field.add(x)
    assert field.measure.count == 300
    # about half of what is added to black is cut away
    assert 0.35 < field.measure.clipped_fraction < 0.65
    assert np.count_nonzero(noisy[inside] == 0) >= field.measure.clipped


def test_alpha_and_missing_samples_inside_stay():
    shape = (30, 40, 4)
    x, inside = picture("uint16", shape), blob(30, 40)
    x[::3, ::4, 0] = 9999
    spec = spec_of("uint16", shape, noisy_channels=3, nodata=9999.0)
    field = InsideField(field_of("gaussian", parameters(Gaussian(), 0.1, spec)), inside)
    noisy = field.add(x)
    assert (noisy[..., 3] == x[..., 3]).all()
    assert ((noisy[..., 0] == 9999) == (x[..., 0] == 9999)).all()
    assert (noisy[~inside] == x[~inside]).all()
    assert field.measure.not_finite == np.count_nonzero(x[inside][:, :3] == 9999)
    assert field.measure.count == 3 * np.count_nonzero(inside)


def test_an_empty_part_changes_nothing():
    x = picture("uint8", (20, 20))
    field = InsideField(
        field_of("gaussian", parameters(Gaussian(), 0.1, spec_of("uint8", x.shape))), np.zeros((20, 20), np.bool_)
    )
    assert (field.add(x) == x).all()
    assert (field.measure.count, field.measure.changed, field.measure.std) == (0, 0, 0.0)
