"""Keys of streams: which output gets which noise. Light, for the parent process knows no numpy."""

from hashlib import blake2b

STREAM_VERSION = 2
"""Raised whenever the samples made from the same key change."""


def part_key(key: bytes, name: str) -> bytes:
    """Return the 128-bit key of the noise of one array in a file: it depends on no other array.

    Parameters
    ----------
    key
        The output's own, from stream_key().
    name
        The array's name in the file; empty where a file holds one array.
    """
    return blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16, key=key, person=b"noisecli-part").digest()


def group_key(key: bytes, number: int) -> bytes:
    """Return the 128-bit key of one group of latents; `key` is that of all of them."""
    return blake2b(str(number).encode(), digest_size=16, key=key, person=b"noisecli-group").digest()


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
    prefixed = b"".join(len(part).to_bytes(8, "little") + part for part in parts)
    return blake2b(prefixed, digest_size=16, person=b"noisecli-stream").digest()
