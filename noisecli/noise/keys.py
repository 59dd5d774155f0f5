"""Keys of streams: which output gets which noise. Light, for the parent process knows no numpy."""

from __future__ import annotations

from hashlib import blake2b

STREAM_VERSION = 2
"""Raised whenever the samples made from the same key change."""


def stream_key(seed: int, path: bytes, level: str, copy: int) -> bytes:
    """Return the 128-bit key of an output's noise.

    Parameters
    ----------
    seed
        Any integer.
    path
        The source's relative POSIX path, as the file system spells it.
    level
        The level as a canonical value: the same strength in other words is the same key.
    copy
        1 for the first.
    """
    parts = (str(STREAM_VERSION).encode(), str(seed).encode(), path, level.encode(), str(copy).encode())
    told_apart = b"".join(len(part).to_bytes(8, "little") + part for part in parts)
    return blake2b(told_apart, digest_size=16, person=b"noisecli-stream").digest()
