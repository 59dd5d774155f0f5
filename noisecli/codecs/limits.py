"""The one limit on what a file may decode to, asked before anything is allocated."""

from __future__ import annotations

from noisecli.errors import FileFailed
from noisecli.model import Limits


def refuse_bomb(decoded: int, size: int, limits: Limits) -> None:
    """Raise FileFailed for a file that decodes to more bytes than --max-decoded allows.

    Parameters
    ----------
    decoded
        Bytes of all samples and of all metadata that an output carries, as the headers tell them.
    size
        Bytes of the file itself.
    """
    if decoded > limits.most_decoded(size):
        message = f"decodes from {size:,} to {decoded:,} bytes; add --max-decoded {decoded} if that is right"
        raise FileFailed("too-large", message)
