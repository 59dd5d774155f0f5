"""The files of a row: the output, and those beside it. One table, so that nothing that goes by rows forgets one."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class FileKeys(NamedTuple):
    """The keys under which a row has a file's name, its size and its digest."""

    name: str
    bytes: str
    sha256: str


OUTPUT = FileKeys("file_name", "bytes", "sha256")
CLEAN = FileKeys("clean_file_name", "clean_bytes", "clean_sha256")
STD_MAP = FileKeys("std_map_file_name", "std_map_bytes", "std_map_sha256")
BESIDE = (CLEAN, STD_MAP)
"""What may be beside an output."""


class ListedFile(NamedTuple):
    """A file that a row lists; its size and digest are whatever the row says."""

    keys: FileKeys
    name: str
    bytes: Any
    sha256: Any


def listed_files(row: Mapping[str, Any]) -> list[ListedFile]:
    """Return the files that a row lists, the output first."""
    return [
        ListedFile(keys, row[keys.name], row.get(keys.bytes), row.get(keys.sha256))
        for keys in (OUTPUT, *BESIDE)
        if isinstance(row.get(keys.name), str)
    ]
