"""A zip archive on a file whose seeks may fail: zipfile takes that for a pipe, and writes another layout in silence."""

from __future__ import annotations

import zipfile
from typing import IO, Any, cast


class _Watched:
    """A file that remembers a seek that failed."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.failure: OSError | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def tell(self) -> int:
        return self.seek(0, 1)

    def seek(self, offset: int, whence: int = 0) -> int:
        try:
            return self._file.seek(offset, whence)
        except OSError as error:
            self.failure = error
            raise


def create_archive(file: IO[bytes]) -> zipfile.ZipFile:
    """Begin an archive. Raises OSError, the file closed, where the file cannot seek."""
    watched = _Watched(file)
    archive = zipfile.ZipFile(cast("IO[bytes]", watched), "w")
    if watched.failure is not None:
        # so that its end does not write a directory
        archive.fp = None
        file.close()
        raise watched.failure
    return archive
