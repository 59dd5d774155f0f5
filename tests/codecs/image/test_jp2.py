"""JPEG 2000 with and without boxes, of other depths and colours than 8 or 16 bits of sRGB."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from noisecli.codecs.image.jp2 import finish, lift
from noisecli.errors import FileSkipped


def pillow_jp2(image, **options):
    stream = io.BytesIO()
    image.save(stream, "JPEG2000", irreversible=False, **options)
    return stream.getvalue()


@pytest.fixture
def deep(encode):
    """Return a 12-bit JPEG 2000 and its samples."""

    def made(bits, is_bare=False, channels=1):
        random = np.random.default_rng(bits)
        samples = random.integers(0, 1 << bits, (40, 50, 3) if channels == 3 else (40, 50), np.uint16)
        scale = float((1 << bits) - 1)
        encoded = encode(".jp2", lift(samples, scale), cv2.IMWRITE_JPEG2000_COMPRESSION_X1000, 1000)
        return finish(encoded, scale, is_bare), samples

    return made


@pytest.mark.parametrize("bits", [9, 10, 12, 15])
@pytest.mark.parametrize("channels", [1, 3])
def test_depths_between_8_and_16_bits_stay(bits, channels, deep, copy, frames_of, open_picture, pillow_read):
    data, samples = deep(bits, channels=channels)
    written, sink, source = copy(data, ".jp2")
    assert source.spec.full_scale == (1 << bits) - 1
    assert (source.warnings, sink.warnings) == ((), ())
    np.testing.assert_array_equal(frames_of(source)[0], samples)
    np.testing.assert_array_equal(frames_of(open_picture(written, ".jp2"))[0], samples)
    if bits > 9 and channels == 1:  # Pillow moves the bits up; where it moves them down, it rounds, and 256 is 0
        np.testing.assert_array_equal(np.array(pillow_read(written)), samples << (16 - bits))
    elif channels == 3:
        top = np.array(pillow_read(written))[..., ::-1] - (samples >> (bits - 8)).astype(np.uint8)
        assert top.max() <= 1


def test_a_bare_codestream_stays_bare(photo, pillow_read, copy, frames_of):
    data = pillow_jp2(Image.fromarray(photo[:40, :40]), no_jp2=True)
    assert data.startswith(b"\xff\x4f\xff\x51")
    written, sink, source = copy(data, ".j2k")
    assert (source.warnings, sink.warnings) == ((), ())
    np.testing.assert_array_equal(frames_of(source)[0][..., ::-1], photo[:40, :40])
    assert written.startswith(b"\xff\x4f\xff\x51")
    np.testing.assert_array_equal(np.array(pillow_read(written)), photo[:40, :40])
    assert copy(data, ".j2k", format="jp2")[0][4:8] == b"jP  "


def test_luma_and_chroma_are_the_colours_that_pillow_reads(photo, pillow_read, open_picture, frames_of):
    data = pillow_jp2(Image.fromarray(photo).convert("YCbCr"))
    assert b"colr\1\0\0\0\0\0\x12" in data
    found = frames_of(open_picture(data, ".jp2"))[0][..., ::-1].astype(int)
    assert abs(found - np.array(pillow_read(data, "RGB"))).max() <= 1
    assert abs(found - photo).max() <= 3


@pytest.mark.parametrize("space", [12, 14, 24])
def test_other_colours_are_named(space, photo, encode, open_picture):
    data = encode(".jp2", photo).replace(b"colr\1\0\0\0\0\0\x10", b"colr\1\0\0\0\0\0" + bytes((space,)))
    with pytest.raises(FileSkipped, match=f"colour space {space} are left alone.*; convert it"):
        open_picture(data, ".jp2")
