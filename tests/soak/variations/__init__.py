"""Legal variations: files as a format allows them and few programs write them, with the samples they mean.

Whoever writes a file knows what is in it. Nothing here is broken: noisecli either keeps these samples, or names the
file and says why it leaves it alone.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from variations import bmp, jpeg, npz, ogg_flac, png, pnm, tiff, wav

Array = NDArray[Any]


class Varied(NamedTuple):
    """One file.

    Attributes
    ----------
    suffix, data
        The file.
    truth
        What it means. Images: the picture as viewers show it, (h, w) or (h, w, 3 or 4) in RGBA order, shares of full
        scale. Audio: (frames, channels), shares of full scale. Arrays: by name, as numpy reads them.
    told
        What is unusual about it.
    """

    suffix: str
    data: bytes
    truth: Any
    told: str


class Variation(NamedTuple):
    """A way to make files; everything random comes from its argument."""

    kind: str
    make: Callable[[random.Random], tuple[str, bytes, Any, str]]


VARIATIONS = {
    "bmp": Variation("images", bmp.make),
    "jpeg": Variation("images", jpeg.make),
    "png": Variation("images", png.make),
    "pnm": Variation("images", pnm.make),
    "tiff": Variation("images", tiff.make),
    "wav": Variation("audio", wav.make),
    "ogg and flac": Variation("audio", ogg_flac.make),
    "npz": Variation("arrays", npz.make),
}


def varied(name: str, number: int, seed: int) -> Varied:
    """Return one file: the same for the same three."""
    return Varied(*VARIATIONS[name].make(random.Random(f"{seed} {name} {number}")))


def generator(choose: random.Random) -> np.random.Generator:
    return np.random.default_rng(choose.getrandbits(63))
