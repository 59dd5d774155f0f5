"""Files of pure noise: they have no sources."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple, Self

from noisecli.kinds.record import Kind, tuples

ITEM_BYTES = {"float16": 2, "float32": 4, "float64": 8}


class LatentsSettings(NamedTuple):
    """Which latents.

    Attributes
    ----------
    shape
        Of one latent.
    number
        How many in all.
    per_file
        How many in one file.
    """

    shape: tuple[int, ...]
    number: int
    per_file: int
    dtype: str = "float32"

    def fingerprint_fields(self) -> dict[str, Any]:
        """Shape and type alone: how many there are, in which files, moves no value."""
        return {"latents": {"shape": self.shape, "dtype": self.dtype}}

    @classmethod
    def of(cls, recorded: Mapping[str, Any]) -> Self | None:
        """Return the settings that fingerprint_fields() gave, of no latents."""
        own = recorded.get("latents")
        return None if own is None else cls(number=0, per_file=0, **tuples(own))

    @property
    def item_bytes(self) -> int:
        """Bytes of one latent."""
        return math.prod(self.shape) * ITEM_BYTES[self.dtype]


LATENTS = Kind(
    name="latents",
    summary="Pure noise, inputs for a generator.",
    noun="file of latents",
    nouns="files of latents",
    formats={},
    codec="noisecli.codecs.arrays",
    maker="noisecli.workers.latents:LatentsMaker",
    plan="noisecli.kinds.latents.plan:LatentsPlan",
    prover="noisecli.kinds.latents.plan:proves_latents",
    has_sources=False,
    keeps_format=True,
    own=LatentsSettings,
)
