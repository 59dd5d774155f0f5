"""Where files are: folders that are listed, looked into, read and written, one page a store.

Whatever the store, a file is written whole or not at all, and named by a safe relative path.
"""

import os
import re
from importlib import import_module

from noisecli.errors import Refused
from noisecli.storage.below import open_folder, remove_recorded, remove_temporaries
from noisecli.storage.digests import file_sha256
from noisecli.storage.folder import Folder, Listed
from noisecli.storage.leftovers import held_prefix
from noisecli.storage.local import LocalFolder
from noisecli.storage.names import escape_name, is_inside, is_text
from noisecli.storage.output import TEMPORARY_PREFIX, OutputFile, clean_up_beside, output_error, stopping, write_whole
from noisecli.storage.permissions import Readers
from noisecli.storage.source import SourceFile
from noisecli.storage.tar import TarFolder, is_tar_location

__all__ = [
    "STORES",
    "TEMPORARY_PREFIX",
    "Folder",
    "Listed",
    "LocalFolder",
    "OutputFile",
    "Readers",
    "SourceFile",
    "TarFolder",
    "clean_up_beside",
    "escape_name",
    "file_at",
    "file_sha256",
    "folder_at",
    "from_anywhere",
    "held_prefix",
    "is_inside",
    "is_same_file",
    "is_tar_location",
    "is_text",
    "is_url",
    "open_folder",
    "output_error",
    "remove_recorded",
    "remove_temporaries",
    "split_location",
    "stopping",
    "write_whole",
]

STORES = {
    "": ("noisecli.storage.local", "LocalFolder"),
    **dict.fromkeys(("s3", "gs", "az"), ("noisecli.storage.objects.folder", "ObjectFolder")),
}
"""The page and the class of each store, by the scheme of its URLs; paths have none."""


_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


def folder_at(location: str) -> Folder:
    """Return the folder that a path or URL names; it need not exist. Raises Refused for a URL of no known store.

    One that ends with *.tar, or {000..099}.tar, is that of the tars of a folder.
    """
    if is_tar_location(location):
        return TarFolder(location)
    module, name = STORES[_scheme_of(location)]
    folder: Folder = getattr(import_module(module), name)(location)
    return folder


def file_at(location: str) -> tuple[Folder, str]:
    """Return the folder that the file of a path or URL lies in, and its name there; Refused as for folder_at."""
    folder, name = split_location(location)
    return folder_at(folder), name


def split_location(location: str) -> tuple[str, str]:
    """Return the location of the folder that a file lies in, and its name there; Refused as for folder_at."""
    scheme = _scheme_of(location)
    if scheme and "/" not in location.partition("://")[2]:
        return location, ""
    return os.path.split(location)


def is_url(location: str) -> bool:
    """Whether a location is a URL, of a store or not, rather than a path."""
    return _SCHEME.match(location) is not None


def is_same_file(one: str, other: str) -> bool:
    """Whether two paths or URLs lead to one file, whether it is there or not."""
    if is_url(one) or is_url(other):
        return one == other
    if os.path.realpath(one) == os.path.realpath(other):
        return True
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False


def from_anywhere(location: str) -> str:
    """Return a path that leads to the same folder from everywhere; a URL does."""
    return location.rstrip("/") if is_url(location) else os.path.abspath(location)


def _scheme_of(location: str) -> str:
    """Return a URL's scheme, empty for a path. As a path, a URL would be a folder such as s3: in the current one."""
    match = _SCHEME.match(location)
    scheme = match[1] if match else ""
    if scheme not in STORES:
        # no more of it is shown, for a URL may hold a password
        known = ", ".join(f"{each}://" for each in STORES if each)
        raise Refused(f"{scheme}://: only {known} URLs are read and written; ./{scheme}:// is a path")
    return scheme
