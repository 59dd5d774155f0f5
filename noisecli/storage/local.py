"""Folders on this machine."""

import contextlib
import os
import stat
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import BinaryIO, Self

from noisecli.errors import FileFailed, FileProblem, Refused
from noisecli.storage.below import digest_below, open_folder, remove_recorded, remove_temporaries
from noisecli.storage.copies import copy_into, is_copy, leads_to, link_ends_with, link_into, remove_link
from noisecli.storage.digests import file_sha256
from noisecli.storage.folder import Folder, Listed
from noisecli.storage.listing import files_below, problem_of_listed
from noisecli.storage.moving import rename_into
from noisecli.storage.names import escapes_by_symlink, find_escaped, lies_in
from noisecli.storage.output import FOREIGN, OutputFile, write_whole
from noisecli.storage.permissions import FileStatus, Status
from noisecli.storage.source import SourceFile, open_regular

_OTHERS = stat.S_IRGRP | stat.S_IWGRP | stat.S_IROTH | stat.S_IWOTH


class LocalFolder(Folder):
    """A folder of the file system. What is written or removed in it is reached as noisecli.storage.below says."""

    def __init__(self, location: str) -> None:
        self.location = location
        self._held: int | None = None

    def exists(self) -> bool:
        return os.path.isdir(self.location)

    def names(self) -> list[str]:
        return os.listdir(self.location)

    def files(self, *, follow_links: bool = False) -> Iterator[Listed]:
        return files_below(self.location, follow_links=follow_links)

    def look(self, name: str, *, follow: bool = False) -> FileStatus | None:
        path = self.location_of(name)
        try:
            return os.stat(path) if follow else os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def open(self, name: str, max_bytes: int = sys.maxsize) -> SourceFile:
        return SourceFile(self.location_of(name), max_bytes)

    def create(self, name: str, *, prefix: str, fsync: bool = False, like: Status | None = None) -> OutputFile:
        return OutputFile(name, root=self.location, root_opened=self._held, prefix=prefix, fsync=fsync, like=like)

    def remove(self, recorded: Mapping[str, Collection[str]]) -> list[str]:
        return remove_recorded(self.location, recorded)

    def remove_own(self, name: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.location_of(name))

    def location_of(self, name: str) -> str:
        return os.path.join(self.location, name)

    def journals(self) -> Folder:
        return self

    def modified(self) -> int | None:
        try:
            return os.stat(self.location).st_mtime_ns
        except OSError:
            return None

    def set_modified(self, time: int) -> None:
        with contextlib.suppress(OSError):
            os.utime(self.location, ns=(os.stat(self.location).st_atime_ns, time))

    def set_time(self, name: str, time: int) -> None:
        with contextlib.suppress(OSError, Refused), open_regular(self.location_of(name)) as file:
            os.utime(file.fileno(), ns=(os.fstat(file.fileno()).st_atime_ns, time))

    def folds_case(self, name: str) -> bool:
        path, capitals = self.location_of(name), self.location_of(name.upper())
        try:
            return os.path.samestat(os.lstat(path), os.lstat(capitals))
        except OSError:
            return False

    def is_one_file(self, first: str, second: str) -> bool:
        try:
            one, other = (os.lstat(self.location_of(name)) for name in (first, second))
        except (FileNotFoundError, NotADirectoryError):
            return False
        except (OSError, ValueError):
            # what cannot be seen may be
            return True
        return os.path.samestat(one, other)

    def identity(self) -> object:
        try:
            status = os.stat(self.location)
        except OSError:
            return None
        return (status.st_dev, status.st_ino) if stat.S_ISDIR(status.st_mode) else None

    def hold(self) -> Self:
        if self._held is None:
            self._held = open_folder(self.location, make=True)
        return self

    def make(self) -> None:
        os.makedirs(self.location, exist_ok=True)

    def remove_if_empty(self) -> None:
        with contextlib.suppress(OSError):
            os.rmdir(self.location)

    def is_same(self, other: Folder) -> bool:
        if not isinstance(other, LocalFolder):
            return False
        if os.path.realpath(self.location) == os.path.realpath(other.location):
            return True
        try:
            # a bind mount gives one folder two names
            return os.path.samefile(self.location, other.location)
        except OSError:
            return False

    def contains(self, other: Folder) -> bool:
        if not isinstance(other, LocalFolder):
            return False
        return lies_in(os.path.realpath(other.location), os.path.realpath(self.location))

    def find(self, name: str, *, strict: bool = False) -> str | None:
        return find_escaped(self.location, name, strict=strict)

    def leads_out(self, name: str) -> bool:
        return escapes_by_symlink(self.location, name)

    def problem_of(self, name: str, *, follow_links: bool = False) -> FileProblem | None:
        return problem_of_listed(self.location, name, follow_links=follow_links)

    def sha256(self, name: str) -> str:
        return file_sha256(self.location_of(name))

    def own_digest(self, name: str) -> str | None:
        return digest_below(self.location, name)

    def open_own(self, name: str) -> BinaryIO:
        return open_regular(self.location_of(name))

    def write_own(
        self,
        name: str,
        chunks: Iterable[bytes],
        *,
        prefix: str | None = None,
        fsync: bool = False,
        time: int | None = None,
    ) -> None:
        write_whole(name, chunks, root=self.location, prefix=prefix, fsync=fsync, time=time)

    def copy(self, file: SourceFile, name: str, *, prefix: str, replace: bool) -> None:
        copy_into(self.location, name, file, prefix, replace=replace)

    def take(self, other: Folder, name: str, digest: str, *, prefix: str) -> bool:
        try:
            if isinstance(other, LocalFolder) and rename_into(self.location, name, other.location):
                return False
        except FileExistsError:
            raise FileFailed("foreign-file", FOREIGN) from None
        return super().take(other, name, digest, prefix=prefix)

    def link(self, target: str, name: str, *, prefix: str, replace: bool) -> None:
        link_into(self.location, name, target, prefix, replace=replace)

    def leads_to(self, name: str, target: str) -> bool:
        return leads_to(self.location, name, target)

    def link_ends_with(self, name: str, path: str) -> bool:
        return link_ends_with(self.location, name, path)

    def remove_link(self, name: str, target: str) -> bool:
        return remove_link(self.location, name, target)

    def is_copied(self, ours: FileStatus, theirs: FileStatus) -> bool:
        return is_copy(ours, theirs) and theirs.st_ctime_ns <= ours.st_ctime_ns

    def narrow(self, name: str, mode: int) -> None:
        path = self.location_of(name)
        own = stat.S_IMODE(os.lstat(path).st_mode)
        if wider := own & ~mode & _OTHERS:
            # where modes mean nothing, they stay
            with contextlib.suppress(OSError):
                os.chmod(path, own & ~wider)

    def remove_temporaries(self, folders: Iterable[str], prefix: str) -> None:
        remove_temporaries(folders, prefix, self.location)
