"""Pictures and sounds with something in them: smooth, so that lossy formats keep them, and different everywhere."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def picture(choose: random.Random, channels: int, most: int, *, widest: int = 40) -> Array:
    """Return integers 0..most of shape (h, w, channels): ramps, with the ends of the scale in them."""
    height, width = choose.randrange(2, 30), choose.randrange(2, widest)
    rows, columns = np.mgrid[0:height, 0:width]
    planes = []
    for _ in range(channels):
        down, across, start = choose.random(), choose.random(), choose.random()
        share = np.abs((start + down * rows / height + across * columns / width) % 2 - 1)
        plane = np.round(share * most).astype(np.int64)
        plane[0, 0], plane[-1, -1] = 0, most
        planes.append(plane)
    return np.stack(planes, axis=-1)


def sound(choose: random.Random, channels: int, most: int) -> Array:
    """Return integers -most-1..most of shape (frames, channels)."""
    frames = choose.choice((1, 2, 3, 64, 777, 4_000))
    times = np.arange(frames)[:, None]
    rates = np.array([choose.uniform(0.001, 0.05) for _ in range(channels)])
    samples = np.round(np.sin(times * rates * 6.28 + np.arange(channels)) * most * 0.8).astype(np.int64)
    if frames > 3:
        samples[1, :], samples[2, :] = most, -most - 1
    return samples
