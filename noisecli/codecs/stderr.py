"""What decoders print on descriptor 2, past every setting of theirs, is caught to be judged."""

import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TypeVar

Result = TypeVar("Result")

_STDERR = 2
_MOST_LINES = 32
_LONGEST_LINE = 4096
_BLOCK = 1 << 16
_catcher: tuple[int, int] | None = None


def _descriptor() -> int:
    """Return this process's own file in memory: one shared with a forked sibling would mix their texts."""
    global _catcher  # noqa: PLW0603
    if _catcher is None or _catcher[0] != os.getpid():
        if hasattr(os, "memfd_create"):
            descriptor = os.memfd_create("decoder")
        else:
            with tempfile.TemporaryFile() as file:
                descriptor = os.dup(file.fileno())
        _catcher = (os.getpid(), descriptor)
    return _catcher[1]


def caught(call: Callable[[], Result], sort: Callable[[bytes], object] = type) -> tuple[Result, bytes]:
    """Call, and return the result with what was printed on descriptor 2 meanwhile: whole lines, every one looked at.

    `sort` returns what a line means. Of millions of lines of one sort the first few are kept; None is dropped.
    """
    catcher = _descriptor()
    try:
        kept = os.dup(_STDERR)
    except OSError:
        kept = -1
    os.dup2(catcher, _STDERR)
    try:
        result = call()
    finally:
        if kept < 0:
            os.close(_STDERR)
        else:
            os.dup2(kept, _STDERR)
            os.close(kept)
        text = _taken(catcher, sort)
    return result, text


def _taken(catcher: int, sort: Callable[[bytes], object]) -> bytes:
    if os.lseek(catcher, 0, os.SEEK_CUR) == 0:
        return b""
    kept: list[bytes] = []
    counts: Counter[object] = Counter()
    seen: set[bytes] = set()
    for line in _lines(catcher):
        if line in seen:
            continue
        if len(seen) < _MOST_LINES:
            seen.add(line)
        meaning = sort(line)
        if meaning is None or counts[meaning] == _MOST_LINES:
            continue
        counts[meaning] += 1
        kept.append(line)
    os.lseek(catcher, 0, os.SEEK_SET)
    os.ftruncate(catcher, 0)
    return b"\n".join(kept)


def _lines(catcher: int) -> Iterator[bytes]:
    """Yield the lines of a file, of very long ones the beginning."""
    os.lseek(catcher, 0, os.SEEK_SET)
    rest = b""
    while block := os.read(catcher, _BLOCK):
        *whole, rest = (rest + block).split(b"\n")
        yield from (line[:_LONGEST_LINE] for line in whole)
        rest = rest[:_LONGEST_LINE]
    if rest:
        yield rest
