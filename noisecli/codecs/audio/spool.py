"""Where libsndfile writes an output: every write to the disk is made here, so that none fails unseen.

libsndfile drops what the system says of a write while it closes a file, and nothing can be raised through its C code.
So the first failure is kept, all later writes are refused, and the sink raises it when libsndfile has returned.
"""

import io
import os

from noisecli.codecs.region import write_at

_MOST = 1 << 18


class Spool:
    """A file for soundfile on a descriptor that stays the caller's; up to 256 KiB wait to be written in one piece."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._pending = bytearray()
        self._start = 0
        self._position = 0
        self._size = 0
        self._failure: BaseException | None = None

    def write(self, data: bytes) -> int:
        """Take bytes at the current position; return 0 once anything has failed."""
        try:
            if self._failure is None:
                self._take(data)
                return len(data)
        except BaseException as failure:
            self._failure = failure
        return 0

    def _take(self, data: bytes) -> None:
        offset = self._position - self._start
        if not 0 <= offset <= len(self._pending):
            self._drain()
            self._start, offset = self._position, 0
        self._pending[offset : offset + len(data)] = data
        self._position += len(data)
        self._size = max(self._size, self._position)
        if len(self._pending) >= _MOST:
            self._drain()

    def _drain(self) -> None:
        write_at(self._descriptor, self._pending, self._start)
        self._start += len(self._pending)
        self._pending.clear()

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> None:
        """Move to another position."""
        self._position = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def check(self) -> None:
        """Raise what failed first, if anything did."""
        if self._failure is not None:
            raise self._failure

    def flush(self) -> None:
        """Write all that waits. Raises what failed first, now or earlier."""
        self.check()
        self._drain()

    def drop(self) -> None:
        """Forget what waits and write no more."""
        self._failure = self._failure or io.UnsupportedOperation("no longer written")
        self._pending = bytearray()
