"""Our own PNGs: what other readers see in them, and how small they are."""

from __future__ import annotations

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from noisecli.codecs.image import png_encode

AVERAGE, UNFILTERED = 3, 0


def gradient(height: int, width: int, channels: int, dtype: str) -> np.ndarray:
    """Return a picture whose channels all differ."""
    down, across = np.mgrid[0:height, 0:width]
    most = np.iinfo(dtype).max
    planes = [(down * (3 + c) + across * 5) * (most // 255) % most for c in range(channels)]
    picture = np.stack(planes, axis=-1).astype(dtype)
    return picture[..., 0] if channels == 1 else picture


def noise(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    return np.random.default_rng(1).integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def image_data(data: bytes) -> bytes:
    """Return the rows of a PNG, each behind the number of its filter. Checks every CRC."""
    stream, position = b"", 8
    while position < len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        body = data[position + 4 : position + 8 + length]
        assert struct.unpack_from(">I", data, position + 8 + length)[0] == zlib.crc32(body)
        stream += body[4:] if kind == b"IDAT" else b""
        position += 12 + length
    assert position == len(data)
    return zlib.decompress(stream)


def filters_of(data: bytes, height: int) -> set[int]:
    rows = image_data(data)
    return set(rows[:: len(rows) // height])


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 300), (300, 1), (2, 2), (37, 53), (700, 401)])
@pytest.mark.parametrize("make", [gradient, lambda *size: noise(size[:2] + (size[2],) * (size[2] > 1), size[3])])
def test_opencv_reads_what_was_written(make, height, width, channels, dtype):
    picture = make(height, width, channels, dtype)
    data = png_encode.encode(picture, [])
    read = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert read.dtype == picture.dtype
    np.testing.assert_array_equal(read, picture)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_pillow_reads_what_was_written(channels):
    picture = gradient(300, 500, channels, "uint8")
    read = np.asarray(Image.open(io.BytesIO(png_encode.encode(picture, []))))
    order = {1: slice(None), 3: [2, 1, 0], 4: [2, 1, 0, 3]}[channels]
    np.testing.assert_array_equal(read, picture if channels == 1 else picture[..., order])


def test_a_picture_that_is_a_view_is_read_by_its_strides():
    picture = gradient(90, 80, 3, "uint8")[::2, ::-2]
    read = cv2.imdecode(np.frombuffer(png_encode.encode(picture, []), np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(read, picture)


def test_smooth_pictures_are_filtered_and_noise_is_left_alone():
    smooth, rough = gradient(256, 256, 3, "uint8") // 4, noise((256, 256, 3), "uint8")
    assert filters_of(png_encode.encode(smooth, []), 256) == {AVERAGE}
    assert filters_of(png_encode.encode(rough, []), 256) == {UNFILTERED}


@pytest.mark.parametrize("std", [0, 5, 25, 100])
def test_no_larger_than_what_opencv_writes(std, photo):
    x = photo.astype(float) + std * np.random.default_rng(2).standard_normal(photo.shape)
    picture = np.clip(np.rint(x), 0, 255).astype(np.uint8)
    ours, theirs = png_encode.encode(picture, []), cv2.imencode(".png", picture)[1]
    assert len(ours) < 1.02 * len(theirs)


def test_pure_noise_grows_by_no_more_than_its_frame():
    picture = noise((600, 600, 3), "uint8")
    assert len(png_encode.encode(picture, [])) < 1.002 * picture.size


def test_long_pictures_have_image_data_in_pieces():
    picture = noise((2000, 1000), "uint8")
    data = png_encode.encode(picture, [])
    assert data.count(b"IDAT") > 2
    assert len(image_data(data)) == 2000 * 1001


def test_other_chunks_stand_before_the_image_data():
    body = b"tEXt" + b"Comment\0kept"
    extra = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    data = png_encode.encode(gradient(4, 4, 1, "uint8"), [extra])
    assert data[33 : 33 + len(extra)] == extra
    assert Image.open(io.BytesIO(data)).text == {"Comment": "kept"}
