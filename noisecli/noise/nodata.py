"""Samples that were never measured have a value as their mark: no noise moves it, and no other sample takes it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

AnyArray = NDArray[Any]


def is_measured(x: AnyArray, mark: float) -> NDArray[np.bool_]:
    """Return which samples are no mark."""
    return np.asarray(x != x.dtype.type(mark))


def measured(x: AnyArray, mark: float | None) -> AnyArray:
    """Return the samples that are no mark, as one dimension where there may be any."""
    return x if mark is None else x[is_measured(x, mark)]


def avoid_mark(x: AnyArray, noisy: AnyArray, mark: float) -> None:
    """Move noisy samples off the mark, in place, by one step towards where they came from."""
    at = np.flatnonzero(~is_measured(noisy, mark))
    if not at.size:
        return
    value = noisy.dtype.type(mark)
    if noisy.dtype.kind == "f":
        noisy[at] = np.nextafter(value, x[at])
    else:
        noisy[at] = np.where(x[at] > value, noisy[at] + noisy.dtype.type(1), noisy[at] - noisy.dtype.type(1))
