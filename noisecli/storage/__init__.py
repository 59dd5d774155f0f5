"""Files at the rim: opened with care, written whole or not at all, named by safe relative paths."""

from noisecli.storage.below import open_below, open_folder, remove_temporaries, unlink_below
from noisecli.storage.digests import descriptor_sha256, file_sha256, sha256
from noisecli.storage.leftovers import held_prefix, scratch_folder
from noisecli.storage.local import (
    TEMPORARY_PREFIX,
    OutputFile,
    clean_up_beside,
    fsync_folder,
    output_error,
    stopping,
    write_whole,
)
from noisecli.storage.names import escape_name, find_escaped, leads_out, stays_below
from noisecli.storage.permissions import Readers, modes_like, readers_of, widen
from noisecli.storage.source import SourceFile, unreadable

__all__ = [
    "TEMPORARY_PREFIX",
    "OutputFile",
    "Readers",
    "SourceFile",
    "clean_up_beside",
    "descriptor_sha256",
    "escape_name",
    "file_sha256",
    "find_escaped",
    "fsync_folder",
    "held_prefix",
    "leads_out",
    "modes_like",
    "open_below",
    "open_folder",
    "output_error",
    "readers_of",
    "remove_temporaries",
    "scratch_folder",
    "sha256",
    "stays_below",
    "stopping",
    "unlink_below",
    "unreadable",
    "widen",
    "write_whole",
]
