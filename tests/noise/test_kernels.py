"""Tables change nothing: every slot and cell gives the k that the quantile of the whole word gives, at both ends."""

from types import SimpleNamespace

import numpy as np
import pytest

from noisecli.noise.kernels import integer_noise, wide_integer_noise
from noisecli.noise.quantile import normal_from_words

SLOTS = np.arange(65536, dtype=np.uint16)
NARROW = [(std, mean) for std in (0, 1e-9, 0.3, 1, 2.5, 25, 25.1, 120, 500, 2000) for mean in (0, 0.5, -3.3, 9999.9)]
WIDE = [(std, 0.0) for std in (2000.5, 3276.8, 6425, 12850, 13000, 30000, 65535, 200_000)]
WIDE += [(0.3, 12_000.5), (0.0, 40_000.0), (6425, -1000.5), (30000, 65535.0), (6553.6, 0.5)]


def rows(slots, cells, inside):
    """Streams that say what they are told to, and the same bits inside every slot."""
    return SimpleNamespace(
        slots=SimpleNamespace(uint16=lambda count: slots[:count]),
        cells=SimpleNamespace(uint8=lambda count: cells),
        words=SimpleNamespace(words=lambda count: np.full(count, inside, np.uint64)),
    )


def computed(words, std, mean):
    return np.rint(normal_from_words(words) * std + mean)


@pytest.mark.parametrize(("std", "mean"), NARROW)
@pytest.mark.parametrize("inside", [0, 2**64 - 1])
def test_slots(operations, std, mean, inside):
    k = integer_noise(rows(SLOTS, None, inside), SLOTS.size, std, mean)
    words = (SLOTS.astype(np.uint64) << np.uint64(48)) | np.uint64(inside >> 16)
    np.testing.assert_array_equal(k, computed(words, std, mean))


def check_cells(cell, std, mean, inside):
    cells = np.full(SLOTS.size, cell, np.uint8)
    k = wide_integer_noise(rows(SLOTS, cells, inside), SLOTS.size, std, mean)
    words = (SLOTS.astype(np.uint64) << np.uint64(48)) | np.uint64(cell << 40 | inside >> 24)
    np.testing.assert_array_equal(k, computed(words, std, mean))


@pytest.mark.parametrize(("std", "mean"), WIDE)
@pytest.mark.parametrize("inside", [0, 2**64 - 1])
def test_cells(operations, std, mean, inside):
    for cell in (0, 1, 100, 255):
        check_cells(cell, std, mean, inside)


@pytest.mark.slow
@pytest.mark.parametrize(("std", "mean"), [WIDE[0], WIDE[2], WIDE[5], WIDE[7]])
@pytest.mark.parametrize("inside", [0, 2**64 - 1])
def test_all_cells(std, mean, inside):
    for cell in range(256):
        check_cells(cell, std, mean, inside)


def test_few_cells_are_computed_again():
    """Speed rests on it: 3 samples of 100 at the std of 16-bit pictures at 25 of 255."""
    asked = []
    drawn = rows(SLOTS, np.full(SLOTS.size, 77, np.uint8), 0)
    drawn.words.words = lambda count: asked.append(count) or np.zeros(count, np.uint64)
    wide_integer_noise(drawn, SLOTS.size, 6425, 0.0)
    integer_noise(drawn, SLOTS.size, 25, 0.0)
    assert asked[0] < 0.03 * 65536
    assert asked[1] < 0.004 * 65536
