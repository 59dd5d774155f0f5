"""Numbers as people read them, in what a run reports."""

import pytest

from noisecli.cli.messages.warnings import MEANINGS
from noisecli.cli.messages.words import count, duration, figure, size
from noisecli.words import Warn


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (1000, "1.0 kB"), (9_949, "9.9 kB"), (9_951, "10 kB"),
        (812_400, "812 kB"), (999_499, "999 kB"), (999_600, "1.0 MB"), (37_100_000, "37 MB"), (1.5e12, "1.5 TB"),
        (3e15, "3,000 TB"),
    ],
)  # fmt: skip
def test_size(number, words):
    assert size(int(number)) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "0.01 s"), (0.042, "0.04 s"), (2.14, "2.1 s"), (9.949, "9.9 s"), (9.96, "10 s"), (59.6, "1 min 0 s"),
        (200, "3 min 20 s"), (3599.9, "1 h 0 min"), (7500, "2 h 5 min"),
    ],
)  # fmt: skip
def test_duration(seconds, words):
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (24.43, "24.4"), (25, "25.0"), (9.996, "10.0"), (99.96, "100"), (0.010204, "0.0102"), (1234.5, "1,230"),
        (0, "0"), (3e-7, "3e-07"), (-2.5, "-2.50"),
    ],
)  # fmt: skip
def test_figure(value, words):
    assert figure(value) == words


def test_count():
    assert [count(number, "image") for number in (0, 1, 2000)] == ["0 images", "1 image", "2,000 images"]


def test_every_warning_is_explained():
    assert MEANINGS.keys() == set(Warn.__args__)
