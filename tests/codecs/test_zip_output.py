"""zipfile takes a seek that fails for a pipe; here it is the error of the system that it is."""

import io
import zipfile

import pytest

from noisecli.codecs.zips import create_archive


class File(io.BytesIO):
    def __init__(self, failing):
        super().__init__()
        self.calls, self.failing = 0, failing

    def seek(self, *arguments):
        self.calls += 1
        if self.calls == self.failing:
            raise OSError(5, "a failing disk")
        return super().seek(*arguments)


def write(file):
    with create_archive(file) as archive:
        archive.writestr(zipfile.ZipInfo("a"), b"some bytes")


def test_every_seek_that_fails_is_raised(capfd):
    whole = File(0)
    write(whole)
    assert whole.calls >= 3
    for failing in range(1, whole.calls + 1):
        with pytest.raises(OSError, match="a failing disk"):
            write(File(failing))
    assert zipfile.ZipFile(whole).read("a") == b"some bytes"
    assert capfd.readouterr() == ("", "")
