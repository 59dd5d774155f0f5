"""The MD5 of all samples that a FLAC carries: libFLAC can compare it, libsndfile does not ask it to."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray


class SampleHash:
    """The hash of samples as they pass: little-endian, interleaved, in as few whole bytes as they need."""

    def __init__(self, bits: int) -> None:
        self._bytes = bits // 8
        self._md5 = hashlib.md5(usedforsecurity=False)

    def update(self, block: NDArray[Any]) -> None:
        """Take the next block, in native units."""
        if self._bytes != 3:
            self._md5.update(np.ascontiguousarray(block, f"<i{self._bytes}").data)
            return
        # a column at a time: 2 ns a sample, a copy of [:, :3] takes 14
        wide = np.ascontiguousarray(block, "<i4").reshape(-1).view(np.uint8).reshape(-1, 4)
        packed = np.empty((len(wide), 3), np.uint8)
        for column in range(3):
            packed[:, column] = wide[:, column]
        self._md5.update(packed.data)

    def digest(self) -> bytes:
        """Return the 16 bytes."""
        return self._md5.digest()
