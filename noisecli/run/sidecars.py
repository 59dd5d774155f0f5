"""Labels, transcripts and masks beside the data: additive noise moves no pixel, so they stay true."""

from __future__ import annotations

import contextlib
import filecmp
import os
import secrets
import shutil
from typing import Literal

from noisecli.errors import Refused
from noisecli.storage import escape_name, output_error


def carry(source: str, target: str, how: Literal["copy", "link"], prefix: str) -> None:
    """Make `target` a copy of a side file, with its time, or a relative symbolic link to it.

    Raises FileFailed, or Stopped where nothing more can be written.
    """
    if _stands(source, target, how):
        return
    folder = os.path.dirname(target)
    temporary = os.path.join(folder, prefix + secrets.token_hex(6))
    try:
        os.makedirs(folder, exist_ok=True)
        if how == "link":
            os.symlink(os.path.relpath(source, os.path.realpath(folder)), temporary)
        else:
            shutil.copy2(source, temporary)
        os.replace(temporary, target)
    except OSError as error:
        raise output_error(error, target) from error
    finally:
        with contextlib.suppress(OSError):
            os.unlink(temporary)


def refuse_edited(source: str, target: str, how: Literal["copy", "link"]) -> None:
    """Refuse to replace a side file that was changed in the destination, after it was copied there."""
    if not os.path.lexists(target) or os.path.islink(target) or _stands(source, target, how):
        return
    if os.path.isdir(target) or os.stat(target).st_mtime_ns > os.stat(source).st_mtime_ns:
        if os.path.isfile(target) and filecmp.cmp(source, target, shallow=False):
            return
        name = escape_name(target)
        raise Refused(f"{name}: is newer than the side file it would be replaced by; move it, or add --force")


def _stands(source: str, target: str, how: Literal["copy", "link"]) -> bool:
    if how == "link":
        return os.path.islink(target) and os.path.realpath(target) == os.path.realpath(source)
    if not os.path.isfile(target) or os.path.islink(target):
        return False
    ours, theirs = os.stat(target), os.stat(source)
    return (ours.st_size, ours.st_mtime_ns) == (theirs.st_size, theirs.st_mtime_ns)
