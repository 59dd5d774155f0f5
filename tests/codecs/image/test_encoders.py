"""The settings asked for are the settings in the file."""

from types import SimpleNamespace

import cv2
import isal
import numpy as np
import pytest

from noisecli.codecs import image
from noisecli.errors import FileFailed
from noisecli.model import Encoding


def sampling_factors(data):
    frame = data.find(b"\xff\xc0")
    count = data[frame + 9]
    return [data[frame + 11 + 3 * index] for index in range(count)]


@pytest.mark.parametrize(
    ("word", "luma"), [(None, 0x11), ("444", 0x11), ("422", 0x21), ("420", 0x22), ("440", 0x12), ("411", 0x41)]
)
def test_jpeg_subsampling(word, luma, photo, encode, copy):
    written, _, _ = copy(encode(".jpg", photo), ".jpg", subsampling=word)
    assert sampling_factors(written) == [luma, 0x11, 0x11]


def test_jpeg_quality(photo, encode, copy):
    data = encode(".jpg", photo)
    default = copy(data, ".jpg")[0]
    assert default == copy(data, ".jpg", quality=98)[0]
    assert len(copy(data, ".jpg", quality=50)[0]) < len(default) / 2


@pytest.mark.parametrize("std", [10, 25])
def test_jpeg_keeps_the_noise(std, photo, encode, open_picture, write_picture, frames_of):
    clean = np.full((200, 200, 3), 128, np.uint8)
    noisy = np.clip(clean + np.random.default_rng(1).normal(0, std, clean.shape), 0, 255).round().astype(np.uint8)
    written, _ = write_picture(open_picture(encode(".jpg", clean), ".jpg"), [noisy])
    left = (frames_of(open_picture(written, ".jpg"))[0].astype(float) - clean).std() / (
        noisy.astype(float) - clean
    ).std()
    assert 0.99 < left < 1.03


@pytest.mark.parametrize(("compression", "expected"), [(1, 1), (5, 8), (8, 8)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.int32, np.float32, np.float64])
def test_tiff_compression(compression, expected, dtype, photo, encode, copy, open_picture, frames_of):
    data = encode(".tiff", photo.astype(dtype), cv2.IMWRITE_TIFF_COMPRESSION, compression)
    written, _, _ = copy(data, ".tiff")
    source = open_picture(written, ".tiff")
    bare = dtype is np.float64 or (dtype is np.float32 and cv2.__version__ < "5")  # OpenCV does not pack these
    assert source.header.compression == (1 if bare else expected)
    np.testing.assert_array_equal(frames_of(source)[0], photo.astype(dtype))


@pytest.mark.parametrize(
    ("suffix", "quality", "lossy"),
    [
        (".webp", None, False),
        (".webp", 90, True),
        (".avif", None, False),
        (".avif", 100, False),
        (".avif", 90, True),
        (".jp2", None, False),
        (".jp2", 100, False),
        (".jp2", 20, True),
        (".png", 50, False),
        (".bmp", None, False),
    ],
)
def test_lossy_says_what_happens(suffix, quality, lossy, photo, encode, copy, open_picture, frames_of):
    written, sink, _ = copy(encode(".png", photo), format=suffix[1:], quality=quality)
    assert sink.lossy is lossy
    assert np.array_equal(frames_of(open_picture(written, suffix))[0], photo) is not lossy


def test_colours_under_transparency_survive_webp_or_it_is_refused(photo, encode, copy, open_picture, frames_of):
    samples = np.dstack([photo, np.zeros(photo.shape[:2], np.uint8)])
    if not hasattr(cv2, "IMWRITE_WEBP_LOSSLESS_MODE"):
        with pytest.raises(FileFailed, match="--format png"):
            copy(encode(".png", samples), format="webp")
        return
    written, _, _ = copy(encode(".png", samples), format="webp")
    np.testing.assert_array_equal(frames_of(open_picture(written, ".webp"))[0], samples)


def test_too_wide_for_webp(encode, open_picture, write_picture):
    source = open_picture(encode(".png", np.zeros((1, 20000), np.uint8)))
    with pytest.raises(FileFailed, match="16383 pixels a side"):
        write_picture(source, format="webp")


def test_abort_is_harmless(photo, encode, open_picture):
    source, written = open_picture(encode(".png", photo)), []
    output = SimpleNamespace(write=written.append)
    sink = image.create_sink(output, source, source.spec, Encoding(), bytes(16))
    sink.write(photo)
    sink.abort()
    sink.abort()
    assert written == []


def test_versions():
    libraries = {name: version for name, version in image.versions().items() if name != "pillow-heif"}
    assert libraries == {"opencv": cv2.__version__, "isal": isal.__version__}
