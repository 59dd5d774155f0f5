"""A folder of tar shards over any other folder: what has a tar on its way is a member, all else is the other's."""

import errno
import os
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import BinaryIO, Self

from noisecli.errors import FileFailed, FileProblem, Refused
from noisecli.storage.folder import Folder, Listed
from noisecli.storage.hold import Hold
from noisecli.storage.names import escape_name
from noisecli.storage.output import OutputFile
from noisecli.storage.permissions import FileStatus, Status
from noisecli.storage.source import SourceFile
from noisecli.storage.tar.index import Place
from noisecli.storage.tar.members import MemberSource, status_of
from noisecli.storage.tar.names import has_star, split_tar, tars_of
from noisecli.storage.tar.opened import OpenTar, forget_all, open_tar
from noisecli.storage.tar.writer import TarWriter


class TarFolder(Folder):
    """Tars, and what lies beside them; see noisecli.storage.Folder.

    Parameters
    ----------
    location
        That of the folder, and in its last part which tars of it: *.tar, or {000000..000099}.tar, which is these alone.
    """

    def __init__(self, location: str, *, base: Folder | None = None) -> None:
        from noisecli.storage import folder_at

        folder, self._pattern = os.path.split(location)
        self.location = location
        self.base = base or folder_at(folder or ".")
        self._writers: dict[str, TarWriter] = {}

    @staticmethod
    def tar_of(name: str) -> str | None:
        parts = split_tar(name)
        return None if parts is None else parts[0]

    def exists(self) -> bool:
        return self.base.exists()

    def names(self) -> list[str]:
        return self.base.names()

    def files(self, *, follow_links: bool = False) -> Iterator[Listed]:
        asked = tars_of(self._pattern)
        if asked is not None:
            for name in asked:
                problem = self.base.problem_of(name, follow_links=follow_links)
                if problem is not None and problem.reason == "gone":
                    problem = FileFailed("gone", f"is not there, and {self._pattern} asks for it")
                yield from self._members(name) if problem is None else [Listed(name, problem)]
            return
        for listed in self.base.files(follow_links=follow_links):
            if split_tar(listed.name) is not None:
                tar = escape_name(self.tar_of(listed.name) or "")
                raise Refused(f"{escape_name(self.base.location)}: {tar} is a folder with the name of a tar; rename it")
            is_tar = listed.sort in ("file", "symlink") and listed.name.endswith(".tar") and listed.problem is None
            if is_tar and has_star(os.path.basename(listed.name), self._pattern):
                yield from self._members(listed.name, listed.outside)
            else:
                yield listed

    def _members(self, tar: str, outside: str | None = None) -> Iterator[Listed]:
        try:
            places = self._tar(tar).places
        except FileProblem as problem:
            yield Listed(tar, problem, outside=outside)
            return
        for member in places:
            is_hidden = os.path.basename(member).startswith(".")
            yield Listed(f"{tar}/{member}", sort="hidden" if is_hidden else "file", outside=outside)

    def members(self, tar: str) -> list[str]:
        """Return the names of a tar's members in its order, the tar's own in front. Raises FileProblem."""
        return [f"{tar}/{member}" for member in self._tar(tar).places]

    def _tar(self, name: str) -> OpenTar:
        return open_tar(self.base, name)

    @staticmethod
    def look_again() -> None:
        """Forget what was seen of all tars."""
        forget_all()

    def _place(self, name: str) -> tuple[OpenTar, Place] | None:
        """Return where a member lies; None where there is no such tar, or it has no such member. Raises OSError."""
        tar, member = split_tar(name) or ("", name)
        try:
            opened = self._tar(tar)
        except FileProblem as problem:
            if problem.reason in ("gone", "empty"):
                return None
            raise OSError(errno.EIO, problem.message, name) from problem
        place = opened.places.get(member)
        return None if place is None else (opened, place)

    def look(self, name: str, *, follow: bool = False) -> FileStatus | None:
        if split_tar(name) is None:
            return self.base.look(name, follow=follow)
        found = self._place(name)
        return None if found is None else status_of(found[0].file.status, found[1])

    def open(self, name: str, max_bytes: int = sys.maxsize) -> SourceFile:
        parts = split_tar(name)
        if parts is None:
            return self.base.open(name, max_bytes)
        tar, member = parts
        if tar in self._writers and (made := self._writers[tar].open_made(member)) is not None:
            return made
        opened = self._tar(tar)
        if member not in opened.places:
            raise FileFailed("gone", "is gone since the folder was listed")
        return MemberSource(name, opened.file, opened.places[member], max_bytes)

    def begin(self, tar: str, *, prefix: str, fsync: bool, like: Status | None) -> TarWriter:
        """Return the writer of a tar, whose members create() makes from now on. Raises FileFailed or Stopped."""
        output = self.base.create(tar, prefix=prefix, fsync=fsync, like=like)
        self._writers[tar] = TarWriter(output, self.base.location_of(tar))
        return self._writers[tar]

    def end(self) -> None:
        """Forget the writers."""
        self._writers.clear()

    def create(self, name: str, *, prefix: str, fsync: bool = False, like: Status | None = None) -> OutputFile:
        parts = split_tar(name)
        if parts is None:
            return self.base.create(name, prefix=prefix, fsync=fsync, like=like)
        return self._writers[parts[0]].file(parts[1], like)

    def remove(self, recorded: Mapping[str, Collection[str]]) -> list[str]:
        return self.base.remove({name: digests for name, digests in recorded.items() if split_tar(name) is None})

    def remove_own(self, name: str) -> None:
        self.base.remove_own(name)

    def location_of(self, name: str) -> str:
        return self.base.location_of(name)

    def survey(self) -> Self:
        return type(self)(self.location, base=self.base.survey())

    def says_ours(self, name: str) -> bool:
        return self.base.says_ours(name)

    def journals(self) -> Folder:
        return self.base.journals()

    def lease(self, journal: str, opened: int, *, force: bool) -> Hold:
        return self.base.lease(journal, opened, force=force)

    def identity(self) -> object:
        return self.base.identity()

    def modified(self) -> int | None:
        return self.base.modified()

    def set_modified(self, time: int) -> None:
        self.base.set_modified(time)

    def set_time(self, name: str, time: int) -> None:
        self.base.set_time(name, time)

    def folds_case(self, name: str) -> bool:
        return self.base.folds_case(name)

    def hold(self) -> Self:
        self.base.hold()
        return self

    def make(self) -> None:
        self.base.make()

    def remove_if_empty(self) -> None:
        self.base.remove_if_empty()

    def is_same(self, other: Folder) -> bool:
        return self.base.is_same(_base_of(other))

    def contains(self, other: Folder) -> bool:
        return self.base.contains(_base_of(other))

    def find(self, name: str, *, strict: bool = False) -> str | None:
        parts = split_tar(name)
        if parts is None or self.has(name):
            return self.base.find(name, strict=strict) if parts is None else name
        tar = self.base.find(parts[0], strict=strict)
        try:
            places = {} if tar is None else self._tar(tar).places
        except FileProblem:
            places = {}
        return next((f"{tar}/{member}" for member in places if escape_name(member) == parts[1]), None)

    def leads_out(self, name: str) -> bool:
        return self.base.leads_out(self.tar_of(name) or name)

    def sha256(self, name: str) -> str:
        return self.base.sha256(name) if split_tar(name) is None else super().sha256(name)

    def own_digest(self, name: str) -> str | None:
        return self.base.own_digest(name) if split_tar(name) is None else super().own_digest(name)

    def open_own(self, name: str) -> BinaryIO:
        return self.base.open_own(name)

    def write_own(
        self,
        name: str,
        chunks: Iterable[bytes],
        *,
        prefix: str | None = None,
        fsync: bool = False,
        time: int | None = None,
    ) -> None:
        self.base.write_own(name, chunks, prefix=prefix, fsync=fsync, time=time)

    def holds(self, name: str, content: Iterable[bytes]) -> bool:
        return self.base.holds(name, content)

    def copy(self, file: SourceFile, name: str, *, prefix: str, replace: bool) -> None:
        self.base.copy(file, name, prefix=prefix, replace=replace)

    def leads_to(self, name: str, target: str) -> bool:
        return self.base.leads_to(name, target)

    def narrow(self, name: str, mode: int) -> None:
        self.base.narrow(self.tar_of(name) or name, mode)

    def remove_temporaries(self, folders: Iterable[str], prefix: str) -> None:
        outer = {os.path.dirname(tar) if (tar := self.tar_of(f"{folder}/x")) else folder for folder in folders}
        self.base.remove_temporaries(outer, prefix)


def _base_of(folder: Folder) -> Folder:
    return folder.base if isinstance(folder, TarFolder) else folder
