"""What a bucket lists below a prefix, page by page."""

import os
from collections.abc import Iterator
from typing import Any, NamedTuple

from noisecli.storage.folder import Listed
from noisecli.storage.objects.client import ask
from noisecli.storage.objects.spool import ObjectStatus

_PAGE = 1000


class Found(NamedTuple):
    """An object below the prefix."""

    name: str
    status: ObjectStatus


def objects_below(bucket: Any, prefix: str) -> Iterator[Found]:
    """Yield all objects below a prefix, in the store's order. Raises OSError."""
    import obstore

    pages = iter(ask(obstore.list, bucket, prefix or None, chunk_size=_PAGE))
    while (page := ask(next, pages, None)) is not None:
        for meta in page:
            name = meta["path"][len(prefix) + 1 :] if prefix else meta["path"]
            if name and not _is_marker(bucket, meta):
                yield Found(name, status_of(meta))


def status_of(meta: Any) -> ObjectStatus:
    """Return what obstore's description of an object says."""
    # a look at one object gives whole seconds, a listing more: times of both are compared
    return ObjectStatus(meta["size"], int(meta["last_modified"].timestamp()) * 10**9)


def _is_marker(bucket: Any, meta: Any) -> bool:
    """Whether this is what consoles make of an empty folder: an object whose key ends with the slash not shown here."""
    import obstore

    if meta["size"] or os.path.splitext(meta["path"])[1]:
        return False
    try:
        return bool(ask(obstore.head, bucket, meta["path"])["size"])
    except FileNotFoundError:
        return True


def listed(names: Iterator[str]) -> Iterator[Listed]:
    """Yield names as a folder lists them: of what is hidden, the hidden part alone, once."""
    hidden = set[str]()
    for name in names:
        parts = name.split("/")
        first = next((number for number, part in enumerate(parts) if part.startswith(".")), None)
        if first is None:
            yield Listed(name)
        elif (part := "/".join(parts[: first + 1])) not in hidden:
            hidden.add(part)
            yield Listed(part, sort="hidden")
