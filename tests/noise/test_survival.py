"""What is left of noise is measured in strips, with the sums of the whole."""

import tracemalloc

import numpy as np
import pytest

from noisecli.noise.survival import survival


def images(height, width, *channels):
    random = np.random.default_rng(4)
    clean = random.integers(0, 256, (height, width, *channels), dtype=np.uint8)
    noisy = np.clip(clean.astype(np.int16) + random.integers(-30, 30, clean.shape), 0, 255).astype(np.uint8)
    decoded = np.clip(noisy.astype(np.int16) + random.integers(-3, 3, clean.shape), 0, 255).astype(np.uint8)
    return clean, noisy, decoded


@pytest.mark.parametrize("shape", [(1, 1_100_000), (1500, 1201), (900, 700, 3), (3, 2, 4), (5, 0, 3)])
def test_strips_are_as_the_whole(shape):
    clean, noisy, decoded = images(*shape)
    whole = survival(iter([(clean, noisy, decoded)]))
    assert whole == survival(zip(clean, noisy, decoded, strict=True))
    if not clean.size:
        assert whole is None
        return
    added, kept = (each.astype(np.float64) - clean for each in (noisy, decoded))
    assert whole["std"] == pytest.approx(kept.std() / added.std(), rel=1e-5)


def test_memory():
    """As doubles a picture and its sums would take sixteen times its bytes."""
    triple = images(1300, 1300, 3)
    tracemalloc.start()
    try:
        survival(iter([triple]))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * triple[0].nbytes
