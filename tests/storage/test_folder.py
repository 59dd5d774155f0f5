"""What every store promises, asked of a folder of the file system and of a store of one page: a dict in memory."""

import io
import os
import stat
import sys
import types
from typing import ClassVar, NamedTuple

import pytest

from noisecli.errors import FileFailed, Refused
from noisecli.manifest.destination import Names, runs_in
from noisecli.manifest.finished import RecordedRun
from noisecli.manifest.ledger import Ledger
from noisecli.manifest.reader import ManifestReader
from noisecli.model import Made, Problem
from noisecli.storage import STORES, Folder, Listed, OutputFile, SourceFile, file_at, folder_at
from noisecli.storage.digests import sha256
from noisecli.storage.hold import Hold
from noisecli.storage.scratch import ScratchFolder

PREFIX = ".noisecli-tmp-0-"


class Status(NamedTuple):
    st_size: int
    st_mode: int = stat.S_IFREG | 0o644
    st_gid: int = 0
    st_mtime_ns: int = 1
    st_ctime_ns: int = 1


class MemoryOutput(OutputFile):
    def __init__(self, folder, name, **options):
        self._scratch, self._target = ScratchFolder(), (folder, name)
        super().__init__(os.path.join(self._scratch.path, "spool"), **options)

    def _put_in_place(self, digest, replace, announce):
        folder, name = self._target
        if not replace and name in folder.content and sha256(folder.content[name]) != digest:
            raise FileFailed("foreign-file", "has another content")
        super()._put_in_place(digest, replace, announce)
        with open(os.path.join(self._scratch.path, "spool"), "rb") as file:
            folder.content[name] = file.read()

    def discard(self):
        super().discard()
        self._scratch.remove()


class MemoryHold(Hold):
    def __init__(self, folder, name):
        self._folder, self._name = folder, name

    def release(self):
        self._folder.remove_own(self._name)


class MemoryFolder(Folder):
    stores: ClassVar[dict] = {}
    beside: ClassVar[str]

    def __init__(self, location):
        self.location = location
        self.content = self.stores.setdefault(location, {})

    def exists(self):
        return bool(self.content)

    def names(self):
        return sorted({name.partition("/")[0] for name in self.content})

    def files(self, *, follow_links=False):
        for name in self.content:
            yield Listed(name)

    def look(self, name, *, follow=False):
        return Status(len(self.content[name])) if name in self.content else None

    def open(self, name, max_bytes=sys.maxsize):
        if name not in self.content:
            raise FileFailed("gone", "is gone since the folder was listed")
        with ScratchFolder() as scratch:
            path = os.path.join(scratch, "spool" + os.path.splitext(name)[1])
            with open(path, "wb") as file:
                file.write(self.content[name])
            return SourceFile(path, max_bytes)

    def create(self, name, *, prefix, fsync=False, like=None):
        return MemoryOutput(self, name, prefix=prefix, like=like)

    def remove(self, recorded):
        found = [name for name, digests in recorded.items() if self.own_digest(name) in digests]
        for name in found:
            del self.content[name]
        return found

    def remove_own(self, name):
        self.content.pop(name, None)

    def journals(self):
        return folder_at(self.beside)

    def lease(self, journal, opened, *, force):
        self.content[journal] = b""
        return MemoryHold(self, journal)

    def make(self):
        self.journals().make()


@pytest.fixture
def objects(tmp_path, monkeypatch):
    """A folder of an object store that this process holds, all of obstore but the server."""
    store = pytest.importorskip("obstore.store").MemoryStore()
    monkeypatch.setattr("noisecli.storage.objects.client._client", lambda *bucket, **options: store)
    monkeypatch.setenv("XDG_STATE_HOME", os.fspath(tmp_path / "state"))
    return folder_at("s3://bucket/there")


@pytest.fixture(params=["local", "memory", "objects"])
def folder(request, tmp_path, monkeypatch):
    if request.param == "objects":
        return request.getfixturevalue("objects")
    page = types.ModuleType("memory_store")
    page.MemoryFolder = MemoryFolder
    monkeypatch.setitem(sys.modules, "memory_store", page)
    monkeypatch.setitem(STORES, "memory", ("memory_store", "MemoryFolder"))
    monkeypatch.setattr(MemoryFolder, "stores", {})
    monkeypatch.setattr(MemoryFolder, "beside", os.fspath(tmp_path / "journals"), raising=False)
    return folder_at(os.fspath(tmp_path / "there") if request.param == "local" else "memory://there")


def put(folder, name, data, **options):
    with folder.create(name, prefix=PREFIX) as output:
        output.write(data)
        return output.commit(**options)


def listed(folder):
    """Return what a folder holds but its folders, which a store lists that knows their times."""
    return [each for each in folder.files() if each.sort != "folder"]


def read(folder, name):
    with folder.open(name) as file:
        return file.read()


def test_what_is_written_is_listed_looked_at_and_read(folder):
    assert not folder.exists()
    assert put(folder, "a/b.png", b"content") == (7, sha256(b"content"))
    assert folder.exists()
    assert (listed(folder), folder.names()) == ([Listed("a/b.png")], ["a"])
    assert folder.look("a/b.png").st_size == 7
    assert read(folder, "a/b.png") == b"content"
    with folder.open("a/b.png") as file:
        assert (file.suffix, file.size) == (".png", 7)
    assert folder.sha256("a/b.png") == folder.own_digest("a/b.png") == sha256(b"content")
    assert folder.has("a/b.png")
    assert folder.is_file("a/b.png")
    assert not folder.is_folder("a/b.png")
    assert folder.problem_of("a/b.png") is None
    assert folder.find("a/b.png") == "a/b.png"


def test_what_is_missing(folder):
    put(folder, "a.png", b"content")
    assert folder.look("b.png") is None
    assert folder.is_missing("b.png")
    assert not folder.has("b.png")
    assert not folder.is_file("b.png")
    assert not folder.is_folder("b.png")
    assert folder.own_digest("b.png") is None
    assert folder.find("b.png") is None
    assert folder.problem_of("b.png").reason == "gone"
    with pytest.raises(FileFailed) as failure:
        folder.open("b.png")
    assert failure.value.reason == "gone"
    with pytest.raises(FileNotFoundError):
        folder.open_own("b.png")
    folder.remove_own("b.png")


def test_a_name_that_is_taken(folder):
    put(folder, "a.png", b"old")
    assert put(folder, "a.png", b"old", replace=False) == (3, sha256(b"old"))
    with pytest.raises(FileFailed) as failure:
        put(folder, "a.png", b"new", replace=False)
    assert failure.value.reason == "foreign-file"
    assert read(folder, "a.png") == b"old"
    put(folder, "a.png", b"new")
    assert read(folder, "a.png") == b"new"


def test_what_is_not_committed_leaves_no_trace(folder):
    put(folder, "a.png", b"old")
    with folder.create("a.png", prefix=PREFIX) as output:
        output.write(b"half")
    assert (read(folder, "a.png"), folder.names()) == (b"old", ["a.png"])


def test_only_what_is_recorded_is_removed(folder):
    for name in ("a.png", "b.png"):
        put(folder, name, name.encode())
    recorded = {"a.png": [sha256(b"a.png")], "b.png": [sha256(b"edited")], "c.png": [sha256(b"c.png")]}
    assert folder.remove(recorded) == ["a.png"]
    assert folder.names() == ["b.png"]


def test_own_files(folder):
    folder.write_own("run.json", [b"{", b"}\n"], prefix=PREFIX)
    folder.write_own("run.json", iter([b"{}", b"\n\n"]))
    with folder.open_own("run.json") as file:
        assert file.read() == b"{}\n\n"
    assert isinstance(file, io.BufferedIOBase)
    folder.remove_own("run.json")
    assert folder.names() == []


def test_side_files(folder, tmp_path):
    (tmp_path / "a.txt").write_bytes(b"cat")
    with folder_at(os.fspath(tmp_path)).open("a.txt") as file:
        folder.copy(file, "labels/a.txt", prefix=PREFIX, replace=False)
        folder.copy(file, "labels/a.txt", prefix=PREFIX, replace=True)
    put(folder, "labels/b.txt", b"of somebody else")
    (tmp_path / "b.txt").write_bytes(b"dog")
    with folder_at(os.fspath(tmp_path)).open("b.txt") as file, pytest.raises(FileFailed):
        folder.copy(file, "labels/b.txt", prefix=PREFIX, replace=False)
    assert read(folder, "labels/b.txt") == b"of somebody else"
    folder.remove_own("labels/b.txt")
    assert read(folder, "labels/a.txt") == b"cat"
    assert listed(folder) == [Listed("labels/a.txt")]


def test_a_run_records_itself(folder):
    names, made = Names.of("manifest.jsonl"), Made("a.png", '{"file_name": "a.png", "sha256": ""}', {}, (), True)
    with Ledger(folder.location, names, fsync=False) as ledger:
        ledger.begin(PREFIX, {})
        ledger.note_made(made)
        assert RecordedRun(folder.location, "manifest.jsonl").is_interrupted
        assert runs_in(folder.location)[0] == names
        put(folder, "a.png", b"content")
        ledger.note_problem(Problem("b.png", "failed", "corrupt", "is damaged"))
        assert ledger.publish({"noisecli": "0"}, 0)
    assert not RecordedRun(folder.location, "manifest.jsonl").is_interrupted
    assert sorted(folder.names()) == ["a.png", "errors.jsonl", "manifest.jsonl", "run.json"]
    with ManifestReader.look(folder.location, names) as recorded:
        assert recorded.row("a.png") == {"file_name": "a.png", "sha256": ""}
        assert recorded.problems.keys() == {"b.png"}
    assert file_at(folder.location_of("a.png"))[0].is_same(folder)
    assert file_at(folder.location_of("a.png"))[1] == "a.png"


def test_which_folder_is_which(folder):
    put(folder, "a.png", b"content")
    inner, outer = folder_at(f"{folder.location}/inner"), folder_at(folder.location + "/")
    assert folder.is_same(outer)
    assert not folder.is_same(inner)
    assert folder.contains(inner)
    assert folder.contains(outer)
    assert not inner.contains(folder)
    assert not folder.contains(folder_at(f"{folder.location}-2"))
    assert folder.identity() == folder_at(folder.location).identity() is not None
    assert folder.location_of("a.png") == f"{folder.location}/a.png"


def test_a_folder_that_is_held_stays_the_same(tmp_path):
    held = folder_at(os.fspath(tmp_path / "there")).hold()
    (tmp_path / "there").rename(tmp_path / "elsewhere")
    (tmp_path / "there").mkdir()
    put(held, "a.png", b"content")
    assert os.listdir(tmp_path / "there") == []
    assert os.listdir(tmp_path / "elsewhere") == ["a.png"]


@pytest.mark.parametrize("at", [folder_at, file_at])
@pytest.mark.parametrize("url", ["nowhere://there", "s3://name:password@there/a.png", "Git+SSH://there"])
def test_a_scheme_that_no_store_has_is_refused_by_name_and_shows_no_password(at, url):
    with pytest.raises(Refused) as refusal:
        at(url)
    assert str(refusal.value).startswith(url.partition("://")[0] + "://: ")
    assert "password" not in str(refusal.value)


def test_what_only_looks_like_a_url_further_on_is_a_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    put(folder_at("./nowhere://there"), "a.png", b"content")
    assert (tmp_path / "nowhere:/there/a.png").read_bytes() == b"content"
