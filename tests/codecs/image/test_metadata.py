"""What travels beside the samples arrives, or the row says that it did not."""

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps, PngImagePlugin, TiffImagePlugin

from noisecli.words import warning

XMP = b'<?xpacket begin=""?><x:xmpmeta xmlns:x="adobe:ns:meta/"></x:xmpmeta><?xpacket end="w"?>'


@pytest.fixture(scope="module")
def profile():
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.fixture
def dressed(photo, pillow_file, profile, exif_of):
    """Return a picture with everything on."""

    def made(kind, orientation=6):
        options = {"exif": b"Exif\0\0" + exif_of(orientation), "icc_profile": profile, "xmp": XMP}
        if kind == "PNG":
            text = PngImagePlugin.PngInfo()
            text.add_itxt("XML:com.adobe.xmp", XMP.decode())
            options = {**options, "pnginfo": text}
        return pillow_file(photo, kind, **options)

    return made


def xmp_of(shown):
    found = shown.info.get("xmp") or shown.info.get("XML:com.adobe.xmp")
    return found.encode() if isinstance(found, str) else found


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("target", [None, "jpeg", "png", "webp"])
def test_kept(kind, target, dressed, copy, pillow_read, profile, photo):
    written, sink, source = copy(dressed(kind), f".{kind.lower()}", format=target)
    shown = pillow_read(written)
    assert not sink.warnings
    assert shown.info["icc_profile"] == profile
    assert xmp_of(shown).rstrip(b"\0") == XMP
    assert shown.getexif()[0x010F] == "Maker"
    assert shown.getexif()[0x0112] == 6
    assert source.spec.shape == photo.shape


@pytest.mark.parametrize("target", ["bmp", "pnm", "gif", "jp2", "tiff"])
def test_lost_and_said(target, dressed, copy):
    held = {"tiff": {"xmp", "icc"}}.get(target, set())
    lost = warning("metadata-lost", {"exif", "xmp", "icc"} - held)
    assert copy(dressed("JPEG"), ".jpg", format=target)[1].warnings == (lost,)


@pytest.mark.parametrize("target", ["bmp", "pnm", "gif", "jp2", "tiff", "avif", "png", "webp", "jpeg"])
def test_nothing_to_lose(target, photo, encode, copy):
    assert not copy(encode(".jpg", photo), ".jpg", format=target)[1].warnings


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("target", [None, "png", "tiff", "bmp", "jp2", "avif", "pnm"])
def test_same_way_up(orientation, target, dressed, copy, pillow_read):
    data = dressed("JPEG", orientation)
    before = ImageOps.exif_transpose(pillow_read(data))
    shown = ImageOps.exif_transpose(pillow_read(copy(data, ".jpg", format=target)[0]))
    assert shown.size == before.size
    assert np.abs(np.array(shown, float) - np.array(before, float)).mean() < 4


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("target", [None, "png", "jpeg"])
def test_turned_avif_is_upright(orientation, target, photo, pillow_file, pillow_read, copy, exif_of):
    data = pillow_file(photo, "AVIF", exif=exif_of(orientation), quality=100, subsampling="4:4:4")
    before = ImageOps.exif_transpose(pillow_read(data))
    written, _, _ = copy(data, ".avif", format=target)
    shown = ImageOps.exif_transpose(pillow_read(written))
    assert shown.size == before.size
    assert np.abs(np.array(shown, float) - np.array(before, float)).mean() < 4


def test_avif_keeps_exif_and_profile(photo, pillow_file, pillow_read, copy, exif_of, profile):
    data = pillow_file(photo, "AVIF", exif=exif_of(1), icc_profile=profile)
    written, sink, _ = copy(data, ".avif")
    shown = pillow_read(written)
    assert shown.info["icc_profile"] == profile
    assert shown.getexif()[0x010F] == "Maker"
    assert not sink.warnings


def test_jpeg_segments_are_kept_as_they_are(dressed, copy):
    iptc = b"\xff\xed\0\x0cPhotoshop "
    comment = b"\xff\xfe\0\x07hello"
    data = dressed("JPEG")
    written, sink, _ = copy(data[:2] + iptc + comment + data[2:], ".jpg")
    assert iptc in written
    assert comment in written
    assert not sink.warnings


def test_index_of_more_pictures_is_lost(photo, encode, copy):
    data = encode(".jpg", photo)
    written, sink, _ = copy(data[:2] + b"\xff\xe2\0\x0aMPF\0abcd" + data[2:], ".jpg")
    assert b"MPF\0" not in written
    assert sink.warnings == ("metadata-lost: mpf",)


def test_profile_longer_than_a_segment(photo, pillow_file, copy, pillow_read, profile):
    long = profile + bytes(150_000)
    for target in (None, "png", "webp", "tiff"):
        written = copy(pillow_file(photo, "JPEG", icc_profile=long), ".jpg", format=target)[0]
        assert pillow_read(written).info["icc_profile"] == long


def test_profile_of_inks_does_not_stay_on_colours(photo, pillow_file, copy, profile):
    inks = profile[:16] + b"CMYK" + profile[20:]
    written, sink, _ = copy(pillow_file(photo, "JPEG", "CMYK", icc_profile=inks), ".jpg")
    assert b"ICC_PROFILE" not in written
    assert sink.warnings == ("metadata-lost: icc",)


@pytest.mark.parametrize(
    ("kind", "target"), [("JPEG", None), ("PNG", None), ("JPEG", "png"), ("PNG", "jpeg"), ("TIFF", None)]
)
def test_density(kind, target, photo, pillow_file, copy, pillow_read):
    written, sink, _ = copy(pillow_file(photo, kind, dpi=(300, 150)), f".{kind.lower()}", format=target)
    assert [round(float(value)) for value in pillow_read(written).info["dpi"]] == [300, 150]
    assert not sink.warnings


def test_png_text(photo, pillow_file, copy, pillow_read):
    text = PngImagePlugin.PngInfo()
    text.add_text("Title", "nine")
    data = pillow_file(photo, "PNG", pnginfo=text)
    written, sink, _ = copy(data)
    assert pillow_read(written).info["Title"] == "nine"
    assert not sink.warnings
    assert copy(data, format="jpeg")[1].warnings == ("metadata-lost: tEXt",)


def test_unknown_png_chunk_is_lost(png_file, copy):
    assert copy(png_file(2, 1, 8, 0, b"\0\1\2", ((b"prVt", b"x"),)))[1].warnings == ("metadata-lost: prVt",)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("pages", [1, 2])
def test_tiff_tags(order, pages, photo, tiff_file, pillow_file, copy, profile):
    """Descriptions, geographic keys, profiles: all but places in the old file."""
    more = {270: (2, list(b"a field\0")), 34735: (3, [1, 1, 0, 7]), 34675: (7, list(profile)), 700: (1, list(XMP))}
    if pages == 1:
        data = tiff_file(photo, 2, order=order, more=more)
    else:
        tags = TiffImagePlugin.ImageFileDirectory_v2()
        tags[270], tags[34735], tags[34675], tags[700] = "a field", (1, 1, 0, 7), profile, XMP
        tags.tagtype[34735] = 3
        data = pillow_file(photo, "TIFF", tiffinfo=tags, save_all=True, append_images=[Image.fromarray(photo)])
    written, sink, _ = copy(data, ".tif")
    assert not sink.warnings
    with Image.open(io.BytesIO(written)) as shown:
        assert shown.n_frames == pages
        assert shown.tag_v2[270] == "a field"
        assert shown.tag_v2[34735] == (1, 1, 0, 7)
        assert shown.info["icc_profile"] == profile
        np.testing.assert_array_equal(np.array(shown), photo)


def test_tiff_pointers_are_lost(photo, tiff_file, copy):
    assert copy(tiff_file(photo, 2, more={34665: (4, [8])}), ".tif")[1].warnings == ("metadata-lost: exif",)


def test_exif_that_is_no_exif(photo, encode, copy, exif_of):
    broken = exif_of(6)[:20]
    data = encode(".jpg", photo)
    marked = data[:2] + b"\xff\xe1" + struct.pack(">H", len(broken) + 8) + b"Exif\0\0" + broken + data[2:]
    written, _, source = copy(marked, ".jpg", format="bmp")
    assert source.header.orientation == 1
    assert written.startswith(b"BM")
