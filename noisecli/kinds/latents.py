"""Files of pure noise: they have no sources."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from noisecli.keys import stream_key
from noisecli.kinds.record import Kind, tuples
from noisecli.levels import BadLevel, parse_level
from noisecli.model import Task
from noisecli.settings import Settings, own_settings

ITEM_BYTES = {"float16": 2, "float32": 4, "float64": 8}
_DIGITS = 5
_NAME = re.compile(r"latents-(\d{5,15})\.npy\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class LatentsSettings:
    """Which latents.

    Attributes
    ----------
    shape
        Of one latent.
    count
        How many in all.
    per_file
        How many in one file.
    """

    shape: tuple[int, ...]
    count: int
    per_file: int
    dtype: str = "float32"

    def fingerprint_fields(self) -> dict[str, Any]:
        """Shape and type alone: how many there are, in which files, moves no value."""
        return {"latents": {"shape": self.shape, "dtype": self.dtype}}

    @classmethod
    def of(cls, recorded: Mapping[str, Any]) -> Self | None:
        """Return the settings that fingerprint_fields() gave, of no latents."""
        own = recorded.get("latents")
        return None if own is None else cls(count=0, per_file=0, **tuples(own))

    @property
    def item_bytes(self) -> int:
        """Bytes of one latent."""
        return math.prod(self.shape) * ITEM_BYTES[self.dtype]


class LatentsPlan:
    """Names and orders every file of a request; see noisecli.run.plan.Plan."""

    def __init__(self, settings: Settings, found: object) -> None:
        self._settings, self._latents = settings, own_settings(settings, LatentsSettings)
        self._count = -(-self._latents.count // self._latents.per_file)
        self._width = max(_DIGITS, len(str(self._count - 1)))

    def __len__(self) -> int:
        return self._count

    def tasks(self) -> Iterator[Task]:
        """Yield all tasks in order."""
        wanted, level = self._latents, self._settings.noise.levels[0]
        key = latents_key(self._settings.noise.seed, wanted, level.canonical)
        for number in range(self._count):
            first = number * wanted.per_file
            span = (first, min(wanted.per_file, wanted.count - first))
            size = span[1] * wanted.item_bytes
            yield Task("", self._name(number), None, level, 1, key, size, span=span)

    def outputs(self) -> Iterator[str]:
        """Yield the names of all files."""
        return map(self._name, range(self._count))

    def _name(self, number: int) -> str:
        return f"latents-{number:0{self._width}}.npy"

    def wants(self, output: str) -> bool:
        """Whether a file is one of this request."""
        match = _NAME.match(output)
        return match is not None and int(match[1]) < self._count and output == self._name(int(match[1]))


def proves_latents(row: Mapping[str, Any], kind: str, settings: dict[str, Any]) -> bool:
    """Whether a row has the name and the key of a file of latents; `settings` is what run.json spells out."""
    spelled = settings.get(str(row.get("settings"))) or {}
    shape = (spelled.get("latents") or {}).get("shape")
    name, label = row.get("file_name"), str(row.get("level"))
    if not isinstance(name, str) or not _NAME.match(name) or not isinstance(shape, list):
        return False
    try:
        level = parse_level(label.removeprefix("std="), "std", None, "", 0.0)
    except BadLevel:
        return False
    latents = LatentsSettings(tuple(shape), count=0, per_file=0)
    return latents_key(spelled.get("seed", 0), latents, level.canonical).hex() == row.get("key")


def latents_key(seed: int, latents: LatentsSettings, level: str) -> bytes:
    """Return the key of all latents of a request: the same for any count, files and type."""
    return stream_key(seed, f"latents {latents.shape}".encode(), level, 1)


LATENTS = Kind(
    name="latents",
    summary="Pure noise, inputs for a generator.",
    noun="file of latents",
    nouns="files of latents",
    formats={},
    codec="noisecli.codecs.arrays",
    maker="noisecli.workers.latents:LatentsMaker",
    plan="noisecli.kinds.latents:LatentsPlan",
    prover="noisecli.kinds.latents:proves_latents",
    has_sources=False,
    keeps_format=True,
    own=LatentsSettings,
)
