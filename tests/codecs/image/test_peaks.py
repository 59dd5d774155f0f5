"""What a run takes of memory, all its processes looked at: small files that decode to much, and big ones that may."""

import struct
import sys
import zlib

import cv2
import numpy as np
import program
import pytest

MOST_MB = 500

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells a process's peak in /proc"),
]


@pytest.fixture
def peak(tmp_path):
    """Return (peak in MB, exit status, bytes written) of a run on one file."""

    def measure(name, data):
        source, out = tmp_path / "source", tmp_path / "out"
        source.mkdir()
        (source / name).write_bytes(data)
        done = program.run("images", source, out, "--std", "10", "-j", "1", deadline=4000, look_every=0.01)
        assert not done.hung
        assert not done.traceback
        return done.peak_mb, done.status, sum(path.stat().st_size for path in out.rglob("*") if path.is_file())

    return measure


def flat(encode, suffix, side, *options):
    return encode(suffix, np.zeros((side, side, 3), np.uint8), *options)


def with_segments(encode, segment):
    data = flat(encode, ".jpg", 8)
    return data[:2] + segment * 3_000_000 + data[2:]


def shared_tags(tiff_file):
    data = tiff_file(np.zeros((2000, 13_000), np.uint8), 1, more={65000 + at: (7, b"12345") for at in range(30)})
    for at in range(30):
        place = data.rindex(struct.pack("<HHI", 65000 + at, 7, 5))
        data = data[:place] + struct.pack("<HHII", 65000 + at, 7, 26_000_000, 8) + data[place + 12 :]
    return data


def two_webps(encode):
    big, small = (flat(encode, ".webp", side) for side in (13_000, 16))
    body = big[8:] + small[12:]
    return b"RIFF" + struct.pack("<I", len(body)) + body


def lying_avif(encode):
    data = flat(encode, ".avif", 9000, cv2.IMWRITE_AVIF_SPEED, 10)
    at = data.index(b"ispe") + 8
    return data[:at] + struct.pack(">II", 64, 64) + data[at + 8 :]


def flat_png_of_16_bits(png_file, side):
    return png_file(side, side, 16, 2, bytes((1 + 6 * side) * side))


def many_texts(png_file):
    text = b"k\0\0" + zlib.compress(b"x" * 7_900_000, 9)
    return png_file(2, 1, 8, 0, bytes(3), before=[(b"zTXt", text)] * 900)


@pytest.mark.parametrize(
    ("name", "status"),
    [
        *(("segments.jpg", 0), ("shared.tif", 1), ("two.webp", 1), ("lying.avif", 1), ("flat.webp", 1)),
        *(("flat.png", 1), ("largest.png", 0), ("texts.png", 0)),
    ],
)
def test_bombs(peak, encode, tiff_file, png_file, name, status):
    make = {
        "segments.jpg": lambda: with_segments(encode, b"\xff\xe1\0\2"),
        "shared.tif": lambda: shared_tags(tiff_file),
        "two.webp": lambda: two_webps(encode),
        "lying.avif": lambda: lying_avif(encode),
        "flat.webp": lambda: flat(encode, ".webp", 13_000),
        "flat.png": lambda: flat_png_of_16_bits(png_file, 5000),
        "largest.png": lambda: flat_png_of_16_bits(png_file, 4700),
        "texts.png": lambda: many_texts(png_file),
    }
    peak_mb, ended, written = peak(name, make[name]())
    assert ended == status
    assert peak_mb < MOST_MB
    assert written < 200 << 20


@pytest.mark.parametrize(("suffix", "times"), [(".png", 5), (".jpg", 5)])
def test_a_big_picture_takes_a_few_times_its_samples(peak, encode, suffix, times):
    """Of 25 megapixels: the samples, the noisy ones, the encoded ones, and the library's own."""
    random = np.random.default_rng(1)
    picture = random.integers(90, 130, (5000, 5000, 3), dtype=np.uint8)
    peak_mb, ended, _ = peak("big" + suffix, encode(suffix, picture))
    assert ended == 0
    assert peak_mb < 80 + times * picture.nbytes / (1 << 20)
