"""The limits on what a file may decode to, asked before anything is allocated."""

from collections.abc import Iterable

from noisecli.errors import FileFailed
from noisecli.model import Limits

MOST_JSON_BYTES = 10_000_000
"""Parsed it takes up to 25 times its bytes. A header of 100,000 tensors is as long."""
MOST_PARTS = 100_000
DEFLATE_RATIO = 1032
"""Bytes that one byte of deflated data inflates to at most."""
_LONGEST_NAME = 0xFFFF
_ALL_NAMES = 1 << 24


def refuse_bomb(decoded: int, size: int, limits: Limits) -> None:
    """Raise FileFailed for a file of `size` bytes that decodes to more than --max-decoded allows.

    `decoded` counts all samples and all metadata that an output carries, as the headers claim.
    """
    if decoded > limits.most_decoded(size):
        message = f"decodes from {size:,} to {decoded:,} bytes; add --max-decoded {decoded} if that is right"
        raise FileFailed("too-large", message)


def refuse_block(what: str, held: int, limits: Limits) -> None:
    """Raise FileFailed for what is held in memory in one piece, however large its file is, where it is too large."""
    if held > limits.most_decoded(0):
        message = f"holds {what} that takes {held:,} bytes of memory; add --max-decoded {held} if that is right"
        raise FileFailed("too-large", message)


def refuse_crowd(names: Iterable[str]) -> None:
    """Raise FileFailed for more arrays, or longer names of them, than a worker's memory and a row have room for."""
    sizes = [len(name.encode("utf-8", "surrogatepass")) for name in names]
    if len(sizes) > MOST_PARTS:
        message = f"holds {len(sizes):,} arrays, more than the {MOST_PARTS:,} that are read of one file; split it"
        raise FileFailed("too-large", message)
    if sizes and (max(sizes) > _LONGEST_NAME or sum(sizes) > _ALL_NAMES):
        message = f"has array names of {max(sizes):,} bytes, {sum(sizes):,} in all; give its arrays shorter names"
        raise FileFailed("too-large", message)
