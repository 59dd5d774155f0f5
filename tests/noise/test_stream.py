"""No two outputs share a stream, and no stream repeats itself."""

import itertools

import numpy as np
import pytest

from noisecli.keys import stream_key
from noisecli.noise.stream import RawBits, Streams

COUNT = 1 << 18
BASE = {"seed": 0, "path": b"a/b.png", "level": "std:0.1..0.1", "copy": 1}
OTHERS = [
    BASE,
    *[{**BASE, "seed": seed} for seed in (1, -1, 2**16, 2**32, 2**64, 2**200)],
    *[{**BASE, "path": path} for path in (b"a/c.png", b"a/b.pn", b"a/b.png1", b"", b"\xff")],
    *[{**BASE, "level": level} for level in ("std:0.1..0.2", "snr_db:0.1..0.1", "")],
    *[{**BASE, "copy": copy} for copy in (2, 3, 11)],
    {**BASE, "path": b"a/b.pngstd:0.1..0.1", "level": ""},
]


def centred(raw):
    return raw.astype(np.float64) - (2.0 ** (8 * raw.itemsize) - 1) / 2


def correlation(a, b):
    return float(np.dot(a, b) / (np.dot(a, a) * np.dot(b, b)) ** 0.5)


def test_every_part_of_the_name_matters():
    assert len({stream_key(**name) for name in OTHERS}) == len(OTHERS)
    assert all(len(stream_key(**name)) == 16 for name in OTHERS)
    assert stream_key(**BASE) == stream_key(**BASE)


def test_keys_of_many_files_differ():
    keys = {
        stream_key(seed, b"%d.png" % file, "std", copy) for seed in range(5) for file in range(4000) for copy in (1, 2)
    }
    assert len(keys) == 40_000


def test_streams_of_other_outputs_are_independent():
    bits = [centred(Streams(stream_key(**name)).slots.uint16(COUNT)) for name in OTHERS]
    for a, b in itertools.combinations(bits, 2):
        assert abs(correlation(a, b)) < 5 / COUNT**0.5


def test_rows_of_one_output_are_independent(streams):
    one = streams(61)
    rows = [
        centred(one.slots.uint16(COUNT)),
        centred(one.cells.uint8(COUNT)),
        centred(one.words.words(COUNT)),
        centred(one.draws.words(COUNT)),
    ]
    for a, b in itertools.combinations(rows, 2):
        assert abs(correlation(a, b)) < 5 / COUNT**0.5


@pytest.mark.parametrize(("dtype", "std"), [("int16", 25), ("int16", 2000), ("float32", 1), ("float64", 1)])
def test_no_lag_correlates(field_of, dtype, std):
    x = np.zeros(COUNT, dtype)
    n = field_of(x, std, clip=False, number=62).add(x).astype(np.float64)
    n -= n.mean()
    for signal in (n, np.abs(n) - np.abs(n).mean()):
        spectrum = np.fft.rfft(signal, 2 * COUNT)
        lags = np.fft.irfft(spectrum * spectrum.conj())[: COUNT // 2]
        r = lags[1:] / lags[0]
        # the largest of 131,071 chances lies near 4.9
        assert np.abs(r).max() < 6 / COUNT**0.5
        assert abs((r**2).sum() * COUNT / np.sum(1 - np.arange(1, COUNT // 2) / COUNT) - 1) < 5 * (2 / len(r)) ** 0.5


@pytest.mark.parametrize("dtype", ["int16", "float32"])
def test_channels_rows_and_columns_are_independent(field_of, dtype):
    x = np.zeros((400, 300, 3), dtype)
    n = field_of(x, 100 if dtype == "int16" else 1, clip=False, number=63).add(x).astype(np.float64)
    pairs = [(n[..., a], n[..., b]) for a, b in itertools.combinations(range(3), 2)]
    pairs += [(n[1:], n[:-1]), (n[:, 1:], n[:, :-1]), (n[..., 1:], n[..., :-1])]
    for a, b in pairs:
        assert abs(correlation(a.ravel(), b.ravel())) < 5 / a.size**0.5


def test_noise_of_other_outputs_is_independent(add_noise):
    x = np.zeros(COUNT, np.int16)
    noises = [add_noise(x, 25, number=number).astype(np.float64) for number in range(64, 70)]
    for a, b in itertools.combinations(noises, 2):
        assert abs(correlation(a, b)) < 5 / COUNT**0.5


def test_bytes_are_cut_from_words_little_end_first():
    words = RawBits(bytes(16), 0).words(100).astype("<u8").tobytes()
    for cut in ([800], [1, 7, 8, 9, 0, 16, 3, 756], [5] * 160):
        row = RawBits(bytes(16), 0)
        assert b"".join(row.uint8(count).tobytes() for count in cut) == words
    row = RawBits(bytes(16), 0)
    sixteen = np.concatenate([row.uint16(count) for count in (1, 4, 0, 3, 92, 300)])
    assert sixteen.astype("<u2").tobytes() == words


def test_uniform_numbers(streams):
    draws = streams(71)
    values = np.array([draws.uniform() for _ in range(20_000)])
    assert (values.min() >= 0, values.max() < 1) == (True, True)
    assert abs(values.mean() - 0.5) < 5 / (12 * 20_000) ** 0.5


def test_drawing_parameters_moves_no_noise(streams):
    plain, drawn = streams(72), streams(72)
    drawn.uniform()
    np.testing.assert_array_equal(plain.slots.uint16(100), drawn.slots.uint16(100))
