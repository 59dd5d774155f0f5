"""Folders in an object store: the objects below a prefix of a bucket."""

import contextlib
import errno
import hashlib
import mimetypes
import os
import secrets
import sys
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property, partial
from typing import Any, BinaryIO, Self

from noisecli.errors import FileFailed, Refused, Stopped
from noisecli.storage.folder import Folder, Listed
from noisecli.storage.hold import Hold
from noisecli.storage.local import LocalFolder
from noisecli.storage.names import escape_name
from noisecli.storage.objects.client import ask, client, patiently, put
from noisecli.storage.objects.lease import Lease
from noisecli.storage.objects.listing import listed, objects_below, status_of
from noisecli.storage.objects.probe import try_to_put
from noisecli.storage.objects.spool import ObjectOutput, ObjectSource, close, fill, new_spool
from noisecli.storage.output import FOREIGN, OutputFile
from noisecli.storage.permissions import FileStatus, Readers, Status
from noisecli.storage.source import SourceFile, unreadable

_MARK = "noisecli"
_ONE_PUT = 64 << 20
"""Up to this size an object is put by one request; larger ones in parts, which no condition of the store goes with."""
_FEW_LOOKS = 64


class ObjectFolder(Folder):
    """A prefix of a bucket; see noisecli.storage.folder.Folder."""

    def __init__(self, location: str, *, surveys: bool = False) -> None:
        scheme, _, rest = location.partition("://")
        bucket, _, prefix = rest.partition("/")
        if not bucket or not {"@", ":"}.isdisjoint(bucket):
            # whatever stands before an @ may be a password, and is not shown
            raise Refused(
                f"{scheme}://: write {scheme}://BUCKET/FOLDER; credentials are read from the environment alone"
            )
        self.location, self._bucket_url = location.rstrip("/"), (scheme, bucket)
        self._prefix = prefix.rstrip("/")
        if not {"", ".", ".."}.isdisjoint(self._prefix.split("/")) and self._prefix:
            raise Refused(f"{escape_name(location)}: no part of a URL may be empty, . or ..; write it without")
        self._looks = 0
        self._surveyed: dict[str, FileStatus] | None = None
        self._surveys = surveys

    @property
    def _bucket(self) -> Any:
        return client(*self._bucket_url)

    @cached_property
    def _library(self) -> Any:
        self._bucket  # noqa: B018  says that the library is missing
        import obstore

        return obstore

    def _key(self, name: str) -> str:
        return f"{self._prefix}/{name}" if self._prefix else name

    def exists(self) -> bool:
        try:
            return any(True for _ in objects_below(self._bucket, self._prefix))
        except FileNotFoundError:
            return False
        except OSError as error:
            raise self._unlisted(error) from error

    def names(self) -> list[str]:
        folders, objects = self._level()
        return sorted({*folders, *objects})

    def folders(self) -> list[str]:
        return self._level()[0]

    def _level(self) -> tuple[list[str], list[str]]:
        """Return the names of folders and objects, one level deep."""
        try:
            found = patiently(lambda: ask(self._library.list_with_delimiter, self._bucket, self._prefix or None))
        except FileNotFoundError:
            raise
        except OSError as error:
            raise self._unlisted(error) from error
        objects = (meta["path"] for meta in found["objects"] if meta["path"] != self._prefix)
        return list(map(os.path.basename, found["common_prefixes"])), list(map(os.path.basename, objects))

    def files(self, *, follow_links: bool = False) -> Iterator[Listed]:
        try:
            yield from listed(self._objects())
        except OSError as error:
            raise self._unlisted(error) from error

    def _unlisted(self, error: OSError) -> Refused:
        others = "see that the server answers, then run again"
        what_to_do = {
            errno.EACCES: "check the credentials in the environment, and what they allow",
            errno.EINVAL: "rename or remove that object",
        }.get(error.errno or 0, others)
        return Refused(f"{escape_name(self.location)}: cannot be listed: {error.strerror}; {what_to_do}")

    def _objects(self) -> Iterator[str]:
        surveyed = dict[str, FileStatus]()
        for found in objects_below(self._bucket, self._prefix):
            if self._surveys:
                surveyed[found.name] = found.status
            yield found.name
        if self._surveys:
            self._surveyed = surveyed

    def survey(self) -> Self:
        return type(self)(self.location, surveys=True)

    def look(self, name: str, *, follow: bool = False) -> FileStatus | None:
        if self._surveys and self._surveyed is None:
            self._looks += 1
            if self._looks > _FEW_LOOKS:
                deque(self._objects(), 0)
        if self._surveyed is not None:
            return self._surveyed.get(name)
        try:
            return status_of(ask(self._library.head, self._bucket, self._key(name)))
        except FileNotFoundError:
            return None
        except OSError as error:
            self._refuse_outage(error)
            raise

    def is_folder(self, name: str) -> bool:
        return ObjectFolder(self.location_of(name)).exists()

    def open(self, name: str, max_bytes: int = sys.maxsize) -> SourceFile:
        try:
            return self._spooled(name, max_bytes)
        except ValueError as error:
            raise FileFailed("unreadable", f"cannot be read: {error}") from error
        except OSError as error:
            self._refuse_outage(error)
            if error.errno in (errno.ENOENT, errno.EACCES):
                raise unreadable(error) from error
            raise FileFailed("unreadable", f"cannot be read: {error.strerror}; run again to try once more") from error

    def _spooled(self, name: str, max_bytes: int = sys.maxsize) -> ObjectSource:
        return patiently(lambda: self._fetched(name, max_bytes))

    def _fetched(self, name: str, max_bytes: int) -> ObjectSource:
        found = ask(self._library.get, self._bucket, self._key(name))
        status = status_of(found.meta)
        if status.st_size > max_bytes:
            raise FileFailed("too-large", f"has {status.st_size:,} bytes; raise --max-bytes to allow it")
        fd = new_spool(status.st_size)
        try:
            source = ObjectSource(os.path.splitext(name)[1], fd, status)
            pieces = iter(found.stream(min_chunk_size=1 << 20))
            source.check_unchanged(fill(fd, iter(lambda: bytes(ask(next, pieces, b"")), b"")))
        except BaseException:
            close(fd)
            raise
        return source

    def _refuse_outage(self, error: OSError, *, writing: bool = False) -> None:
        """Raise Stopped where it is not this object that the store refuses, but all: every other would fail too."""
        if error.errno in (errno.ENOENT, errno.EEXIST):
            return
        bucket = client(*self._bucket_url, quick=True)
        try:
            if writing:
                try_to_put(self._library, bucket, self._prefix)
            else:
                ask(self._library.list_with_delimiter, bucket, self._key(secrets.token_hex(4)))
        except OSError:
            refuses = f"refuses {'new' if writing else 'its'} objects"
            what = refuses if error.errno in (errno.EACCES, errno.EIO) else "cannot be reached"
            words = f"{what}: {error.strerror}; the run stops here, run it again to go on"
            if error.errno == errno.EACCES:
                words = f"{what}: {error.strerror}; see which credentials this machine has, and run it again to go on"
            raise Stopped(f"{escape_name(self.location)}: {words}") from error

    def create(self, name: str, *, prefix: str, fsync: bool = False, like: Status | None = None) -> OutputFile:
        return ObjectOutput(self.location_of(name), partial(self._put, name))

    def _put(self, name: str, fd: int, size: int, digest: str, replace: bool) -> None:
        kind, _ = mimetypes.guess_type(name)
        options: dict[str, Any] = {
            "attributes": {_MARK: self._mark(name, digest)} | ({"Content-Type": kind} if kind else {})
        }
        try:
            if size <= _ONE_PUT:
                mode = "overwrite" if replace else "create"
                content = os.pread(fd, size + 1, 0)
                put(self._bucket, self._key(name), content, mode=mode, **options)
                return
            if not replace and self.look(name) is not None:
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
            patiently(lambda: self._put_in_parts(name, fd, options))
        except ValueError as error:
            raise FileFailed("unwritable", f"its output cannot be written: {error}") from error
        except FileExistsError as error:
            if self.own_digest(name) != digest:
                raise FileFailed("foreign-file", FOREIGN) from error
        except OSError as error:
            self._refuse_outage(error, writing=True)
            raise FileFailed("unwritable", f"its output cannot be written: {error.strerror}") from error

    def _put_in_parts(self, name: str, fd: int, options: dict[str, Any]) -> None:
        with os.fdopen(os.dup(fd), "rb") as file:
            file.seek(0)
            ask(self._library.put, self._bucket, self._key(name), file, use_multipart=True, **options)

    @staticmethod
    def _mark(name: str, digest: str) -> str:
        """Return what an object of ours says of itself: its content's digest, and that of its name."""
        return f"{digest} {hashlib.sha256(name.encode(errors='surrogateescape')).hexdigest()[:16]}"

    def says_ours(self, name: str) -> bool:
        """Whether an object says of itself that noisecli put it there, under this name and as it is."""
        try:
            found = ask(self._library.get, self._bucket, self._key(name), options={"head": True})
        except FileNotFoundError:
            return False
        digest, _, _ = str(found.attributes.get(_MARK, "")).partition(" ")
        return bool(digest) and found.attributes[_MARK] == self._mark(name, digest)

    def remove(self, recorded: Mapping[str, Collection[str]]) -> list[str]:
        found = [name for name, digests in recorded.items() if self.own_digest(name) in digests]
        for name in found:
            self.remove_own(name)
        return found

    def remove_own(self, name: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            ask(self._library.delete, self._bucket, self._key(name))

    def sha256(self, name: str) -> str:
        with self._spooled(name) as file:
            return file.sha256()

    def own_digest(self, name: str) -> str | None:
        try:
            return self.sha256(name)
        except (FileNotFoundError, ValueError, FileFailed):
            return None

    def open_own(self, name: str) -> BinaryIO:
        source = self._spooled(name)
        os.lseek(source.fileno(), 0, os.SEEK_SET)
        return os.fdopen(source.fileno(), "rb")

    def journals(self) -> Folder:
        home = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
        name = f"{self._bucket_url[1]}-{hashlib.sha256(self.location.encode()).hexdigest()[:16]}"
        return LocalFolder(os.path.join(home, "noisecli", name))

    def lease(self, journal: str, opened: int, *, force: bool) -> Hold:
        quick = client(*self._bucket_url, quick=True)
        return Lease(self._bucket, quick, self._key(journal), self.location, opened, self.journals(), force=force)

    def make(self) -> None:
        self.journals().make()

    def remove_if_empty(self) -> None:
        self.journals().remove_if_empty()

    def set_modified(self, time: int) -> None:
        """Do nothing: the store says when an object was put."""

    def set_time(self, name: str, time: int) -> None:
        """Do nothing, as set_modified()."""

    def readers(self, names: Iterable[str]) -> Readers:
        return Readers(0o666, -1)

    def narrow(self, name: str, mode: int) -> None:
        """Do nothing: the bucket says who may read."""

    def remove_temporaries(self, folders: Iterable[str], prefix: str) -> None:
        """Do nothing: a worker that is killed leaves no object behind."""
