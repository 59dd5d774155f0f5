"""Files at the rim: opened with care, written whole or not at all, named by safe relative paths."""

from noisecli.storage.below import digest_below, open_folder, remove_recorded, remove_temporaries
from noisecli.storage.digests import descriptor_sha256, file_sha256, sha256
from noisecli.storage.leftovers import held_prefix
from noisecli.storage.local import (
    TEMPORARY_PREFIX,
    OutputFile,
    clean_up_beside,
    output_error,
    stopping,
    write_whole,
)
from noisecli.storage.names import escape_name, escapes_by_symlink, find_escaped, is_missing
from noisecli.storage.permissions import Readers, modes_like, readers_of, widen
from noisecli.storage.source import SourceFile, open_regular, unreadable

__all__ = [
    "TEMPORARY_PREFIX",
    "OutputFile",
    "Readers",
    "SourceFile",
    "clean_up_beside",
    "descriptor_sha256",
    "digest_below",
    "escape_name",
    "escapes_by_symlink",
    "file_sha256",
    "find_escaped",
    "held_prefix",
    "is_missing",
    "modes_like",
    "open_folder",
    "open_regular",
    "output_error",
    "readers_of",
    "remove_recorded",
    "remove_temporaries",
    "sha256",
    "stopping",
    "unreadable",
    "widen",
    "write_whole",
]
