"""Raw bits: where noise comes from.

numpy promises the raw output of its bit generators for good, not what Generator makes of it. So only raw bits are
taken, read little-endian, and all arithmetic on them is ours. The generator's state is a digest of the output's key: as
good as numpy's SeedSequence, which takes four times as long: much of the time of a small file.
"""

from functools import cached_property
from hashlib import blake2b
from typing import Any, cast

import numpy as np
from numpy.random.bit_generator import ISeedSequence
from numpy.typing import NDArray

_NOTHING = np.empty(0, np.uint8)
_PARAMETERS, _MORE_WORDS = 4, 5
"""Purposes of rows of bits, after the first four of Streams."""


class _Seed(ISeedSequence):
    """Three words that become the state of an SFC64."""

    def __init__(self, key: bytes, purpose: int) -> None:
        digest = blake2b(key, digest_size=24, person=b"noisecli-bits", salt=bytes([purpose])).digest()
        self._words = np.frombuffer(digest, "<u8").astype(np.uint64)

    def generate_state(self, n_words: int, dtype: Any = np.uint64) -> NDArray[np.uint64]:
        """Return the state; SFC64 asks for three 64-bit words."""
        return self._words


class RawBits:
    """An endless row of bits that is cut into samples, the same for every block size."""

    def __init__(self, key: bytes, purpose: int) -> None:
        self._seed = key, purpose
        self._rest = _NOTHING

    @cached_property
    def _generator(self) -> np.random.SFC64:
        return np.random.SFC64(cast(Any, _Seed(*self._seed)))

    def words(self, count: int) -> NDArray[np.uint64]:
        """Return `count` 64-bit words."""
        raw: NDArray[np.uint64] = self._generator.random_raw(count)
        return raw

    def uint8(self, count: int) -> NDArray[np.uint8]:
        """Return `count` bytes, continuing inside a word where the last call stopped."""
        missing = count - len(self._rest)
        fresh = self.words((missing + 7) // 8).astype("<u8", copy=False).view(np.uint8) if missing > 0 else self._rest
        if missing > 0 and len(self._rest):
            fresh = np.concatenate([self._rest, fresh])
        self._rest = fresh[count:].copy()
        return fresh[:count]

    def uint16(self, count: int) -> NDArray[np.uint16]:
        """Return `count` 16-bit numbers. Not to be mixed with uint8 on one stream."""
        return self.uint8(2 * count).view("<u2").astype(np.uint16, copy=False)


class Streams:
    """The independent rows of bits behind one output.

    Attributes
    ----------
    slots
        16 bits a sample: which of 65,536 equally likely slots of the normal distribution.
    cells
        8 bits a sample: where inside the slot, for floats.
    words
        64 bits a sample that needs them, in sample order.
    more_words
        The same for a second number of a sample.
    draws
        For parameters: whether the output gets noise, and how much.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.more_words = RawBits(key, _MORE_WORDS)
        self.slots, self.cells, self.words, self.draws = (RawBits(key, purpose) for purpose in range(4))

    def uniform(self) -> float:
        """Draw one number from [0, 1), 53 bits."""
        return int(self.draws.words(1)[0] >> np.uint64(11)) * 2.0**-53

    def number(self, place: int) -> float:
        """Return the output's own number from [0, 1) for a parameter of its noise, 53 bits; the same at every call."""
        return int(RawBits(self._key, _PARAMETERS).words(place + 1)[place] >> np.uint64(11)) * 2.0**-53
