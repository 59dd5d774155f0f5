"""Folders below a root, opened part by part: no symbolic link leads out, whenever somebody puts it there.

Each is opened by its own descriptor, without following links, and what is written or removed in it is named relative
to that descriptor; so there is nothing between a check and its use. None but the root's is kept: a folder that is moved
out of the root takes at most the file along that is being written into it.
"""

import contextlib
import errno
import os
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping

from noisecli.errors import FileFailed
from noisecli.storage.digests import file_sha256
from noisecli.storage.names import lies_in

_FOLDER = os.O_DIRECTORY | os.O_CLOEXEC | getattr(os, "O_PATH", os.O_RDONLY)
"""O_PATH asks for no right to read: a folder may be written into by people who may not list it."""
_MOST_LINKS = 40
_NO_SUCH_FILE = {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.EINVAL, errno.ELOOP, errno.ENXIO, errno.EISDIR}
LED_OUT = "its folder is a symbolic link out of the folder of the outputs; remove the link"


def open_folder(root: str | None, name: str = "", *, make: bool = False, opened: int | None = None) -> int:
    """Return a descriptor of the folder `name` below `root`; with `make`, create what is missing.

    The root itself may be a symbolic link. A link on the way is followed where it leads to a folder below the root.
    Without a root, the folder is one itself. `opened` is a descriptor of the root, where there is one already; it stays
    open.

    Raises FileFailed where a link, or the name, leads out of the root, and OSError where there is no such folder, or it
    cannot be made.
    """
    if root is None:
        root, name = name, ""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise FileFailed("foreign-file", LED_OUT)
    for _ in range(_MOST_LINKS):
        start = _open_root(root, make=make) if opened is None else opened
        fd, passed = _descend(start, parts, make=make, keep=opened)
        if passed == len(parts):
            return os.dup(fd) if fd == opened else fd
        if fd != opened:
            os.close(fd)
        parts = _beyond_link(root, parts, passed)
    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))


def _open_root(root: str, *, make: bool) -> int:
    try:
        return os.open(root or ".", _FOLDER)
    except FileNotFoundError:
        if not make:
            raise
    os.makedirs(root, exist_ok=True)
    return os.open(root, _FOLDER)


def _descend(fd: int, parts: list[str], *, make: bool, keep: int | None) -> tuple[int, int]:
    """Return the descriptor of the innermost folder before a link, and how many parts were passed."""
    try:
        for number, part in enumerate(parts):
            inner = _enter(fd, part, make=make)
            if inner is None:
                return fd, number
            outer, fd = fd, inner
            if outer != keep:
                os.close(outer)
    except BaseException:
        if fd != keep:
            os.close(fd)
        raise
    return fd, len(parts)


def _enter(fd: int, part: str, *, make: bool) -> int | None:
    """Open a folder in a folder; None for a symbolic link."""
    try:
        return os.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=fd)
    except FileNotFoundError:
        if not make:
            raise
    except OSError:
        if stat.S_ISLNK(os.lstat(part, dir_fd=fd).st_mode):
            return None
        raise
    with contextlib.suppress(FileExistsError):
        os.mkdir(part, dir_fd=fd)
    return _enter(fd, part, make=False)


def _beyond_link(root: str, parts: list[str], passed: int) -> list[str]:
    """Return the way from the root to where a link points, and on. Raises FileFailed where that is outside."""
    real = os.path.realpath(root)
    target = os.path.realpath(os.path.join(real, *parts[: passed + 1]))
    if not lies_in(target, real):
        raise FileFailed("foreign-file", LED_OUT)
    inside = [part for part in target[len(real) :].split("/") if part]
    return [*inside, *parts[passed + 1 :]]


def digest_below(root: str, name: str) -> str | None:
    """Return the digest of a file below a root; None where there is none, or something else, or a link leads out.

    Raises OSError where that cannot be seen.
    """
    with _passing_over_none(), folder_opened(root, os.path.dirname(name)) as folder:
        return file_sha256(os.path.basename(name), folder=folder)
    return None


def remove_recorded(root: str, recorded: Mapping[str, Collection[str]]) -> list[str]:
    """Remove the regular files below a root that have one of the digests recorded for each; return their names.

    All are looked at before the first goes. Raises OSError.
    """
    found: list[tuple[str, int]] = []
    with contextlib.ExitStack() as stack:
        for name, digests in recorded.items():
            with _passing_over_none():
                folder = stack.enter_context(folder_opened(root, os.path.dirname(name)))
                if file_sha256(os.path.basename(name), folder=folder) in digests:
                    found.append((name, folder))
        for name, folder in found:
            os.unlink(os.path.basename(name), dir_fd=folder)
    return [name for name, _ in found]


@contextlib.contextmanager
def folder_opened(root: str | None, name: str) -> Iterator[int]:
    """Open a folder as open_folder() does, and close it in the end."""
    folder = open_folder(root, name)
    try:
        yield folder
    finally:
        os.close(folder)


@contextlib.contextmanager
def _passing_over_none() -> Iterator[None]:
    """Let pass what says that there is no such file of ours."""
    try:
        yield
    except FileFailed:
        return
    except OSError as error:
        if error.errno not in _NO_SUCH_FILE:
            raise


def remove_temporaries(folders: Iterable[str], prefix: str, root: str | None = None) -> None:
    """Remove what a killed worker, or all of a killed run, left in these folders: below `root` where one is given."""
    for folder in folders:
        with contextlib.suppress(OSError, FileFailed), folder_opened(root, folder) as fd:
            for name in names_in(fd, prefix):
                with contextlib.suppress(OSError):
                    os.unlink(name, dir_fd=fd)


def names_in(folder: int, prefix: str) -> list[str]:
    """Return what an open folder holds whose name begins so. Raises OSError."""
    # a descriptor of O_PATH cannot be listed
    listing = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=folder)
    try:
        with os.scandir(listing) as entries:
            return [entry.name for entry in entries if entry.name.startswith(prefix)]
    finally:
        os.close(listing)
