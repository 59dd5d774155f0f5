"""Tars that are open, with the places of their members: a process looks into each for many members in a row."""

import time
from collections import OrderedDict

from noisecli.errors import FileFailed
from noisecli.storage.folder import Folder
from noisecli.storage.permissions import FileStatus
from noisecli.storage.source import SourceFile
from noisecli.storage.tar.index import read_index

_MOST_KEPT, _MOST_OPEN, _MOST_OPEN_OF_STORE = 200_000, 16, 2
"""Members whose places are remembered, and tars that stay open; those of a store are copies on this machine."""
_MOMENT = 1.0


class OpenTar:
    """A tar, and the places of its members. Raises FileFailed from the constructor."""

    def __init__(self, file: SourceFile) -> None:
        self.file, self.seen = file, 0.0
        try:
            self.places = read_index(file)
        except BaseException:
            file.close()
            raise

    @property
    def is_young(self) -> bool:
        """Whether its name was looked up a moment ago; a look into a store is a request."""
        return time.monotonic() - self.seen < _MOMENT

    def is_same(self, status: FileStatus) -> bool:
        """Whether a look at its name shows the tar that is open."""
        mine, theirs = (
            (each.st_size, each.st_mtime_ns, each.st_ctime_ns, getattr(each, "st_ino", None))
            for each in (self.file.status, status)
        )
        return mine == theirs

    def __del__(self) -> None:
        self.file.close()


_OPEN: OrderedDict[tuple[str, str], OpenTar] = OrderedDict()
"""Those looked into last, by folder and name."""


def open_tar(folder: Folder, name: str) -> OpenTar:
    """Return a tar of a folder, as it is now. Raises FileProblem, and OSError where it cannot be looked up."""
    from noisecli.storage import is_url

    where, is_remote = (folder.location, name), is_url(folder.location)
    known = _OPEN.get(where)
    if known is not None and is_remote and known.is_young:
        return known
    status = folder.look(name, follow=True)
    if status is None:
        raise FileFailed("gone", "is gone since the folder was listed")
    if known is None or not known.is_same(status):
        _OPEN.pop(where, None)
        known = _OPEN[where] = OpenTar(folder.open(name))
        most = _MOST_OPEN_OF_STORE if is_remote else _MOST_OPEN
        while len(_OPEN) > most or (len(_OPEN) > 1 and sum(len(tar.places) for tar in _OPEN.values()) > _MOST_KEPT):
            _OPEN.popitem(last=False)
    else:
        _OPEN.move_to_end(where)
    known.seen = time.monotonic()
    return known


def forget_all() -> None:
    """Forget what was seen of all tars."""
    _OPEN.clear()
