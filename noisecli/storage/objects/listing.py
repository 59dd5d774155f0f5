"""What a bucket lists below a prefix, page by page."""

import os
from collections.abc import Iterator
from typing import Any, NamedTuple

from noisecli.storage.folder import Listed
from noisecli.storage.objects.client import ask, patiently
from noisecli.storage.objects.spool import ObjectStatus

_PAGE = 1000


class Found(NamedTuple):
    """An object below the prefix."""

    name: str
    status: ObjectStatus


def objects_below(bucket: Any, prefix: str) -> Iterator[Found]:
    """Yield all objects below a prefix, in the store's order. Raises OSError."""
    metas = _metas_below(bucket, prefix)
    meta = next(metas, None)
    while meta is not None:
        following = next(metas, None)
        is_folder = following is not None and following["path"].startswith(f"{meta['path']}/")
        name = meta["path"][len(prefix) + 1 :] if prefix else meta["path"]
        if name and not _is_marker(bucket, meta, is_folder=is_folder):
            yield Found(name, status_of(meta))
        meta = following


def _metas_below(bucket: Any, prefix: str) -> Iterator[Any]:
    """Yield what obstore says of all objects below a prefix, page by page. Raises OSError."""
    import obstore

    last: str | None = None
    pages: Iterator[Any] | None = None

    def next_page() -> Any:
        nonlocal pages
        if pages is None:
            pages = iter(ask(obstore.list, bucket, prefix or None, offset=last, chunk_size=_PAGE))
        try:
            return ask(next, pages, None)
        except OSError:
            pages = None
            raise

    while page := patiently(next_page):
        for meta in page:
            last = meta["path"]
            yield meta


def status_of(meta: Any) -> ObjectStatus:
    """Return what obstore's description of an object says, its time in whole seconds: a head tells no more of it."""
    return ObjectStatus(meta["size"], int(meta["last_modified"].timestamp()) * 1_000_000_000)


def _is_marker(bucket: Any, meta: Any, *, is_folder: bool) -> bool:
    """Whether this is what consoles make of an empty folder: an object whose key ends with the slash not shown here.

    An empty object with a suffix, such as the labels of an image that shows nothing, is looked at where it is a folder
    too: a request for each would take long.
    """
    import obstore

    if meta["size"] or (os.path.splitext(meta["path"])[1] and not is_folder):
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
