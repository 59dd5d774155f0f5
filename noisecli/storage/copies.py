"""Copies of side files, and symbolic links to them."""

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator

from noisecli.errors import FileFailed
from noisecli.storage.below import folder_opened, open_folder
from noisecli.storage.output import FOREIGN, output_error, write_all
from noisecli.storage.permissions import FileStatus, modes_like, widen
from noisecli.storage.renaming import rename_new
from noisecli.storage.source import SourceFile, unreadable

_PIECE, _KERNEL_PIECE = 1 << 20, 1 << 26


def copy_into(root: str, name: str, file: SourceFile, prefix: str, *, replace: bool) -> None:
    """Make a file below a root the copy of another, with its time and attributes."""
    with _placing(root, name, prefix) as (folder, temporary):
        _copy(file, temporary, folder)
        _put_in_place(temporary, name, folder, replace=replace)


def link_into(root: str, name: str, path: str, prefix: str, *, replace: bool) -> None:
    """Make a file below a root a relative symbolic link to a path."""
    with _placing(root, name, prefix) as (folder, temporary):
        where = os.path.realpath(os.path.dirname(os.path.join(root, name)))
        os.symlink(os.path.relpath(path, where), temporary, dir_fd=folder)
        _put_in_place(temporary, name, folder, replace=replace)


def leads_to(root: str, name: str, path: str) -> bool:
    """Whether a file below a root is a symbolic link to a path."""
    link = os.path.join(root, name)
    return os.path.islink(link) and os.path.realpath(link) == os.path.realpath(path)


def link_ends_with(root: str, name: str, path: str) -> bool:
    """Whether a file below a root is a symbolic link to a path below any folder."""
    try:
        return os.readlink(os.path.join(root, name)).endswith("/" + path)
    except OSError:
        return False


def remove_link(root: str, name: str, path: str) -> bool:
    """Remove a symbolic link to a path below a root; return whether it was one. Raises OSError."""
    if leads_to(root, name, path):
        with contextlib.suppress(FileFailed), folder_opened(root, os.path.dirname(name)) as folder:
            os.unlink(os.path.basename(name), dir_fd=folder)
            return True
    return False


def _put_in_place(temporary: str, name: str, folder: int, *, replace: bool) -> None:
    if replace:
        os.replace(temporary, os.path.basename(name), src_dir_fd=folder, dst_dir_fd=folder)
        return
    try:
        rename_new(temporary, os.path.basename(name), folder=folder)
    except FileExistsError:
        raise FileFailed("foreign-file", FOREIGN) from None


@contextlib.contextmanager
def _placing(root: str, name: str, prefix: str) -> Iterator[tuple[int, str]]:
    """Yield a file's open folder, and a temporary name in it; errors of the system are the output's."""
    temporary = prefix + secrets.token_hex(6)
    try:
        folder = open_folder(root, os.path.dirname(name), make=True)
        try:
            yield folder, temporary
        finally:
            with contextlib.suppress(OSError):
                os.unlink(temporary, dir_fd=folder)
            os.close(folder)
    except OSError as error:
        raise output_error(error, os.path.join(root, name)) from error


def is_copy(ours: FileStatus, theirs: FileStatus) -> bool:
    """Whether a copy is that of the side file as it is, and nobody can read it who cannot read that."""
    readers = stat.S_IRGRP | stat.S_IROTH
    alike = (ours.st_size, ours.st_mtime_ns) == (theirs.st_size, theirs.st_mtime_ns)
    return alike and stat.S_ISREG(ours.st_mode) and not ours.st_mode & ~theirs.st_mode & readers


def _copy(file: SourceFile, temporary: str, folder: int) -> None:
    """Copy a side file's content, time, permissions and what users have attached to it."""
    mode, wider = modes_like(file.status, 0o777)
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode, dir_fd=folder)
    try:
        widen(fd, wider, file.status)
        file.check_unchanged(_copy_content(file.fileno(), fd, file.size))
        _copy_attributes(file.fileno(), fd)
        os.utime(fd, ns=(file.status.st_atime_ns, file.status.st_mtime_ns))
    finally:
        os.close(fd)


def _copy_content(source: int, target: int, size: int) -> int:
    """Copy so many bytes, or one more where there are more; return how many."""
    copied = 0
    if size > _PIECE and hasattr(os, "copy_file_range"):
        # where this fails, reading and writing say which of the two files it is
        with contextlib.suppress(OSError):
            while count := os.copy_file_range(source, target, min(size - copied, _KERNEL_PIECE), offset_src=copied):
                copied += count
    while piece := _read(source, min(_PIECE, size + 1 - copied), copied):
        write_all(target, piece)
        copied += len(piece)
    return copied


def _read(source: int, count: int, offset: int) -> bytes:
    try:
        return os.pread(source, count, offset)
    except OSError as error:
        raise unreadable(error) from error


def _copy_attributes(source: int, target: int) -> None:
    """Copy extended attributes of users; those of the system say who may read, and those are set already."""
    if not hasattr(os, "listxattr"):
        return
    with contextlib.suppress(OSError):
        for name in os.listxattr(source):
            if name.startswith("user."):
                os.setxattr(target, name, os.getxattr(source, name))
