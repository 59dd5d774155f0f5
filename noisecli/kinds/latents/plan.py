"""The names and streams of latents, and whether a row has them."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from noisecli.keys import stream_key
from noisecli.kinds.latents import LatentsSettings
from noisecli.levels import BadLevel, parse_level
from noisecli.model import Task
from noisecli.settings import Settings, own_settings

_DIGITS = 5
_NAME = re.compile(r"latents-(\d{5,15})\.npy\Z", re.ASCII)


class LatentsPlan:
    """Names and orders every file of a request; see noisecli.run.plan.Plan."""

    tars = None

    def __init__(self, settings: Settings, found: object) -> None:
        self._settings, self._latents = settings, own_settings(settings, LatentsSettings)
        self._count = -(-self._latents.number // self._latents.per_file)
        self._width = max(_DIGITS, len(str(self._count - 1)))

    def __len__(self) -> int:
        return len(self._numbers(own=True))

    def tasks(self) -> Iterator[Task]:
        """Yield the run's tasks in order."""
        wanted, level = self._latents, self._settings.noise.levels[0]
        key = latents_key(self._settings.noise.seed, wanted, level.canonical)
        for number in self._numbers(own=True):
            first = number * wanted.per_file
            span = (first, min(wanted.per_file, wanted.number - first))
            size = span[1] * wanted.item_bytes
            yield Task("", self._name(number), None, level, 1, key, size, span=span)

    def outputs(self, *, own: bool = False) -> Iterator[str]:
        """Yield the names of all files; of a shard's `own` alone, or of the whole run."""
        return map(self._name, self._numbers(own=own))

    def count(self, files: Iterable[str]) -> int:
        """Count files of a source folder: there is none."""
        return 0

    def _numbers(self, *, own: bool) -> range:
        shard = self._settings.choice.shard
        return range(self._count) if shard is None or not own else range(shard.number - 1, self._count, shard.of)

    def _name(self, number: int) -> str:
        return f"latents-{number:0{self._width}}.npy"


def proves_latents(row: Mapping[str, Any], kind: str, settings: dict[str, Any]) -> bool:
    """Whether a row has the name and the key of a file of latents; `settings` is what run.json spells out."""
    spelled = settings.get(str(row.get("settings"))) or {}
    shape = (spelled.get("latents") or {}).get("shape")
    name, label = row.get("file_name"), str(row.get("level"))
    if not isinstance(name, str) or not _NAME.match(name) or not isinstance(shape, list):
        return False
    try:
        level = parse_level(label.removeprefix("std="), "std", None, "imagenet-c", 0.0)
    except BadLevel:
        return False
    latents = LatentsSettings(tuple(shape), number=0, per_file=0)
    return latents_key(spelled.get("seed", 0), latents, level.canonical).hex() == row.get("key")


def latents_key(seed: int, latents: LatentsSettings, level: str) -> bytes:
    """Return the key of all latents of a request: the same for any count, files and type."""
    return stream_key(seed, f"latents {latents.shape}".encode(), level, 1)
