"""What a folder holds at any depth, symbolic links followed where they stay inside of it, or all where asked for."""

import errno
import os
from collections.abc import Iterator

from noisecli.errors import FileFailed, FileProblem, FileSkipped, Refused
from noisecli.storage.folder import Listed, not_there
from noisecli.storage.names import escape_name, lies_in
from noisecli.storage.source import unreadable

_OUTSIDE = "is a symbolic link out of the source folder; --follow-links takes what it leads to"
_SPECIAL = "is a pipe, socket or device; left alone"


def files_below(root: str, *, follow_links: bool = False) -> Iterator[Listed]:
    """Yield every file's relative path, and why it cannot be a source; see noisecli.storage.Folder.files().

    Raises Refused where the root is not listed.
    """
    real_root = os.path.realpath(root)
    stack: list[tuple[str, frozenset[str]]] = [("", frozenset([real_root]))]
    while stack:
        below, ancestors = stack.pop()
        try:
            with os.scandir(os.path.join(root, below)) as entries:
                yield Listed(below.rstrip("/"), sort="folder")
                for entry in entries:
                    found, inner = _examine(entry, below + entry.name, real_root, ancestors, follow_links)
                    if found is not None:
                        yield found
                    if inner is not None:
                        stack.append((f"{below}{entry.name}/", inner))
        except OSError as error:
            # it costs what it holds, or the rest of that, and nothing else
            if not below:
                raise Refused(f"{escape_name(root)}: cannot be listed: {error.strerror}") from error
            yield Listed(below.rstrip("/"), _unlisted(error), "unlisted")


def _examine(
    entry: os.DirEntry[str], name: str, real_root: str, ancestors: frozenset[str], follow_links: bool
) -> tuple[Listed | None, frozenset[str] | None]:
    """Return what a name stands for; and for a folder to go into, the folders that links led to on the way."""
    try:
        if entry.name.startswith("."):
            return Listed(name, sort="hidden"), None
        if entry.is_dir(follow_symlinks=False):
            return None, ancestors
        if entry.is_symlink():
            return _follow(entry, name, real_root, ancestors, follow_links)
        return Listed(name, None if entry.is_file() else FileSkipped("special-file", _SPECIAL)), None
    except OSError as error:
        # what it is, this file system does not say with its name
        return Listed(name, unreadable(error)), None


def _follow(
    entry: os.DirEntry[str], name: str, real_root: str, ancestors: frozenset[str], follow_links: bool
) -> tuple[Listed | None, frozenset[str] | None]:
    target = os.path.realpath(entry.path)
    is_folder, is_outside = os.path.isdir(target), not lies_in(target, real_root)
    problem: FileProblem | None = None
    if not os.path.exists(target):
        problem = _led_to_nothing()
    elif is_outside and not follow_links:
        problem = FileSkipped("symlink-outside", _OUTSIDE)
    elif target in ancestors or lies_in(os.path.realpath(os.path.dirname(entry.path)), target):
        problem = FileSkipped("symlink-loop", "is a symbolic link to a folder it lies in; left alone")
    elif not is_folder and not os.path.isfile(target):
        problem = FileSkipped("special-file", _SPECIAL)
    if problem is not None:
        return Listed(name, problem, "symlink"), None
    if is_folder:
        return Listed(name, sort="followed", outside=target) if is_outside else None, ancestors | {target}
    if is_outside:
        return Listed(name, sort="symlink", outside=os.path.dirname(target)), None
    return Listed(name, sort="symlink", inside=os.path.relpath(target, real_root)), None


def _led_to_nothing() -> FileFailed:
    return FileFailed("gone", "is a symbolic link to nothing; mend or remove it")


def _unlisted(error: OSError) -> FileFailed:
    if error.errno == errno.ENOENT:
        return FileFailed("gone", "is gone since the folder above it was listed")
    return FileFailed("unreadable", f"cannot be listed: {error.strerror}; check its permissions, and the disk")


def problem_of_listed(root: str, name: str, *, follow_links: bool = False) -> FileProblem | None:
    """Return why a name from somebody's list cannot be a source."""
    path, real_root = os.path.join(root, name), os.path.realpath(root)
    if not os.path.lexists(path):
        return not_there()
    target = os.path.realpath(path)
    if not follow_links and (target == real_root or not lies_in(target, real_root)):
        return FileSkipped("symlink-outside", _OUTSIDE)
    if not os.path.exists(path):
        return _led_to_nothing()
    if not os.path.isfile(path):
        return FileSkipped("special-file", "is no regular file; left alone")
    return None
