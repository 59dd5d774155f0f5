"""Labels, transcripts and masks beside the data: additive noise moves no pixel, so they stay true."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import sys
from collections.abc import Callable, Iterable, Iterator

from noisecli.errors import FileProblem, Refused
from noisecli.model import Problem
from noisecli.run.summary import Summary
from noisecli.settings import Settings
from noisecli.storage import (
    SourceFile,
    escape_name,
    file_sha256,
    modes_like,
    open_folder,
    output_error,
    unreadable,
    widen,
)
from noisecli.workers.problems import problem_of

_PIECE, _KERNEL_PIECE = 1 << 20, 1 << 26

Pairs = Iterable[tuple[str, str]]
"""Side files, and where each goes: relative to the source folder, and to the destination."""


def copy_all(settings: Settings, pairs: Pairs, prefix: str, summary: Summary, note: Callable[[Problem], None]) -> None:
    """Carry side files along, and count those that are in all their places; one that cannot be costs itself.

    Raises Stopped where nothing more can be written.
    """
    carried: set[str] = set()
    failed: set[str] = set()
    try:
        for source, name in pairs:
            try:
                _carry(settings, source, name, prefix)
            except Exception as error:
                failed.add(source)
                note(problem_of(source, error))
            else:
                carried.add(source)
    finally:
        summary.sidecars_copied = len(carried - failed)


def refuse_edited(settings: Settings, pairs: Pairs) -> None:
    """Refuse to replace side files that were changed in the destination, after they were copied there."""
    if settings.output.sidecars == "skip":
        return
    for source, name in pairs:
        target = os.path.join(settings.destination, name)
        if _is_edited(os.path.join(settings.source, source), target, settings.output.sidecars):
            shown = escape_name(target)
            raise Refused(f"{shown}: is newer than the side file it would be replaced by; move it, or add --force")


def _is_edited(source: str, target: str, how: str) -> bool:
    try:
        ours, theirs = os.lstat(target), os.stat(source)
    except OSError:
        # nothing there, or nothing to be put there
        return False
    if stat.S_ISLNK(ours.st_mode) or (how == "copy" and _same(ours, theirs)):
        return False
    if not stat.S_ISDIR(ours.st_mode) and ours.st_mtime_ns <= theirs.st_mtime_ns:
        return False
    regular = stat.S_ISREG(ours.st_mode) and stat.S_ISREG(theirs.st_mode)
    return not (regular and ours.st_size == theirs.st_size and _hold_the_same(source, target))


def _hold_the_same(source: str, target: str) -> bool:
    try:
        with SourceFile(source, sys.maxsize) as file:
            digest = file.sha256()
    except (FileProblem, OSError):
        # what cannot be read takes nobody's place; carrying it says so
        return True
    try:
        return file_sha256(target) == digest
    except OSError:
        return False


def _carry(settings: Settings, source: str, name: str, prefix: str) -> None:
    """Make an output of a side file: a copy with its time, or a relative symbolic link to it.

    Raises FileFailed or FileSkipped for the side file; FileFailed or Stopped where it cannot be written.
    """
    path, target = os.path.join(settings.source, source), os.path.join(settings.destination, name)
    with _telling(target):
        folder = open_folder(settings.destination, os.path.dirname(name), make=True)
    temporary = prefix + secrets.token_hex(6)
    try:
        if settings.output.sidecars == "link":
            with _telling(target):
                if not (os.path.islink(target) and os.path.realpath(target) == os.path.realpath(path)):
                    os.symlink(
                        os.path.relpath(path, os.path.realpath(os.path.dirname(target))), temporary, dir_fd=folder
                    )
                    _put_in_place(folder, temporary, name)
            return
        with SourceFile(path, sys.maxsize) as file:
            with contextlib.suppress(OSError):
                if _same(os.lstat(os.path.basename(name), dir_fd=folder), file.status):
                    return
            with _telling(target):
                _copy(file, temporary, folder)
                _put_in_place(folder, temporary, name)
    finally:
        with contextlib.suppress(OSError):
            os.unlink(temporary, dir_fd=folder)
        os.close(folder)


@contextlib.contextmanager
def _telling(target: str) -> Iterator[None]:
    """Tell errors of the system as the output's; those of the side file have been told as its own by then."""
    try:
        yield
    except OSError as error:
        raise output_error(error, target) from error


def _put_in_place(folder: int, temporary: str, name: str) -> None:
    os.replace(temporary, os.path.basename(name), src_dir_fd=folder, dst_dir_fd=folder)


def _same(ours: os.stat_result, theirs: os.stat_result) -> bool:
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
        view = memoryview(piece)
        while view:
            view = view[os.write(target, view) :]
        copied += len(piece)
    return copied


def _read(source: int, count: int, offset: int) -> bytes:
    try:
        return os.pread(source, count, offset)
    except OSError as error:
        raise unreadable(error) from error


def _copy_attributes(source: int, target: int) -> None:
    """Copy extended attributes of users; those of the system say who may read, and that is told already."""
    if not hasattr(os, "listxattr"):
        return
    with contextlib.suppress(OSError):
        for name in os.listxattr(source):
            if name.startswith("user."):
                os.setxattr(target, name, os.getxattr(source, name))
