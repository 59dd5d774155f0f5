"""Names and headers of tars: what noisecli reads by itself is what tarfile reads."""

import contextlib
import io
import random
import tarfile

import pytest

from noisecli.errors import FileFailed
from noisecli.storage import SourceFile, folder_at
from noisecli.storage.tar.index import read_index
from noisecli.storage.tar.names import is_tar_location, renamed, split_key, split_tar, tars_of


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_headers_are_read_as_tarfile_reads_them(tmp_path, form):
    rng = random.Random(form)
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w", format=form) as tar:
        for number in range(60):
            folder = "/".join(rng.choices(["a", "bcd", "x" * 30, "é", "y.z"], k=rng.randrange(5)))
            info = tarfile.TarInfo(f"{folder}/{number}.bin".lstrip("/"))
            info.size = rng.choice([0, 1, 511, 512, 513, 3000])
            info.mtime = rng.choice([0, 1_700_000_000]) if form != tarfile.PAX_FORMAT else 1.5
            tar.addfile(info, io.BytesIO(bytes(info.size)))
            if number % 9 == 0:
                folder = tarfile.TarInfo(f"folder-{number}/")
                folder.type = tarfile.DIRTYPE
                tar.addfile(folder)
    with tarfile.open(path) as tar:
        expected = {info.name: (info.offset_data, info.size) for info in tar if info.isreg()}
    with SourceFile(str(path), 1 << 30) as file:
        assert read_index(file) == expected


def test_any_one_byte_changed_in_a_header_changes_no_reading_in_silence(tmp_path):
    """Each is refused, or read as tarfile reads it."""
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for name in ("a.png", "b.png"):
            info = tarfile.TarInfo(name)
            info.size = 5
            tar.addfile(info, io.BytesIO(b"12345"))
    whole, read = path.read_bytes(), 0
    with SourceFile(str(path), 1 << 30) as file:
        sound = read_index(file)
    for place in range(1024, 1536):
        changed = bytearray(whole)
        changed[place] ^= 1
        path.write_bytes(changed)
        with SourceFile(str(path), 1 << 30) as file, contextlib.suppress(FileFailed):
            assert read_index(file) == sound
            read += 1
    # what is behind the number of the checksum
    assert read <= 1


def _with_size(block, size):
    """Return a header that says this size, in the field of twelve bytes, and whose checksum is right."""
    changed = bytearray(block)
    changed[124:136] = size
    changed[148:156] = b" " * 8
    changed[148:156] = b"%06o\0 " % sum(changed)
    return bytes(changed)


def _pax(**fields):
    info = tarfile.TarInfo("a.png")
    info.pax_headers = fields
    return info.tobuf(tarfile.PAX_FORMAT)


def _extension(kind, size=b"00000000013\0"):
    info = tarfile.TarInfo("././@Extension")
    info.type = kind
    return _with_size(info.tobuf(), size)


LIES = {
    "below zero": _with_size(tarfile.TarInfo("a.png").tobuf(), b"\xff" * 12),
    "more than a number": _with_size(tarfile.TarInfo("a.png").tobuf(), b"\x80" + b"\xff" * 11),
    "pax, more than any file": _pax(size=str(10**15)),
    "pax, more than a number": _pax(size=str(10**30)),
    "pax, below zero": _pax(size="-1"),
    "pax header below zero": _extension(tarfile.XHDTYPE, b"\xff" * 12),
    "pax header of 8 GB": _extension(tarfile.XHDTYPE, b"77777777777\0"),
    "global pax header of 8 GB": _extension(tarfile.XGLTYPE, b"77777777777\0"),
    "name of 8 GB": _extension(tarfile.GNUTYPE_LONGNAME, b"77777777777\0"),
    "names without end": (_extension(tarfile.GNUTYPE_LONGNAME) + b"a" * 11 + bytes(501)) * 3000,
    "pax headers without end": (_extension(tarfile.XHDTYPE) + b"11 path=aa\n" + bytes(501)) * 3000,
}


@pytest.mark.parametrize("lie", LIES)
def test_headers_that_lie_about_sizes_are_the_tars_failure(tmp_path, lie):
    path = tmp_path / "x.tar"
    path.write_bytes(LIES[lie] + bytes(10_240))
    with SourceFile(str(path), 1 << 30) as file, pytest.raises(FileFailed) as failed:
        read_index(file)
    assert failed.value.reason in ("corrupt", "truncated")


def test_members_are_files(tmp_path):
    with tarfile.open(tmp_path / "x.tar", "w") as tar:
        info = tarfile.TarInfo("a/b.txt")
        info.size = 3
        tar.addfile(info, io.BytesIO(b"abc"))
    folder = folder_at(f"{tmp_path}/*.tar")
    assert [each.name for each in folder.files() if each.sort == "file"] == ["x.tar/a/b.txt"]
    assert folder.look("x.tar/a/b.txt").st_size == 3
    assert folder.look("x.tar/a/c.txt") is None
    assert folder.look("y.tar/a/c.txt") is None
    with folder.open("x.tar/a/b.txt") as file:
        assert (file.read(), file.suffix) == (b"abc", ".txt")
    with pytest.raises(FileFailed):
        folder.open("x.tar/a/b.txt", 2)
    (tmp_path / "x.tar").unlink()
    assert folder.look("x.tar/a/b.txt") is None


def test_locations():
    assert is_tar_location("a/*.tar")
    assert is_tar_location("a/{000..010}.tar")
    assert is_tar_location("s3://bucket/train-{00..10}.tar")
    assert not is_tar_location("a/x.tar")
    assert not is_tar_location("a/*.png")
    assert tars_of("x-{08..11}.tar") == ["x-08.tar", "x-09.tar", "x-10.tar", "x-11.tar"]
    assert tars_of("{a,b}.tar") == ["a.tar", "b.tar"]
    assert tars_of("*.tar") is None


def test_names():
    assert split_tar("std-5/0.tar/a/b.tar/c") == ("std-5/0.tar", "a/b.tar/c")
    assert split_tar("0.tar") is None
    assert split_key("a.b/c.d.png") == ("a.b/c", "d.png")
    assert split_key(".hidden") == split_key("README") == ("", "")
    assert renamed("a/c.left.png", "{stem}-{copy}{ext}", ".jpg", 2, "") == "a/c-2.left.jpg"
    assert renamed("README", "{stem}-{copy}{ext}", None, 2, "") == "README"
