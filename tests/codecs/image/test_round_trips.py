"""What is decoded is what is stored, and what is written is what another reader sees."""

import struct

import cv2
import numpy as np
import pytest
from PIL import Image

from noisecli.errors import FileFailed, FileSkipped

EXACT = {
    ".png": [("uint8", 1), ("uint8", 3), ("uint8", 4), ("uint16", 1), ("uint16", 3), ("uint16", 4)],
    ".tiff": [(name, n) for name in ("uint8", "uint16", "int16", "int32", "float32", "float64") for n in (1, 3, 4)],
    ".webp": [("uint8", 3), ("uint8", 4)],
    ".bmp": [("uint8", 1), ("uint8", 3), ("uint8", 4)],
    ".pnm": [("uint8", 1), ("uint8", 3), ("uint16", 1), ("uint16", 3)],
    ".avif": [("uint8", 1), ("uint8", 3), ("uint8", 4)],
    ".jp2": [("uint8", 1), ("uint8", 3), ("uint8", 4), ("uint16", 1), ("uint16", 3), ("uint16", 4)],
}
OPTIONS = {
    ".avif": (cv2.IMWRITE_AVIF_QUALITY, 100),
    ".jp2": (cv2.IMWRITE_JPEG2000_COMPRESSION_X1000, 1000),
}
if hasattr(cv2, "IMWRITE_WEBP_LOSSLESS_MODE"):
    OPTIONS[".webp"] = (cv2.IMWRITE_WEBP_LOSSLESS_MODE, cv2.IMWRITE_WEBP_LOSSLESS_PRESERVE_COLOR)
else:
    EXACT[".webp"].remove(("uint8", 4))


@pytest.fixture
def noise():
    def samples(dtype, channels, shape=(33, 40)):
        random = np.random.default_rng(11)
        shape = shape if channels == 1 else (*shape, channels)
        if dtype.startswith("float"):
            return random.normal(0.5, 1, shape).astype(dtype)
        limits = np.iinfo(dtype)
        return random.integers(limits.min, limits.max, shape, dtype, endpoint=True)

    return samples


@pytest.mark.parametrize(
    ("suffix", "dtype", "channels"), [(suffix, *each) for suffix, all_of in EXACT.items() for each in all_of]
)
def test_exact(suffix, dtype, channels, noise, encode, copy, open_picture, frames_of, write_picture):
    """Colours under transparency too; the same bytes twice; and a source keeps its samples when asked again."""
    first = noise(dtype, channels)
    written, sink, source = copy(encode(suffix, first, *OPTIONS.get(suffix, ())), suffix)
    assert not sink.lossy
    assert not sink.warnings
    assert source.warnings == (("alpha-assumed",) if (suffix, channels) == (".tiff", 4) else ())
    assert source.spec.shape == first.shape
    assert source.spec.noisy_channels == (3 if channels == 4 else None)
    for _ in range(2):
        np.testing.assert_array_equal(frames_of(source)[0], first)
    np.testing.assert_array_equal(frames_of(open_picture(written, suffix))[0], first)
    assert write_picture(source)[0] == written


@pytest.mark.parametrize(("dtype", "scale"), [("uint8", 255), ("uint16", 65535), ("float32", 1.0), ("float64", 1.0)])
def test_full_scale(dtype, scale, noise, encode, open_picture):
    spec = open_picture(encode(".tiff", noise(dtype, 3)), ".tiff").spec
    assert (spec.low, spec.high, spec.full_scale) == (0, scale, scale)


@pytest.mark.parametrize("suffix", [".jpg", ".gif"])
def test_lossy_formats_are_deterministic(suffix, photo, encode, copy):
    data = encode(suffix, photo)
    written, sink, _ = copy(data, suffix)
    assert sink.lossy
    assert copy(data, suffix)[0] == written


@pytest.mark.parametrize(("depth", "scale"), [(10, 1023), (12, 4095)])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_deep_avif_keeps_its_depth(depth, scale, channels, noise, encode, copy, open_picture, frames_of):
    samples = noise("uint16", channels) & scale
    data = encode(".avif", samples, cv2.IMWRITE_AVIF_QUALITY, 100, cv2.IMWRITE_AVIF_DEPTH, depth)
    written, sink, source = copy(data, ".avif")
    assert (source.spec.full_scale, source.spec.high, sink.lossy) == (scale, scale, False)
    again = open_picture(written, ".avif")
    assert again.spec == source.spec
    np.testing.assert_array_equal(frames_of(again)[0], samples)


@pytest.mark.parametrize("maximum", [15, 200, 1023, 4095])
@pytest.mark.parametrize("text", [False, True])
def test_pnm_keeps_its_highest_value(maximum, text, copy, open_picture, frames_of):
    samples = np.random.default_rng(4).integers(0, maximum, (5, 7), endpoint=True)
    if text:
        data = b"P2\n# a remark\n7 5\n%d\n" % maximum + b" ".join(b"%d" % value for value in samples.ravel()) + b"\n"
    else:
        data = b"P5 7 5 %d\n" % maximum + samples.astype(">u2" if maximum > 255 else "u1").tobytes()
    written, sink, source = copy(data, ".pgm")
    assert (source.spec.full_scale, sink.lossy) == (maximum, False)
    np.testing.assert_array_equal(frames_of(source)[0], samples)
    np.testing.assert_array_equal(frames_of(open_picture(written, ".pgm"))[0], samples)
    with pytest.raises(FileFailed, match="--format pnm"):
        copy(data, ".pgm", format="png")


def test_bitmap_becomes_a_grey_map(photo, encode, copy, pillow_read):
    written, _, source = copy(encode(".pbm", photo[..., 0]), ".pbm")
    assert source.spec.full_scale == 255
    assert written.startswith(b"P5")
    np.testing.assert_array_equal(np.array(pillow_read(written)), next(source.blocks()))


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("suffix", [".png", ".tiff", ".bmp", ".pnm", ".jp2", ".webp", ".gif", ".jpg", ".avif"])
def test_pillow_reads_every_output(mode, suffix, photo, pillow_file, copy, pillow_read):
    data = pillow_file(photo, "PNG", mode)
    written, sink, _ = copy(data, ".png", format=suffix[1:])
    shown, expected = np.array(pillow_read(written, mode)), np.array(pillow_read(data, mode))
    if sink.lossy:
        assert np.abs(shown.astype(float) - expected).mean() < (3 if suffix == ".jpg" else 30)
    else:
        np.testing.assert_array_equal(shown, expected)


@pytest.mark.parametrize("suffix", [".png", ".webp", ".avif", ".jp2", ".tiff"])
def test_pillow_reads_alpha(suffix, photo, encode, copy, pillow_read):
    samples = np.dstack([photo, photo[..., 0] | 1])
    written, _, _ = copy(encode(".png", samples), format=suffix[1:])
    shown = pillow_read(written)
    assert shown.mode == "RGBA"
    np.testing.assert_array_equal(np.array(shown), samples[..., [2, 1, 0, 3]])


@pytest.mark.parametrize(
    ("dtype", "channels", "word", "fitting"),
    [
        ("uint16", 3, "jpeg", "png"),
        ("uint16", 3, "webp", "png"),
        ("uint16", 3, "avif", "png"),
        ("uint8", 4, "jpg", "png"),
        ("uint8", 4, "ppm", "png"),
        ("float32", 3, "png", "tiff"),
        ("int16", 1, "png", "tiff"),
    ],
)
def test_what_does_not_fit_is_refused_at_once(
    dtype, channels, word, fitting, noise, encode, open_picture, write_picture
):
    source = open_picture(encode(".tiff", noise(dtype, channels)), ".tiff")
    with pytest.raises(FileFailed, match=f"--format {fitting}") as caught:
        write_picture(source, blocks=[], format=word)
    assert caught.value.reason == "no-encoder"


def test_small_jp2_is_refused(encode, open_picture, write_picture):
    source = open_picture(encode(".png", np.zeros((31, 99), np.uint8)))
    with pytest.raises(FileFailed, match="--format png"):
        write_picture(source, format="jp2")
    source = open_picture(encode(".png", np.zeros((32, 99), np.uint8)))
    assert write_picture(source, format="jp2")[1].format == "jp2"


def test_unknown_format_is_refused(photo, encode, copy):
    with pytest.raises(FileFailed, match="choose one of"):
        copy(encode(".png", photo), format="jxl")


def test_pages_fit_tiff_only(photo, pillow_file, copy):
    data = pillow_file(photo, "TIFF", save_all=True, append_images=[Image.fromarray(photo)])
    with pytest.raises(FileFailed, match="--format tiff"):
        copy(data, ".tif", format="png")


def test_float32_sum_goes_to_tiff(photo, encode, open_picture, write_picture, frames_of):
    source = open_picture(encode(".png", photo))
    spec = source.spec.as_float32()
    samples = photo.astype(np.float32) / 255 + np.float32(1.5)
    written, sink = write_picture(source, [samples], spec, format="tiff")
    assert not sink.lossy
    np.testing.assert_array_equal(frames_of(open_picture(written, ".tif"))[0], samples)
    with pytest.raises(FileFailed, match="--format tiff"):
        write_picture(source, [samples], spec)


def test_half_transparency_does_not_fit_gif(photo, encode, copy):
    with pytest.raises(FileFailed, match="--format png"):
        copy(encode(".png", np.dstack([photo, photo[..., 0]])), format="gif")


def test_gif_keeps_transparent_pixels(photo, encode, copy, open_picture, frames_of):
    alpha = np.where(photo[..., 0] > 128, 255, 0).astype(np.uint8)
    written, _, source = copy(encode(".gif", np.dstack([photo, alpha])), ".gif")
    assert source.spec.noisy_channels == 3
    np.testing.assert_array_equal(frames_of(open_picture(written, ".gif"))[0][..., 3], alpha)


@pytest.mark.parametrize("depth", [b"\x06", b"\x8b", b"\x11"])
def test_jp2_of_few_many_or_signed_bits_is_skipped(depth, photo, encode, open_picture):
    data = encode(".jp2", photo[..., 0].astype(np.uint16))
    at = data.find(b"\xff\x4f\xff\x51") + 42
    with pytest.raises(FileSkipped):
        open_picture(data[:at] + depth + data[at + 1 :], ".jp2")


def test_blocks_may_not_be_written_into(photo, encode, open_picture):
    block = next(open_picture(encode(".png", photo)).blocks())
    with pytest.raises(ValueError, match="read-only"):
        block[0, 0] = 0


def test_big_tiff(open_picture, frames_of):
    samples = np.arange(12, dtype=np.uint8).reshape(3, 4)
    tags = {256: 4, 257: 3, 258: 8, 259: 1, 262: 1, 273: 16, 277: 1, 278: 3, 279: 12}
    entries = b"".join(struct.pack("<HHQQ", tag, 4, 1, value) for tag, value in tags.items())
    data = b"II+\0\x08\0\0\0" + struct.pack("<Q", 28) + samples.tobytes() + struct.pack("<Q", 9) + entries + bytes(8)
    np.testing.assert_array_equal(frames_of(open_picture(data, ".tif"))[0], samples)
