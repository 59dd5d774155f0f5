"""Where files are: folders that are listed, looked into, read and written, one page a store.

Whatever the store, a file is written whole or not at all, and named by a safe relative path.
"""

import os
from importlib import import_module

from noisecli.storage.below import open_folder, remove_recorded, remove_temporaries
from noisecli.storage.digests import file_sha256
from noisecli.storage.folder import Folder, Listed
from noisecli.storage.leftovers import held_prefix
from noisecli.storage.local import LocalFolder
from noisecli.storage.names import escape_name, is_inside, is_text
from noisecli.storage.output import TEMPORARY_PREFIX, OutputFile, clean_up_beside, output_error, stopping, write_whole
from noisecli.storage.permissions import Readers, readers_of
from noisecli.storage.source import SourceFile

__all__ = [
    "STORES",
    "TEMPORARY_PREFIX",
    "Folder",
    "Listed",
    "LocalFolder",
    "OutputFile",
    "Readers",
    "SourceFile",
    "clean_up_beside",
    "escape_name",
    "file_at",
    "file_sha256",
    "folder_at",
    "held_prefix",
    "is_inside",
    "is_text",
    "open_folder",
    "output_error",
    "readers_of",
    "remove_recorded",
    "remove_temporaries",
    "stopping",
    "write_whole",
]

STORES = {
    "": ("noisecli.storage.local", "LocalFolder"),
}
"""The page and the class of each store, by the scheme of its URLs; paths have none."""


def folder_at(location: str) -> Folder:
    """Return the folder that a path or URL names; it need not exist."""
    scheme, separator, _ = location.partition("://")
    module, name = STORES.get(scheme if separator else "", STORES[""])
    folder: Folder = getattr(import_module(module), name)(location)
    return folder


def file_at(location: str) -> tuple[Folder, str]:
    """Return the folder that the file of a path or URL lies in, and its name there."""
    folder, name = os.path.split(location)
    return folder_at(folder), name
