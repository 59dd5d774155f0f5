"""HEIC, read and written by the extra of that name: the same samples, the same way up, nothing beside them unnamed."""

import io
import struct

import cv2
import numpy as np
import pytest
from PIL import ImageCms

from noisecli.codecs.image.heic import header as heic
from noisecli.errors import FileFailed, FileSkipped
from noisecli.model import Limits

pillow_heif = pytest.importorskip("pillow_heif", reason="needs pillow-heif: the extra named heic")

LOSSLESS = {"quality": -1, "chroma": 444, "matrix_coefficients": 0}
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><r tiff:Orientation="%d"/></x:xmpmeta>'
ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def samples(shape=(45, 70, 3), depth=8):
    return np.random.default_rng(1).integers(0, 1 << depth, shape, dtype=np.uint16 if depth > 8 else np.uint8)


def encode(picture, depth=8, **options):
    """Encode with pillow-heif alone."""
    mode = {2: "L", 3: "RGB", 4: "RGBA"}[2 if picture.ndim == 2 else picture.shape[2]]
    buffer = io.BytesIO()
    mode += f";{depth}" if depth > 8 else ""
    options = {**LOSSLESS, "bit_depth": depth, **options}
    if picture.ndim == 2:
        options.pop("matrix_coefficients")
    pillow_heif.encode(mode, picture.shape[1::-1], picture.tobytes(), buffer, **options)
    return buffer.getvalue()


def as_opencv(picture):
    return picture if picture.ndim == 2 else picture[..., [2, 1, 0, 3][: picture.shape[2]]]


def orientation(value):
    return b"Exif\0\0MM\0*\0\0\0\x08\0\1" + struct.pack(">HHIHH", 0x0112, 3, 1, value, 0) + bytes(4)


@pytest.mark.parametrize("depth", [8, 10, 12])
@pytest.mark.parametrize("shape", [(45, 70, 3), (64, 64, 4), (1, 1, 3), (33, 17)])
def test_samples_come_in_and_go_out_without_loss(depth, shape, open_picture, frames_of, write_picture):
    picture = samples(shape, depth)
    source = open_picture(encode(picture, depth), ".heic")
    (found,) = frames_of(source)
    assert np.array_equal(found, as_opencv(picture))
    assert (source.format, source.spec.full_scale) == ("heic", (1 << depth) - 1)
    data, sink = write_picture(source)
    assert not sink.lossy
    assert np.array_equal(frames_of(open_picture(data, ".heic"))[0], found)
    assert write_picture(source)[0] == data


@pytest.mark.parametrize("value", range(1, 9))
def test_the_picture_is_the_same_way_up_once(value, open_picture, frames_of, write_picture):
    picture = samples()
    data = encode(picture, exif=orientation(value), xmp=XMP % value)
    opened = pillow_heif.open_heif(io.BytesIO(data))
    truth = np.asarray(opened).copy()
    source = open_picture(data, ".heic")
    assert np.array_equal(frames_of(source)[0], as_opencv(truth))
    assert source.header.orientation == 1
    for target in ("heic", "png", "jpeg"):
        written, _ = write_picture(source, format=target)
        again = open_picture(written, f".{target}")
        assert again.header.orientation == 1
        assert again.spec.shape == truth.shape
        assert orientation(1)[6:] in written
        assert XMP % 1 in written


def test_profile_and_the_rest_are_kept(open_picture, write_picture):
    source = open_picture(encode(samples(), exif=orientation(1), xmp=XMP % 1, icc_profile=ICC), ".heic")
    for target in ("heic", "png", "jpeg", "webp"):
        data, sink = write_picture(source, format=target)
        metadata = open_picture(data, f".{target}").header.metadata
        assert (metadata.exif, metadata.xmp, metadata.icc) == (orientation(1)[6:], XMP % 1, ICC)
        assert list(sink.warnings) == []
    assert list(write_picture(source, format="bmp")[1].warnings) == ["metadata-lost: exif, icc, xmp"]


def test_a_png_of_another_depth_is_refused_with_a_format_that_fits(open_picture, write_picture):
    source = open_picture(encode(samples(depth=10), 10), ".heic")
    with pytest.raises(FileFailed, match="choose --format pnm"):
        write_picture(source, format="png")


@pytest.mark.parametrize(("quality", "subsampling"), [(90, None), (90, "420")])
def test_a_quality_is_lossy_and_keeps_the_noise(quality, subsampling, open_picture, frames_of, write_picture):
    flat = np.full((128, 128, 3), 128.0)
    noise = np.random.default_rng(2).normal(0, 25, flat.shape)
    source = open_picture(encode(np.clip(flat + noise, 0, 255).round().astype(np.uint8)), ".heic")
    data, sink = write_picture(source, quality=quality, subsampling=subsampling)
    assert sink.lossy
    kept = frames_of(open_picture(data, ".heic"))[0].std() / frames_of(source)[0].std()
    assert kept == pytest.approx(1, abs=0.03) if subsampling is None else kept < 0.9


def test_a_subsampling_that_it_has_not_is_refused(open_picture, write_picture):
    with pytest.raises(FileFailed, match="choose 444, 422 or 420"):
        write_picture(open_picture(encode(samples()), ".heic"), quality=90, subsampling="411")


def test_several_images_are_skipped_by_name(open_picture):
    file = pillow_heif.HeifFile()
    for _ in range(3):
        file.add_frombytes("RGB", (70, 45), samples().tobytes())
    buffer = io.BytesIO()
    file.save(buffer)
    with pytest.raises(FileSkipped, match="3 images in one file") as caught:
        open_picture(buffer.getvalue(), ".heic")
    assert caught.value.reason == "animated"


def test_tiles_and_thumbnails_are_parts_of_one_image(open_picture, frames_of):
    picture = samples((300, 200, 3))
    source = open_picture(encode(picture, tile_size=64, thumbnails=[64]), ".heic")
    assert np.array_equal(frames_of(source)[0], as_opencv(picture))


@pytest.mark.parametrize(
    ("name", "word"),
    [
        (b"urn:com:apple:photo:2020:aux:hdrgainmap", "gain-map"),
        (b"urn:mpeg:hevc:2015:auxid:2", "depth-map"),
        (b"urn:com:apple:photo:2018:aux:portraiteffectsmatte", "auxiliary-image"),
    ],
)
def test_companions_of_the_image_are_named(name, word, monkeypatch):
    data = encode(samples((64, 64, 4)))
    inner = b"urn:mpeg:hevc:2015:auxid:1"
    inner = inner if inner in data else b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha"
    # the names differ in length: what the box says is replaced where it is read
    read = heic.items_of

    def with_another_name(data):
        items, trailing = read(data)
        items._properties = [(kind, body.replace(inner, name)) for kind, body in items._properties]
        return items, trailing

    monkeypatch.setattr(heic, "items_of", with_another_name)
    header = heic.read(data, Limits())
    assert header.metadata.lost == {word}


@pytest.mark.parametrize("length", [0.2, 0.5, 0.9, 0.99])
def test_cut_files_fail(length, open_picture):
    data = encode(samples((200, 300, 3)))
    with pytest.raises(FileFailed):
        open_picture(data[: int(len(data) * length)], ".heic")


def test_limits_are_asked_on_the_header(open_picture):
    data = encode(np.zeros((2000, 3000, 3), np.uint8))
    for words, limit in (("--max-pixels", {"max_pixels": 5_000_000}), ("--max-decoded", {"max_decoded": 1000})):
        with pytest.raises(FileFailed, match=words) as caught:
            open_picture(data, ".heic", **limit)
        assert caught.value.reason == "too-large"


def test_a_stream_bigger_than_its_header_says_is_refused(open_picture):
    data = encode(samples((300, 300, 3)))
    lie = data.replace(
        b"ispe" + bytes(4) + struct.pack(">II", 300, 300), b"ispe" + bytes(4) + struct.pack(">II", 30, 30)
    )
    assert lie != data
    with pytest.raises(FileFailed, match="its HEVC stream holds 300 x 300 pixels"):
        open_picture(lie, ".heic")


@pytest.mark.parametrize("place", [0.3, 0.6, 0.95])
def test_zeros_in_the_stream_fail(place, open_picture):
    data = bytearray(encode(samples((200, 300, 3))))
    start = int(len(data) * place)
    data[start : start + 200] = bytes(200)
    with pytest.raises(FileFailed) as caught:
        open_picture(bytes(data), ".heic")
    assert caught.value.reason == "corrupt"


def test_what_no_decoder_would_read_fails_with_the_way_out(open_picture, write_picture):
    """Noise on 2,816 x 2,816 pixels takes some 24 MB without loss."""
    noise = np.random.default_rng(0).integers(0, 256, (2816, 2816, 3), np.uint8)
    source = open_picture(cv2.imencode(".png", noise)[1].tobytes(), ".png")
    with pytest.raises(FileFailed, match=r"bytes as a HEIC.*--format png"):
        write_picture(source, format="heic")
