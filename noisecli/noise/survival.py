"""What a lossy format keeps of the noise that was added."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noisecli.noise.measure import round_significant

AnyArray = NDArray[Any]

_SAMPLES = 1 << 19
"""Samples compared at once."""


def survival(triples: Iterable[tuple[AnyArray, AnyArray, AnyArray]]) -> dict[str, float] | None:
    """Compare the noise read back from disk with the noise that was added.

    Parameters
    ----------
    triples
        Blocks of (clean, noisy, decoded) samples, each three of one shape.

    Returns
    -------
    dict or None
        `std`: std(decoded - clean) / std(noisy - clean). `correlated`: cov(decoded - clean, noisy - clean) /
        var(noisy - clean), the share that is still the noise asked for and not the codec's own error. None where
        no noise was added, or the decoded samples are of another shape.
    """
    count = 0
    sums = np.zeros(5)
    for clean, noisy, decoded in triples:
        if not clean.shape == noisy.shape == decoded.shape:
            return None
        count += clean.size
        # in doubles a whole image would take many times its own bytes
        rows = max(1, _SAMPLES * len(clean) // max(clean.size, 1))
        for start in range(0, len(clean), rows):
            end = start + rows
            added = np.subtract(noisy[start:end], clean[start:end], dtype=np.float64).ravel()
            kept = np.subtract(decoded[start:end], clean[start:end], dtype=np.float64).ravel()
            sums += added.sum(), kept.sum(), np.dot(added, added), np.dot(kept, kept), np.dot(added, kept)
    if not count:
        return None
    mean_added, mean_kept, *squares = (float(value) / count for value in sums)
    variance = squares[0] - mean_added**2
    if variance <= 0:
        return None
    std = math.sqrt(max(squares[1] - mean_kept**2, 0.0) / variance)
    correlated = (squares[2] - mean_added * mean_kept) / variance
    return {"std": round_significant(std, 6), "correlated": round_significant(correlated, 6)}
