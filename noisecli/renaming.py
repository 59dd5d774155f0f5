"""A rename that never replaces what has the name already: one system call, where the system and the disk have it."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
from collections.abc import Callable
from functools import cache

_AT_FDCWD = -100
_RENAME_NOREPLACE = 1
_RENAME_EXCL = 4
_UNKNOWN = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EPERM}
"""What file systems answer that do not have it: NFS, FAT, older kernels."""


def rename_new(old: str, new: str) -> None:
    """Rename a file. Raises FileExistsError where the name is taken, and OSError."""
    call = _system_call()
    if call is not None:
        number = call(os.fsencode(old), os.fsencode(new))
        if not number:
            return
        if number not in _UNKNOWN:
            raise OSError(number, os.strerror(number), new)
    _link_or_replace(old, new)


def _link_or_replace(old: str, new: str) -> None:
    """Give the file a second name, and take the first away; without hard links a look must do before the rename."""
    try:
        os.link(old, new, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _UNKNOWN | {errno.EMLINK, errno.EXDEV}:
            raise
    else:
        # the file has its name: one that cannot be removed beside it is a leftover, not a failure
        with contextlib.suppress(OSError):
            os.unlink(old)
        return
    if os.path.lexists(new):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), new)
    os.replace(old, new)


@cache
def _system_call() -> Callable[[bytes, bytes], int] | None:
    """Return renameat2 of Linux or renamex_np of macOS as what returns errno; None where there is neither."""
    library = ctypes.CDLL(None, use_errno=True)
    if hasattr(library, "renameat2"):

        def renameat2(old: bytes, new: bytes) -> int:
            return ctypes.get_errno() if library.renameat2(_AT_FDCWD, old, _AT_FDCWD, new, _RENAME_NOREPLACE) else 0

        return renameat2
    if hasattr(library, "renamex_np"):

        def renamex_np(old: bytes, new: bytes) -> int:
            return ctypes.get_errno() if library.renamex_np(old, new, _RENAME_EXCL) else 0

        return renamex_np
    return None
