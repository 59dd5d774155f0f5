"""Floating point as files hold it, and as noise is added to it: half precisions are widened, and rounded once."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noisecli.errors import FileFailed
from noisecli.model import SampleSpec

AnyArray = NDArray[Any]

BF16 = "BF16"
"""The upper half of a float32: 8 bits of exponent, 7 of fraction. numpy has no such type."""

BLOCK_SAMPLES = 1 << 19
"""Samples in a block: 2 MB of float32."""

_WIDENED = {"f2": "float32", "f4": "float32", "f8": "float64", BF16: "float32"}
_LARGEST_FLOAT16 = 65504.0
_LOWER_HALF = np.uint32(0x7FFF)
_QUIET = np.uint16(0x0040)
_INFINITE_BF16 = np.uint16(0x7F80)
_MAGNITUDE = np.uint16(0x7FFF)


def raw_dtype(stored: str) -> np.dtype[Any]:
    """Return the numpy type that holds a stored number's bits."""
    return np.dtype("<u2" if stored == BF16 else stored)


def describe(stored: str, shape: tuple[int, ...]) -> SampleSpec | None:
    """Return what the blocks of a stored type are; None for what is no floating point of 16, 32 or 64 bits.

    Parameters
    ----------
    stored
        BF16, or numpy's word with the byte order in front: "<f4".
    """
    dtype = _WIDENED.get(stored.lstrip("<>="))
    return SampleSpec(dtype, shape, 1.0, -math.inf, math.inf) if dtype else None


def require_stored(part: object, own: SampleSpec | None, spec: SampleSpec) -> None:
    """Raise FileFailed where other samples than the tensor's own are to be written."""
    if own is None or spec.dtype != own.dtype:
        raise FileFailed("no-encoder", f"{part} keeps its type; leave --dtype out")


def widen(raw: AnyArray, stored: str) -> AnyArray:
    """Return stored numbers as float32 or float64 of this machine, exactly.

    Parameters
    ----------
    raw
        One dimension, of raw_dtype(stored).
    """
    if stored == BF16:
        return (raw.astype(np.uint32) << np.uint32(16)).view(np.float32)
    return raw.astype(_WIDENED[stored.lstrip("<>=")], copy=False)


def narrow(block: AnyArray, stored: str) -> AnyArray:
    """Return float32 or float64 numbers as a file holds them, rounded to nearest, ties to even.

    NaN and infinities stay; a finite number that lies beyond what the type holds becomes the largest of it.
    """
    if stored == BF16:
        return _to_bf16(block).astype("<u2", copy=False)
    if raw_dtype(stored).itemsize == 2:
        return _to_float16(block).astype(stored, copy=False)
    return block.astype(stored, copy=False)


def _to_bf16(block: AnyArray) -> NDArray[np.uint16]:
    bits = np.ascontiguousarray(block, np.float32).view(np.uint32)
    upper: NDArray[np.uint16] = (bits >> np.uint32(16)).astype(np.uint16)
    rounded: NDArray[np.uint16] = ((bits + (_LOWER_HALF + (upper & np.uint16(1)))) >> np.uint32(16)).astype(np.uint16)
    finite = np.isfinite(block)
    rounded -= ((rounded & _MAGNITUDE) == _INFINITE_BF16) & finite
    if not finite.all():
        # the lower half of a NaN may be all there is of it: it must not become an infinity
        rounded = np.where(finite, rounded, np.where(np.isnan(block), upper | _QUIET, upper))
    return rounded


def _to_float16(block: AnyArray) -> NDArray[np.float16]:
    with np.errstate(over="ignore"):
        rounded: NDArray[np.float16] = block.astype(np.float16)
    beyond = np.flatnonzero(np.isinf(rounded) & np.isfinite(block))
    rounded[beyond] = np.copysign(np.float16(_LARGEST_FLOAT16), block[beyond])
    return rounded
