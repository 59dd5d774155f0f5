"""Short ways to noise arrays, with OpenCV's array operations and without them."""

import sys

import cv2  # noqa: F401  (its array operations serve once it is loaded)
import numpy as np
import pytest

from noisecli.keys import stream_key
from noisecli.model import SampleSpec
from noisecli.noise import models
from noisecli.noise.draw import Draw
from noisecli.noise.models.gaussian import NoiseField
from noisecli.noise.stream import Streams


def make_streams(number=0):
    return Streams(stream_key(number, b"a.png", "std:0.1..0.1", 1))


def make_spec(x, low=None, high=None, **more):
    """Return what the samples of an array mean: integers fill their dtype, floats lie between 0 and 1."""
    if x.dtype.kind == "f":
        limits, full_scale = (0.0, 1.0), 1.0
    else:
        limits = (int(np.iinfo(x.dtype).min), int(np.iinfo(x.dtype).max))
        full_scale = limits[1]
    low, high = limits[0] if low is None else low, limits[1] if high is None else high
    return SampleSpec(x.dtype.name, x.shape, full_scale, low, high, **more)


def make_field(x, std, mean=0.0, number=0, clip=True, shared_channels=False, **more):
    spec = make_spec(x, **more)
    return NoiseField(make_streams(number), spec, std, mean, clip=clip, shared_channels=shared_channels)


def make_noise(x, noise, std=0.0, mean=0.0, number=0, clip=True, shared_channels=False, **more):
    """Return the field of any noise."""
    key = stream_key(number, b"a.png", noise.word, 1)
    drawn = Draw(applied=True, std=std, mean=mean, noise=noise)
    parameters = models.NoiseParameters(key, make_spec(x, **more), drawn, clip=clip, shared_channels=shared_channels)
    return models.field_of(noise.word, parameters)


@pytest.fixture(scope="session")
def noise_field():
    return make_noise


@pytest.fixture(scope="session")
def streams():
    return make_streams


@pytest.fixture(scope="session")
def spec_of():
    return make_spec


@pytest.fixture(scope="session")
def field_of():
    return make_field


@pytest.fixture(scope="session")
def add_noise():
    """Return a function: the array with noise, in one block."""
    return lambda x, std, mean=0.0, **more: make_field(x, std, mean, **more).add(x)


@pytest.fixture
def without_opencv(monkeypatch):
    monkeypatch.delitem(sys.modules, "cv2")


@pytest.fixture(params=["opencv", "numpy"])
def operations(request):
    """Run a test twice: with OpenCV's array operations, and as a process that has not loaded it."""
    if request.param == "numpy":
        request.getfixturevalue("without_opencv")
    return request.param
