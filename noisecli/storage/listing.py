"""What a folder holds at any depth, symbolic links followed where they stay inside of it."""

import errno
import os
from collections.abc import Iterator

from noisecli.errors import FileFailed, FileProblem, FileSkipped, Refused
from noisecli.storage.folder import Listed, not_there
from noisecli.storage.names import escape_name, lies_in
from noisecli.storage.source import unreadable

_OUTSIDE = "is a symbolic link out of the source folder; copy what it points to"
_SPECIAL = "is a pipe, socket or device; left alone"


def files_below(root: str) -> Iterator[Listed]:
    """Yield every file's relative path, and why it cannot be a source. Raises Refused where the root is not listed."""
    real_root = os.path.realpath(root)
    stack: list[tuple[str, frozenset[str]]] = [("", frozenset([real_root]))]
    while stack:
        below, ancestors = stack.pop()
        try:
            with os.scandir(os.path.join(root, below)) as entries:
                for entry in entries:
                    found = _examine(entry, below + entry.name, real_root, ancestors)
                    if isinstance(found, Listed):
                        yield found
                    else:
                        stack.append((f"{below}{entry.name}/", found))
        except OSError as error:
            # it costs what it holds, or the rest of that, and nothing else
            if not below:
                raise Refused(f"{escape_name(root)}: cannot be listed: {error.strerror}") from error
            yield Listed(below.rstrip("/"), _unlisted(error), "unlisted")


def _examine(entry: os.DirEntry[str], name: str, real_root: str, ancestors: frozenset[str]) -> Listed | frozenset[str]:
    """Return what a name stands for; for a folder to go into, the folders that symbolic links led to on the way."""
    try:
        if entry.name.startswith("."):
            return Listed(name, sort="hidden")
        if entry.is_dir(follow_symlinks=False):
            return ancestors
        if entry.is_symlink():
            target, problem = _follow(entry, real_root, ancestors)
            if problem is None and os.path.isdir(target):
                return ancestors | {target}
            return Listed(name, problem, "symlink")
        return Listed(name, None if entry.is_file() else FileSkipped("special-file", _SPECIAL))
    except OSError as error:
        # what it is, this file system does not say with its name
        return Listed(name, unreadable(error))


def _follow(entry: os.DirEntry[str], real_root: str, ancestors: frozenset[str]) -> tuple[str, FileProblem | None]:
    target = os.path.realpath(entry.path)
    if not os.path.exists(target):
        return target, FileFailed("gone", "is a symbolic link to nothing; mend or remove it")
    if not lies_in(target, real_root):
        return target, FileSkipped("symlink-outside", _OUTSIDE)
    if target in ancestors or lies_in(os.path.realpath(os.path.dirname(entry.path)), target):
        return target, FileSkipped("symlink-loop", "is a symbolic link to a folder it lies in; left alone")
    if not os.path.isdir(target) and not os.path.isfile(target):
        return target, FileSkipped("special-file", _SPECIAL)
    return target, None


def _unlisted(error: OSError) -> FileFailed:
    if error.errno == errno.ENOENT:
        return FileFailed("gone", "is gone since the folder above it was listed")
    return FileFailed("unreadable", f"cannot be listed: {error.strerror}; check its permissions, and the disk")


def problem_of_listed(root: str, name: str) -> FileProblem | None:
    """Return why a name from somebody's list cannot be a source."""
    path, real_root = os.path.join(root, name), os.path.realpath(root)
    if not os.path.lexists(path):
        return not_there()
    target = os.path.realpath(path)
    if target == real_root or not lies_in(target, real_root):
        return FileSkipped("symlink-outside", _OUTSIDE)
    if not os.path.isfile(path):
        return FileSkipped("special-file", "is no regular file; left alone")
    return None
