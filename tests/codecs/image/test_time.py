"""Time grows with a file's length, not with its square: ten times the bytes in some ten times the time."""

import contextlib
import struct
import time

import numpy as np
import pytest

from noisecli.codecs.image.detect import read_header
from noisecli.errors import FileFailed, FileProblem
from noisecli.model import Limits

SECONDS = 10
"""Each case takes less than one here; what is quadratic takes minutes."""


def directories(count):
    """Return a TIFF whose directories lie in one another: thousands of tags each, and a few bytes of its own."""
    tags, start = 20_000, 8
    picture = {256: 1, 257: 1, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: 1, 279: 1}
    numbers = [(40_000 + at, 0) for at in range(tags + count)]
    numbers[tags // 2 : tags // 2 + len(picture)] = picture.items()
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in numbers)
    data = bytearray(b"II*\0" + struct.pack("<I", start) + bytes(2) + entries + bytes(4 * count + 8))
    for at in range(count):
        place = start + 12 * at
        struct.pack_into("<H", data, place, tags)
        following = start + 12 * (at + 1) if at + 1 < count else 0
        struct.pack_into("<I", data, place + 2 + 12 * tags, following)
    return bytes(data)


def pages_of_shared_strips(count):
    """Return a TIFF of many pages of one pixel, all of which tell the same million of strips."""
    million = 1_000_000
    block = struct.pack("<I", 8) * million
    tags = {256: (4, 1, 1), 257: (4, 1, 1), 258: (3, 1, 8), 259: (3, 1, 1), 262: (3, 1, 1)}
    tags |= {273: (4, million, 8), 277: (3, 1, 1), 278: (4, 1, 1), 279: (4, million, 8)}
    entries = b"".join(struct.pack("<HHII", tag, *rest) for tag, rest in sorted(tags.items()))
    start, length = 8 + len(block), 6 + len(entries)
    pages = [
        struct.pack("<H", len(tags)) + entries + struct.pack("<I", start + length * (at + 1) if at + 1 < count else 0)
        for at in range(count)
    ]
    return b"II*\0" + struct.pack("<I", start) + block + b"".join(pages)


CASES = {
    "fill bytes of a JPEG": lambda: b"\xff\xd8" + b"\xff" * 3_000_000,
    "no marker of a JPEG": lambda: b"\xff\xd8\xff" + b"\xff\0" * 1_500_000,
    "white space of a PNM": lambda: b"P5" + b" " * 3_000_000,
    "comments of a PNM": lambda: b"P5" + b"#\n" * 1_500_000,
    "comment of a PNM without end": lambda: b"P2 2 2 255" + b"#" * 3_000_000,
    "signs in comments of a PNM": lambda: b"P5 " + b"#####\r" * 500_000,
    "zeros of a PNM": lambda: b"P2 2 2 255 " + b"0" * 3_000_000,
    "words of a PNM": lambda: b"P2 700 700 255 " + b"0000000 " * 400_000,
    "chunks of a WebP": lambda: b"RIFF" + struct.pack("<I", 4 + 8 * 375_000) + b"WEBP" + b"abcd\0\0\0\0" * 375_000,
    "directories of a TIFF": lambda: directories(300),
    "strips of a TIFF": lambda: pages_of_shared_strips(3_000),
    "blocks of a GIF": lambda: b"GIF89a" + struct.pack("<HHBBB", 8, 8, 0, 0, 0) + b"!\xfe\1a\0" * 600_000,
    "boxes of a JPEG 2000": lambda: b"\0\0\0\x0cjP  \r\n\x87\n" + b"\0\0\0\x08free" * 375_000,
    "boxes of an AVIF": lambda: b"\0\0\0\x10ftypavif\0\0\0\0" + b"\0\0\0\x08free" * 375_000,
}


@pytest.mark.parametrize("name", CASES)
def test_megabytes_of(name):
    data = CASES[name]()
    began = time.process_time()
    with contextlib.suppress(FileProblem):
        read_header(data, Limits())
    assert time.process_time() - began < SECONDS


def test_directories_that_overlap():
    with pytest.raises(FileFailed) as caught:
        read_header(directories(5), Limits())
    assert "overlap" in caught.value.message


@pytest.mark.parametrize("count", [10, 60, 400])
def test_private_tags_are_no_damage(tiff_file, open_picture, write_picture, count):
    """libtiff has a line for each."""
    tags = {65000 + at: (7, b"private %d" % at) for at in range(count)}
    source = open_picture(tiff_file(np.arange(64, dtype=np.uint8).reshape(8, 8), 1, more=tags), ".tif")
    assert source.warnings == ()
    written, _ = write_picture(source)
    assert all(b"private %d" % at in written for at in range(count))
