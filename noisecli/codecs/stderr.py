"""What decoders print on descriptor 2, past every setting of theirs, is caught to be judged."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")

_STDERR = 2
_MOST = 4096
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


def caught(call: Callable[[], Result]) -> tuple[Result, bytes]:
    """Call, and return the result with what was printed on descriptor 2 meanwhile."""
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
        text = _taken(catcher)
    return result, text


def _taken(catcher: int) -> bytes:
    size = os.lseek(catcher, 0, os.SEEK_CUR)
    if size == 0:
        return b""
    os.lseek(catcher, 0, os.SEEK_SET)
    text = os.read(catcher, _MOST)
    os.lseek(catcher, 0, os.SEEK_SET)
    os.ftruncate(catcher, 0)
    return text
