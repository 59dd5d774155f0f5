"""Shards: a run in parts, each of which makes its own share of one plan, by a hash of names that all parts know."""

import re
from hashlib import sha256
from typing import NamedTuple

MOST = 100_000
"""Shards of one run."""
_MANIFEST = re.compile(r"(.+)\.shard-([1-9]\d{0,5})-of-([1-9]\d{0,5})\.jsonl", re.ASCII | re.DOTALL)
_ENDINGS = r"(?:jsonl|errors\.jsonl|sidecars\.jsonl|run\.json|noisecli-journal)"
_OWN_FILE = re.compile(rf".+\.shard-\d+-of-\d+\.{_ENDINGS}", re.ASCII | re.DOTALL)


class Shard(NamedTuple):
    """One of the parts of a run, counted from 1."""

    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    def has_name(self, name: str) -> bool:
        """Whether a file of the source folder belongs to this shard, by its relative path as manifests spell it."""
        return self.has_number(int.from_bytes(sha256(name.encode()).digest()))

    def has_number(self, number: int) -> bool:
        """Whether the file of a sequence, counted from 0, belongs to this shard."""
        return number % self.of == self.number - 1

    def manifest(self, name: str) -> str:
        """Return the name of this shard's own manifest, from that of the whole run."""
        return f"{name.removesuffix('.jsonl')}.shard-{self.number}-of-{self.of}.jsonl"


def split_manifest(name: str) -> tuple[str, Shard | None]:
    """Return the name of the whole run's manifest, and the shard that a manifest's name speaks of."""
    match = _MANIFEST.fullmatch(name)
    if match is None:
        return name, None
    shard = Shard(int(match[2]), int(match[3]))
    return (f"{match[1]}.jsonl", shard) if shard.number <= shard.of <= MOST else (name, None)


def is_of_shards(name: str) -> bool:
    """Whether a file has a name that only files of shards have."""
    return _OWN_FILE.fullmatch(name) is not None
