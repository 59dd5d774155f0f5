"""Removing a file of a destination: only one whose content a row, or the journal, tells to the byte."""

from __future__ import annotations

import errno
import os
from collections.abc import Collection

from noisecli.storage import file_sha256, leads_out, stopping

_NO_SUCH_FILE = {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.EINVAL, errno.ELOOP, errno.ENXIO, errno.EISDIR}


def remove_told(root: str, name: str, digests: Collection[str]) -> bool:
    """Remove a regular file below `root` that has one of these digests; return whether it did. Raises Stopped."""
    if leads_out(root, name):
        return False
    path = os.path.join(root, name)
    with stopping(path):
        if digest_of(path) not in digests:
            return False
        os.unlink(path)
    return True


def digest_of(path: str) -> str | None:
    """Return a file's digest; None where there is none, or something else. Raises OSError where that cannot be seen."""
    try:
        return None if os.path.islink(path) else file_sha256(path)
    except OSError as error:
        if error.errno in _NO_SUCH_FILE:
            return None
        raise


def is_missing(path: str) -> bool:
    """Whether there is no such file, nor a link of that name; what cannot be looked up may be there."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return True
    except OSError:
        return False
    return False
