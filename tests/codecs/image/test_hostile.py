"""Pictures that must not hurt: each fails, is skipped by name, or is done with a warning; none is wrong in silence."""

import struct
import subprocess
import sys

import cv2
import numpy as np
import pytest
from PIL import Image

from noisecli.errors import FileFailed, FileSkipped


class TestContent:
    def test_empty(self, fails):
        fails(b"", "empty")

    @pytest.mark.parametrize("text", [b"<!DOCTYPE html><html></html>", b"  <html>", b"hello", bytes(500), b"\xff\xd8"])
    def test_no_picture(self, fails, text):
        fails(text, "wrong-content", ".jpg")

    def test_png_named_jpg(self, photo, encode, open_picture):
        source = open_picture(encode(".png", photo), ".JPG")
        assert source.format == "png"

    @pytest.mark.parametrize(
        "start",
        [
            b"v/1\x01" + bytes(40),
            b"\xff\x0a" + bytes(20),
            b"\0\0\0\x0cJXL \r\n\x87\n",
            b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
            b"P7\nWIDTH 4\n",
        ],
    )
    def test_other_formats(self, skipped, start):
        skipped(start, "unsupported-format", ".jpg")

    def test_every_format_survives_any_start(self, photo, encode, open_picture):
        """Flipped bytes in the first 64: an answer of ours, never another exception."""
        random, answers = np.random.default_rng(5), set()
        for suffix in (".jpg", ".png", ".tiff", ".webp", ".bmp", ".ppm", ".avif", ".jp2", ".gif"):
            data = encode(suffix, photo[:32, :32])
            for _ in range(60):
                changed = bytearray(data)
                for at in random.integers(0, min(len(data), 400), 3):
                    changed[at] = random.integers(256)
                try:
                    open_picture(bytes(changed), suffix, max_pixels=1 << 20)
                    answers.add("opened")
                except (FileFailed, FileSkipped) as problem:
                    answers.add(type(problem))
        assert answers == {"opened", FileFailed, FileSkipped}


class TestGif:
    def test_screen_bomb(self, photo, encode, fails):
        data = encode(".gif", photo)
        fails(data[:6] + struct.pack("<HH", 65535, 65535) + data[10:], "too-large", ".gif")
        fails(data[:6] + struct.pack("<HH", 13000, 13000) + data[10:], "corrupt", ".gif")

    def test_palette_warning_only(self, photo, pillow_file, open_picture):
        assert open_picture(pillow_file(photo, "GIF"), ".gif").warnings == ("palette-to-colour",)

    def test_interlaced(self, photo, pillow_file, pillow_read, open_picture, frames_of):
        data = pillow_file(photo[..., 0], "GIF", interlace=1)
        np.testing.assert_array_equal(
            frames_of(open_picture(data, ".gif"))[0][..., 0], np.array(pillow_read(data, "L"))
        )


@pytest.mark.parametrize("suffix", [".avif", ".jp2", ".webp", ".gif"])
@pytest.mark.parametrize("garbage", [b"garbage here 123", bytes(16), b"x"])
def test_trailing_garbage(suffix, garbage, photo, encode, open_picture):
    assert "trailing-data" not in open_picture(encode(suffix, photo), suffix).warnings
    assert "trailing-data" in open_picture(encode(suffix, photo) + garbage, suffix).warnings


@pytest.mark.parametrize("suffix", [".webp", ".avif", ".jp2", ".gif"])
@pytest.mark.parametrize("quality", [None, 100])
def test_zero_filled_tail(suffix, quality, photo, encode, open_picture):
    options = (cv2.IMWRITE_WEBP_QUALITY, quality) if quality and suffix == ".webp" else ()
    data = encode(suffix, photo, *options)
    kept = len(data) * 6 // 10
    with pytest.raises(FileFailed):
        open_picture(data[:kept] + bytes(len(data) - kept), suffix)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "AVIF"])
def test_animations_are_skipped(kind, photo, pillow_file, skipped):
    second = Image.fromarray(photo[::-1].copy())
    skipped(
        pillow_file(photo, kind, save_all=True, append_images=[second], duration=90), "animated", f".{kind.lower()}"
    )


class TestBare:
    @pytest.mark.parametrize("suffix", [".bmp", ".ppm"])
    def test_trailing_garbage(self, suffix, photo, encode, open_picture):
        assert open_picture(encode(suffix, photo) + b"abc", suffix).warnings == ("trailing-data",)

    def test_pnm_of_two_pictures(self, photo, encode, skipped):
        skipped(encode(".ppm", photo) * 2, "animated", ".ppm")

    def test_bmp_transparency_in_unused_bytes(self, photo, pillow_file, skipped):
        skipped(pillow_file(np.dstack([photo, photo[..., :1]]), "BMP"), "unsupported-samples", ".bmp")

    @pytest.mark.parametrize("words", [b"1 2 x 4 ", b"1 2 -3 4 ", b"1 2 3 300 "])
    def test_pnm_of_no_numbers(self, words, fails):
        fails(b"P2 2 2 255 " + words, "corrupt", ".pgm")

    def test_run_lengths_in_bmp(self, open_picture, frames_of, pillow_read):
        body = b"\x03\x05\x05\x07\0\0\x08\x09\0\0\0\1"
        palette = b"".join(bytes((value, 255 - value, value // 2, 0)) for value in range(256))
        sizes = struct.pack("<IiiHHIIiiII", 40, 8, 2, 1, 8, 1, len(body), 0, 0, 256, 0)
        data = struct.pack("<2sIII", b"BM", 1078 + len(body), 0, 1078) + sizes + palette + body
        shown = frames_of(open_picture(data, ".bmp"))[0][..., ::-1]
        np.testing.assert_array_equal(shown, np.array(pillow_read(data, "RGB")))
        with pytest.raises(FileFailed):
            open_picture(data[:-1], ".bmp")

    def test_bmp_palette(self, photo, pillow_file, open_picture):
        assert open_picture(pillow_file(photo, "BMP", "P"), ".bmp").warnings == ("palette-to-colour",)
        assert open_picture(pillow_file(photo, "BMP", "L"), ".bmp").warnings == ()


def test_messages_tell_no_time(photo, encode, open_picture):
    data = bytearray(encode(".tiff", photo, cv2.IMWRITE_TIFF_COMPRESSION, 8))
    data[40:90] = bytes(50)
    with pytest.raises(FileFailed) as caught:
        open_picture(bytes(data), ".tif")
    assert "@" not in caught.value.message


def test_no_word_reaches_standard_error(photo, encode, tmp_path):
    """And standard error works again after the decode."""
    broken = tmp_path / "broken.jpg"
    data = encode(".jpg", photo)
    broken.write_bytes(data[: len(data) * 3 // 4] + b"\xff\xd9")
    script = (
        "import sys\nfrom pathlib import Path\n"
        "from noisecli.codecs.image.decoder_log import caught\nimport cv2, numpy\n"
        f"_, text = caught(lambda: cv2.imdecode(numpy.frombuffer(Path({str(broken)!r}).read_bytes(), 'u1'), -1))\n"
        "assert b'premature' in text\nassert caught(lambda: 1) == (1, b'')\nprint('after', file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stderr == b"after\n"
