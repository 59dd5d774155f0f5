"""Where the extra named heic is not installed."""

import sys

import pytest

from noisecli.codecs.image.heic import header
from noisecli.errors import FileFailed, FileSkipped


def test_a_heic_is_skipped_by_name_with_both_ways_out(monkeypatch, open_picture):
    monkeypatch.setattr(header, "find_spec", lambda name: None)
    with pytest.raises(FileSkipped, match=r"pip install pillow-heif, or convert it: heif-convert") as caught:
        open_picture(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", ".heic")
    assert caught.value.reason == "unsupported-format"


def test_a_heic_cannot_be_written_and_the_extra_is_named(monkeypatch, photo, encode, copy):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(FileFailed, match=r"pip install pillow-heif") as caught:
        copy(encode(".png", photo), format="heic")
    assert caught.value.reason == "no-encoder"
