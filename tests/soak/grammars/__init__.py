"""Grammars of structured inputs: nearly valid files whose fields lie, each the same for the same random generator."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import NamedTuple

from grammars import audio, bmp, jpeg, keras, npy, npz, png, pnm, safetensors, tiff

Made = tuple[str, bytes]
"""The suffix of a file and its content."""


class Grammar(NamedTuple):
    """A way to make files.

    Attributes
    ----------
    kinds
        The commands that read them, by turns.
    make
        Returns one file; everything random comes from its argument.
    needs
        Packages that making or reading them takes.
    """

    kinds: tuple[str, ...]
    make: Callable[[random.Random], Made]
    needs: tuple[str, ...] = ()


GRAMMARS = {
    "npy": Grammar(("arrays",), npy.make),
    "npz": Grammar(("arrays", "arrays", "weights"), npz.make),
    "png": Grammar(("images",), png.make),
    "pnm": Grammar(("images",), pnm.make),
    "jpeg": Grammar(("images",), jpeg.make),
    "tiff": Grammar(("images",), tiff.make),
    "bmp": Grammar(("images",), bmp.make),
    "keras": Grammar(("weights", "adversarial"), keras.make, ("h5py",)),
    "safetensors": Grammar(("weights",), safetensors.make),
    "audio": Grammar(("audio",), audio.make),
}


def made(name: str, number: int, seed: int) -> tuple[str, Made]:
    """Return the kind that an input is for, and the input: the same for the same three."""
    grammar = GRAMMARS[name]
    kind = grammar.kinds[number % len(grammar.kinds)]
    return kind, grammar.make(random.Random(f"{seed} {name} {number}"))
