"""A file as its header should describe it, for libsndfile."""

import os

from noisecli.codecs.audio.header import Correction


class CorrectedFile:
    """A file for soundfile to read from: a descriptor's, with a correction. The descriptor's position is left alone."""

    def __init__(self, descriptor: int, correction: Correction) -> None:
        self._descriptor, self._correction = descriptor, correction
        size = os.fstat(descriptor).st_size - correction.start
        self._end = size if correction.end is None else min(correction.end, size)
        self._size = self._end + correction.fill
        self._position = 0

    def read(self, count: int = -1) -> bytes:
        """Return the next bytes."""
        start = self._position
        end = self._size if count < 0 else min(start + count, self._size)
        data = bytearray()
        while len(data) < min(end, self._end) - start:
            offset = start + len(data)
            at = self._correction.start + offset
            piece = bytes(-at) if at < 0 else os.pread(self._descriptor, min(end, self._end) - offset, at)
            if not piece:
                # it shrinks while it is read
                self._position = offset
                return bytes(data)
            data += piece
        data += bytes(max(end - start, 0) - len(data))
        for position, patch in self._correction.patches:
            first, last = max(position, start), min(position + len(patch), end)
            if first < last:
                data[first - start : last - start] = patch[first - position : last - position]
        self._position = max(start, end)
        return bytes(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to another position."""
        self._position = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        return self._position

    def tell(self) -> int:
        """Return the position."""
        return self._position
