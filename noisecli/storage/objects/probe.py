"""Whether a store takes objects at all, asked by putting one; it lies apart, so that one left behind is found again.

A request that we gave up may be carried out later, by a server that was halted: then the object comes after all.
"""

import re
import secrets
from contextlib import suppress
from typing import Any

from noisecli.storage.objects.client import ask
from noisecli.storage.objects.listing import objects_below

_FOLDER, _BYTES = ".noisecli-probes", 1 << 12
_NAME = re.compile(r"[0-9a-f]{8}")


def _folder(prefix: str) -> str:
    return f"{prefix}/{_FOLDER}" if prefix else _FOLDER


def try_to_put(library: Any, bucket: Any, prefix: str) -> None:
    """Put an object below a prefix, and delete it. Raises OSError where the store does not take it."""
    key = f"{_folder(prefix)}/{secrets.token_hex(4)}"
    ask(library.put, bucket, key, bytes(_BYTES), use_multipart=False)
    ask(library.delete, bucket, key)


def remove_probes(library: Any, bucket: Any, prefix: str) -> None:
    """Delete what try_to_put() left below a prefix. Raises OSError."""
    for found in list(objects_below(bucket, _folder(prefix))):
        if found.status.st_size == _BYTES and _NAME.fullmatch(found.name):
            with suppress(FileNotFoundError):
                key = f"{_folder(prefix)}/{found.name}"
                if not any(bytes(ask(ask(library.get, bucket, key).bytes))):
                    ask(library.delete, bucket, key)
