"""What a store is to the rest: a folder that is listed, looked into, read and written."""

from __future__ import annotations

import contextlib
import io
import os
import stat
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import BinaryIO, Literal, NamedTuple, Protocol, Self

from noisecli.errors import FileFailed, FileProblem, FileSkipped, Refused, Stopped
from noisecli.storage.hold import Hold
from noisecli.storage.leftovers import held_prefix
from noisecli.storage.names import escape_name, lies_in
from noisecli.storage.output import OutputFile
from noisecli.storage.permissions import FileStatus, Readers, Status, readers_of
from noisecli.storage.source import SourceFile


class Listed(NamedTuple):
    """A name that a folder holds, at any depth."""

    name: str
    problem: FileProblem | None = None
    """Why it cannot be a source."""
    sort: Literal["file", "symlink", "hidden", "unlisted", "followed", "folder"] = "file"
    """Hidden names are not looked at, an unlisted folder is one whose names nobody knows; what a followed one holds,
    which a symbolic link leads to, is listed after it. A folder is one whose names are listed."""
    outside: str | None = None
    """Where a symbolic link that is followed leads to, out of the folder: a folder, or the one that a file lies in."""
    inside: str | None = None
    """The name in the folder of the file that a symbolic link leads to."""


class Folder(Protocol):
    """A source or a destination: files by their relative POSIX paths; `location` is the path or URL asked for.

    A store writes exists(), names(), files(), look(), open(), create(), remove(), remove_own() and journals(). The rest
    is written with these, and written again where the store can do it better or has more, as links and permissions.
    """

    location: str

    def exists(self) -> bool:
        """Whether there is such a folder."""

    def names(self) -> list[str]:
        """Return what it holds, files and folders, one level deep. Raises OSError."""

    def folders(self) -> list[str]:
        """Return the names of the folders in it, one level deep. Raises OSError."""
        return [name for name in self.names() if self.is_folder(name)]

    def files(self, *, follow_links: bool = False) -> Iterator[Listed]:
        """Yield what it holds at any depth. Raises Refused where it cannot be listed.

        With `follow_links`, what symbolic links lead to that lies outside is part of it.
        """

    def look(self, name: str, *, follow: bool = False) -> FileStatus | None:
        """Return a file's size, times and permissions; None where there is none for certain.

        With `follow`, those of what a symbolic link leads to. Raises OSError where that cannot be seen, and ValueError
        for a name that no file can have.
        """

    def open(self, name: str, max_bytes: int = sys.maxsize) -> SourceFile:
        """Open a file for reading, wherever symbolic links lead. Raises FileFailed, FileSkipped or Stopped."""

    def create(self, name: str, *, prefix: str, fsync: bool = False, like: Status | None = None) -> OutputFile:
        """Return a file that takes its name when it is whole, or leaves no trace. Raises FileFailed or Stopped."""

    def remove(self, recorded: Mapping[str, Collection[str]]) -> list[str]:
        """Remove the files that have one of the digests recorded for them; return their names. Raises OSError."""

    def remove_own(self, name: str) -> None:
        """Remove one of noisecli's own files, if it is there. Raises OSError."""

    def tar_of(self, name: str) -> str | None:
        """Return the tar that a name leads into; None for what is in none."""
        return None

    def survey(self) -> Self:
        """Return it for many looks at what is there now, where a listing costs less than they do; not for long."""
        return self

    def says_ours(self, name: str) -> bool:
        """Whether a file says of itself, past all doubt, that noisecli put it there. Raises OSError."""
        return False

    def location_of(self, name: str) -> str:
        """Return where a file is, for messages."""
        return f"{self.location.rstrip('/')}/{name}"

    def journals(self) -> Folder:
        """Return the folder on this machine that holds the journals of runs on this one: they are locked."""

    def lease(self, journal: str, opened: int, *, force: bool) -> Hold:
        """Hold it for the run whose journal is opened and locked; with `force`, whoever else does. Raises Stopped.

        Until that is released, a file of the journal's name is there for all who look, wherever they are.
        """
        return Hold()

    def identity(self) -> object:
        """Return what distinguishes this folder from another that takes its name; None where there is none."""
        return self.location

    def modified(self) -> int | None:
        """Return when the list of its names changed last, in nanoseconds; None where there is no such time."""
        return None

    def set_modified(self, time: int) -> None:
        """Set what modified() returns, where that is allowed."""

    def set_time(self, name: str, time: int) -> None:
        """Set when one of noisecli's own files was changed last, in nanoseconds, where that is allowed."""

    def folds_case(self, name: str) -> bool:
        """Whether a file that is there is found by its name in capitals too."""
        return False

    def is_one_file(self, first: str, second: str) -> bool:
        """Whether two names that differ lead to one file, as where the case of letters does not count."""
        return False

    def hold(self) -> Self:
        """Create it where it is missing, and stay with it whatever takes its name. Raises OSError."""
        return self

    def make(self) -> None:
        """Create it, and the folder of its journals, where they are missing. Raises OSError."""

    def remove_if_empty(self) -> None:
        """Remove the folder itself, where it holds nothing."""

    def is_same(self, other: Folder) -> bool:
        """Whether two names lead to one folder."""
        return self.location.rstrip("/") == other.location.rstrip("/")

    def contains(self, other: Folder) -> bool:
        """Whether another folder is this one or lies in it."""
        return lies_in(other.location.rstrip("/"), self.location.rstrip("/"))

    def has(self, name: str, *, follow: bool = False) -> bool:
        """Whether something of that name can be seen."""
        try:
            return self.look(name, follow=follow) is not None
        except (OSError, ValueError):
            return False

    def is_file(self, name: str) -> bool:
        """Whether a name is that of a regular file, or of a symbolic link to one."""
        return stat.S_ISREG(self._mode(name))

    def is_folder(self, name: str) -> bool:
        """Whether a name is that of a folder, or of a symbolic link to one."""
        return stat.S_ISDIR(self._mode(name))

    def _mode(self, name: str) -> int:
        status = self._status(name)
        return 0 if status is None else status.st_mode

    def _status(self, name: str) -> FileStatus | None:
        with contextlib.suppress(OSError, ValueError):
            return self.look(name, follow=True)
        return None

    def is_missing(self, name: str) -> bool:
        """Whether there is certainly nothing of that name; what cannot be looked up may be there."""
        try:
            return self.look(name) is None
        except ValueError:
            return True
        except OSError:
            return False

    def find(self, name: str, *, strict: bool = False) -> str | None:
        """Return the name that escape_name() spells so; None where there is none.

        With `strict`, OSError is raised where a folder on the way cannot be listed.
        """
        return name if self.has(name) else None

    def leads_out(self, name: str) -> bool:
        """Whether a symbolic link on the way to a file leads out of the folder."""
        return False

    def problem_of(self, name: str, *, follow_links: bool = False) -> FileProblem | None:
        """Return why a name from somebody's list cannot be a source; `follow_links` as for files()."""
        return None if self.has(name) else not_there()

    def sha256(self, name: str) -> str:
        """Return the digest of a file, wherever symbolic links lead. Raises OSError, FileFailed or FileSkipped."""
        with self.open(name) as file:
            return file.sha256()

    def own_digest(self, name: str) -> str | None:
        """Return the digest of an output; None for what is missing or is none, as a link. Raises OSError."""
        try:
            return self.sha256(name)
        except (FileFailed, FileSkipped):
            return None

    def open_own(self, name: str) -> BinaryIO:
        """Open one of noisecli's own files. Raises Refused for what is no regular file, and OSError."""
        if self.look(name) is None:
            raise FileNotFoundError(name)
        with self.open(name) as file:
            return io.BytesIO(file.read())

    def write_own(
        self,
        name: str,
        chunks: Iterable[bytes],
        *,
        prefix: str | None = None,
        fsync: bool = False,
        time: int | None = None,
    ) -> None:
        """Replace one of noisecli's own files; `time` is what set_time() would set. Raises Stopped."""
        try:
            with self.create(name, prefix=prefix or held_prefix(), fsync=fsync) as output:
                with os.fdopen(os.dup(output.fileno()), "wb") as file:
                    file.writelines(chunks)
                output.commit()
        except FileProblem as error:
            raise Stopped(f"{escape_name(self.location_of(name))}: {error}") from error

    def holds(self, name: str, content: Iterable[bytes]) -> bool:
        """Whether one of noisecli's own files has this content already; what cannot be read has not."""
        with contextlib.suppress(OSError, Refused), self.open_own(name) as file:
            return all(file.read(len(chunk)) == chunk for chunk in content) and not file.read(1)
        return False

    def copy(self, file: SourceFile, name: str, *, prefix: str, replace: bool) -> None:
        """Make a file the copy of a side file. Raises FileFailed or Stopped.

        Without `replace`, "foreign-file" where something has the name.
        """
        with self.create(name, prefix=prefix, like=file.status) as output:
            output.write(file.read())
            output.commit(replace=replace)

    def take(self, other: Folder, name: str, digest: str, *, prefix: str) -> bool:
        """Move a regular file of another folder here, under its own name; return whether it had to be copied.

        Raises FileFailed: "foreign-file" where the name is taken, "changed" where the content is not the one recorded.
        """
        with other.open(name) as file:
            if file.sha256() != digest:
                raise FileFailed("changed", "is not what its row says")
            self.copy(file, name, prefix=prefix, replace=False)
        if self.own_digest(name) != digest:
            self.remove_own(name)
            raise FileFailed("changed", "was changed while it was copied")
        other.remove({name: [digest]})
        return True

    def link(self, target: str, name: str, *, prefix: str, replace: bool) -> None:
        """Make a file a symbolic link to a path; `replace` and errors as for copy()."""
        raise FileFailed("unwritable", "its output cannot be written: there are no links here")

    def leads_to(self, name: str, target: str) -> bool:
        """Whether a file is a symbolic link to a path, whether there is something there or not."""
        return False

    def link_ends_with(self, name: str, path: str) -> bool:
        """Whether a file is a symbolic link to a path below any folder."""
        return False

    def remove_link(self, name: str, target: str) -> bool:
        """Remove a file that is a symbolic link to a path; return whether it was. Raises OSError."""
        return False

    def readers(self, names: Iterable[str]) -> Readers:
        """Return who may read all of some files; those that are gone forbid nothing."""
        return readers_of(filter(None, map(self._status, names)))

    def is_copied(self, ours: FileStatus, theirs: FileStatus) -> bool:
        """Whether a file here, by sizes and times, is the copy of a side file as that is."""
        return ours.st_size == theirs.st_size and theirs.st_mtime_ns < ours.st_mtime_ns

    def narrow(self, name: str, mode: int) -> None:
        """Take from a file the rights of group and others that a mode does not give. Raises OSError."""

    def remove_temporaries(self, folders: Iterable[str], prefix: str) -> None:
        """Remove from some of its folders what a killed worker, or all of a killed run, left there."""


def not_there() -> FileFailed:
    """Return what a missing name from somebody's list means."""
    return FileFailed("gone", "was listed and is not there; names are relative to SRC, with a NUL behind each")
