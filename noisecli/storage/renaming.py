"""A rename that never replaces what has the name already: one system call, where the system and the disk have it."""

import contextlib
import ctypes
import errno
import os
from collections.abc import Callable
from functools import cache, partial

_RENAME_NOREPLACE = 1
_RENAME_EXCL = 4
_UNKNOWN = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EPERM}
"""What file systems answer that do not have it: NFS, FAT, older kernels."""


def rename_new(old: str, new: str, *, folder: int, to: int | None = None) -> None:
    """Rename a file of an open folder, into another where `to` is one.

    Raises FileExistsError where the name is taken, and OSError.
    """
    to = folder if to is None else to
    call = _system_call()
    if call is not None:
        number = call(folder, os.fsencode(old), to, os.fsencode(new))
        if not number:
            return
        if number not in _UNKNOWN:
            raise OSError(number, os.strerror(number), new)
    _link_or_replace(old, new, folder, to)


def _link_or_replace(old: str, new: str, folder: int, to: int) -> None:
    """Give the file a second name, and take the first away; without hard links a look must do before the rename."""
    try:
        os.link(old, new, src_dir_fd=folder, dst_dir_fd=to, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _UNKNOWN | {errno.EMLINK, errno.EXDEV}:
            raise
    else:
        # the file has its name: one that cannot be removed beside it is a leftover, not a failure
        with contextlib.suppress(OSError):
            os.unlink(old, dir_fd=folder)
        return
    with contextlib.suppress(FileNotFoundError):
        os.lstat(new, dir_fd=to)
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), new)
    os.replace(old, new, src_dir_fd=folder, dst_dir_fd=to)


@cache
def _system_call() -> Callable[[int, bytes, int, bytes], int] | None:
    """Return renameat2 of Linux or renameatx_np of macOS as what returns errno; None where there is neither."""
    library = ctypes.CDLL(None, use_errno=True)
    for name, flag in (("renameat2", _RENAME_NOREPLACE), ("renameatx_np", _RENAME_EXCL)):
        if hasattr(library, name):
            return partial(_rename, getattr(library, name), flag)
    return None


def _rename(call: Callable[..., int], flag: int, folder: int, old: bytes, to: int, new: bytes) -> int:
    return ctypes.get_errno() if call(folder, old, to, new, flag) else 0
