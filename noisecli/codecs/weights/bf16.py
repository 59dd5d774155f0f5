"""Floating point as it is stored, and as noise is added to it: BF16 is widened to float32, and rounded once."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noisecli.errors import FileFailed, shown
from noisecli.model import SampleSpec

AnyArray = NDArray[Any]

BF16 = "BF16"
"""The upper half of a float32: 8 bits of exponent, 7 of fraction. numpy has no such type."""

BLOCK_SAMPLES = 1 << 17
"""Samples in a block: 512 kB of float32, which fit the cache beside their noise."""

_BLOCKS = {"f2": "float16", "f4": "float32", "f8": "float64", BF16: "float32"}
_LOWER_HALF = np.uint32(0x7FFF)
_FRACTION = np.uint16(0x007F)
_QUIET = np.uint16(0x0040)


def raw_dtype(stored: str) -> np.dtype[Any]:
    """Return the numpy type that holds a stored number's bits."""
    return np.dtype("<u2" if stored == BF16 else stored)


def describe(stored: str, shape: tuple[int, ...]) -> SampleSpec | None:
    """Return what the blocks of a stored type are; None unless it is floating point of 16, 32 or 64 bits.

    The type is BF16, or numpy's word with the byte order in front: "<f4".
    """
    dtype = _BLOCKS.get(stored.lstrip("<>="))
    return SampleSpec(dtype, shape, 1.0, -math.inf, math.inf) if dtype else None


def require_stored(part: object, own: SampleSpec | None, spec: SampleSpec) -> None:
    """Raise FileFailed where other samples than the tensor's own are to be written."""
    if own is None or spec.dtype != own.dtype:
        raise FileFailed("no-encoder", f"{shown(part)} keeps its type; omit --dtype")


class RoundsToBF16:
    """What tensors of BF16 add to others; see noisecli.codecs.Rounding."""

    def rounded(self, block: AnyArray) -> AnyArray:
        return widen(narrow(block, BF16), BF16)


def widen(raw: AnyArray, stored: str) -> AnyArray:
    """Return stored numbers, one dimension of raw_dtype(stored), as floats of this machine, exactly."""
    if stored == BF16:
        return (raw.astype(np.uint32) << np.uint32(16)).view(np.float32)
    return raw.astype(_BLOCKS[stored.lstrip("<>=")], copy=False)


def narrow(block: AnyArray, stored: str) -> AnyArray:
    """Return floats as a file holds them; BF16 is rounded to nearest, ties to even. NaN and infinities stay."""
    return _round_to_bf16(block) if stored == BF16 else block.astype(stored, copy=False)


def _round_to_bf16(block: AnyArray) -> NDArray[np.uint16]:
    """Return the bits of the nearest BF16 of each float32."""
    bits = np.ascontiguousarray(block, "<f4").view("<u4")
    rounded = bits >> np.uint32(16)
    rounded &= np.uint32(1)
    rounded += _LOWER_HALF
    rounded += bits
    upper: NDArray[np.uint16] = rounded.view("<u2")[1::2].copy()
    nan = np.flatnonzero(np.isnan(block))
    if nan.size:
        # the lower half of a NaN may be all there is of it: it must not become an infinity
        kept = bits.view("<u2")[1::2][nan]
        upper[nan] = np.where(kept & _FRACTION, kept, kept | _QUIET)
    return upper
