"""The masks of --mask: which file is whose. Light: the parent process asks too, whether a mask is still the same."""

import os
import sys
from functools import lru_cache
from typing import Any, NamedTuple

from noisecli.errors import FileFailed, FileProblem
from noisecli.kinds import KINDS, suffix_of
from noisecli.kinds.images import IMAGES
from noisecli.storage import Folder, escape_name, file_at, folder_at

_FOLDERS = 64
"""Listings that are kept: sources come sorted, those of a folder together."""
_SEVERAL = "/"


class MaskFile(NamedTuple):
    """A mask: its path below the folder of masks, and that folder."""

    name: str
    folder: Folder

    @property
    def shown(self) -> str:
        """Its path in rows and messages."""
        return escape_name(self.name)

    @property
    def location(self) -> str:
        """Where it is."""
        return self.folder.location_of(self.name)

    def sha256(self) -> str:
        """Return the digest of its content. Raises OSError, FileFailed or FileSkipped."""
        return self.folder.sha256(self.name)


class MaskFiles:
    """The masks at a location: a folder that mirrors that of the sources, or one file that is the mask of all."""

    def __init__(self, location: str) -> None:
        self._location, self._folder = location, folder_at(location)
        self._listed = lru_cache(maxsize=_FOLDERS)(self._list)
        self._digest = lru_cache(maxsize=1)(MaskFile.sha256)
        self._alone: MaskFile | None = None
        if not self._folder.exists():
            above, name = file_at(location)
            self._alone = MaskFile(name, above)

    def of(self, source: str) -> MaskFile:
        """Return the mask of a source: of the same path, with any suffix of an image.

        Raises FileFailed where there is none, or more than one.
        """
        if self._alone is not None:
            return self._alone
        below, own = os.path.split(os.path.splitext(source)[0])
        suffixes = self._listed(below).get(own, "")
        names = [os.path.join(below, own + suffix) for suffix in suffixes.split(_SEVERAL) if suffix]
        if not names:
            wanted = escape_name(os.path.join(below, own))
            words = f"has no mask {wanted}.png, or other image of this name, in --mask DIR"
            raise FileFailed("no-mask", f"{words}; draw one, black for no noise, or leave it out with --exclude")
        if len(names) > 1:
            found = " and ".join(escape_name(name) for name in sorted(names))
            raise FileFailed("ambiguous", f"has several masks, {found}; keep one of them")
        return MaskFile(names[0], self._folder)

    def is_same(self, source: str, row: dict[str, Any]) -> bool:
        """Whether a row's mask has the content that it records; for all outputs of a source it is read once."""
        try:
            mask = self.of(source)
            return mask.shown == row.get("mask") and self._digest(mask) == row.get("mask_sha256")
        except (FileProblem, OSError):
            return False

    def folder_of(self, below: str) -> str:
        """Return where the masks of a folder of sources are; of one mask, that mask."""
        return self._folder.location_of(below) if below and self._alone is None else self._location

    def _list(self, below: str) -> dict[str, str]:
        """Return the suffixes of a folder's images by stem; as one text, for there may be very many."""
        try:
            names = folder_at(self.folder_of(below)).names()
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except OSError as error:
            words = f"the masks' folder {escape_name(below) or '.'} cannot be listed: {error.strerror}"
            raise FileFailed("bad-mask", f"{words}; check its permissions") from error
        found: dict[str, str] = {}
        for name in names:
            if suffix_of(name) in KINDS[IMAGES.name].formats:
                stem, suffix = os.path.splitext(name)
                found[stem] = f"{found[stem]}{_SEVERAL}{suffix}" if stem in found else sys.intern(suffix)
        return found


def is_there(location: str) -> bool:
    """Whether a location is that of a folder, or of a file."""
    above, name = file_at(location)
    return folder_at(location).exists() or (bool(name) and above.is_file(name))
