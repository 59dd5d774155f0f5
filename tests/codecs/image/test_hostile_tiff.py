"""Broken and odd TIFFs: each fails, is skipped by name, or comes back as stored."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from noisecli.errors import FileFailed, FileSkipped


class TestTiff:
    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_looks_the_same_way_up(self, orientation, photo, tiff_file, copy, pillow_read):
        written, _, _ = copy(tiff_file(photo, 2, more={274: (3, [orientation])}), ".tif")
        shown = pillow_read(written)
        turned = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}.get(orientation)
        expected = Image.fromarray(photo)
        if turned is not None:
            expected = expected.transpose(Image.Transpose(turned))
        assert shown.getexif().get(274, 1) == 1
        np.testing.assert_array_equal(np.array(shown), np.array(expected))

    @pytest.mark.parametrize("order", ["<", ">"])
    @pytest.mark.parametrize("kind", [0, 1, 2])
    @pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
    def test_alpha_comes_back_as_stored(self, kind, order, dtype, tiff_file, copy, open_picture, frames_of):
        """OpenCV alone multiplies unassociated 8-bit alpha into the colours."""
        samples = np.random.default_rng(1).integers(0, 256, (9, 7, 4)).astype(dtype)
        data = tiff_file(samples, 2, order=order, more={338: (3, [kind])})
        written, _, source = copy(data, ".tif")
        assert source.warnings == ()
        np.testing.assert_array_equal(frames_of(source)[0], samples[..., [2, 1, 0, 3]])
        again = open_picture(written, ".tif")
        np.testing.assert_array_equal(frames_of(again)[0], samples[..., [2, 1, 0, 3]])
        assert again.header.metadata.tags[0][338] == (3, struct.pack("<H", kind))

    def test_all_pages(self, photo, pillow_file, pillow_read, copy):
        data = pillow_file(photo, "TIFF", save_all=True, append_images=[Image.fromarray(photo[::-1].copy())])
        written, _, source = copy(data, ".tif")
        assert source.spec.shape == (2, 48, 64, 3)
        with Image.open(io.BytesIO(written)) as pages:
            assert pages.n_frames == 2
            pages.seek(1)
            np.testing.assert_array_equal(np.array(pages), photo[::-1])

    def test_grey_pages_as_wide_as_colours(self, pillow_file, copy, open_picture, frames_of):
        pages = np.random.default_rng(2).integers(0, 256, (2, 5, 3), np.uint8)
        data = pillow_file(pages[0], "TIFF", save_all=True, append_images=[Image.fromarray(pages[1])])
        written, _, source = copy(data, ".tif")
        assert (source.spec.shape, source.spec.noisy_channels) == ((2, 5, 3), None)
        np.testing.assert_array_equal(np.array(frames_of(open_picture(written, ".tif"))), pages)

    def test_pages_of_two_sizes(self, photo, pillow_file, skipped):
        data = pillow_file(photo, "TIFF", save_all=True, append_images=[Image.fromarray(photo[:9])])
        skipped(data, "unsupported-samples", ".tif")

    def test_pages_count_for_the_limit(self, photo, pillow_file, fails):
        data = pillow_file(photo, "TIFF", save_all=True, append_images=[Image.fromarray(photo)] * 3)
        fails(data, "too-large", ".tif", max_pixels=3 * photo.shape[0] * photo.shape[1])

    @pytest.mark.parametrize(
        ("dtype", "form"),
        [(np.float32, 3), (np.float64, 3), (np.int16, 2), (np.int32, 2), (np.uint16, 1), (np.uint8, 1)],
    )
    @pytest.mark.parametrize("channels", [1, 3])
    def test_dtype_stays(self, dtype, form, channels, tiff_file, copy, frames_of, open_picture):
        shape = (6, 5, 3) if channels == 3 else (6, 5)
        samples = np.random.default_rng(3).uniform(0, 200, shape).astype(dtype)
        written, sink, source = copy(tiff_file(samples, channels - channels // 3, form), ".tif")
        assert (source.spec.dtype, sink.lossy) == (np.dtype(dtype).name, False)
        expected = samples[..., ::-1] if channels == 3 else samples
        np.testing.assert_array_equal(frames_of(open_picture(written, ".tif"))[0], expected)

    @pytest.mark.parametrize("place", [322, 323])
    def test_lying_tiles(self, photo, tiff_file, fails, place):
        sizes = {322: (4, [64]), 323: (4, [48]), 324: (4, [8]), 325: (4, [photo.size])}
        sizes[place] = (4, [1 << 28])
        fails(tiff_file(photo, 2, more=sizes), "corrupt", ".tif")

    def test_strip_behind_the_end(self, photo, tiff_file, fails):
        fails(tiff_file(photo, 2, more={273: (4, [1 << 20])}), "truncated", ".tif")

    def test_more_rows_than_bytes(self, photo, tiff_file, fails):
        fails(tiff_file(photo, 2, more={257: (4, [4000]), 278: (4, [4000])}), "truncated", ".tif")

    def test_circle_of_directories(self, photo, encode, fails):
        data = encode(".tiff", photo[..., 0])
        start = struct.unpack_from("<I", data, 4)[0]
        last = start + 2 + 12 * struct.unpack_from("<H", data, start)[0]
        fails(data[:last] + struct.pack("<I", start) + data[last + 4 :], "corrupt", ".tif")

    @pytest.mark.parametrize(
        ("shape", "dtype", "form", "photometric", "words"),
        [
            ((4, 4, 3), np.uint8, 1, 8, "CIE Lab"),
            ((4, 4, 3), np.uint8, 1, 6, None),
            ((4, 4, 3), np.uint16, 1, 6, "YCbCr"),
            ((4, 4), np.complex64, 6, 1, "64-bit complex"),
            ((4, 4), np.uint64, 1, 1, "64-bit unsigned"),
            ((4, 4, 2), np.uint8, 1, 2, "2 x 8-bit"),
        ],
    )
    def test_samples_that_cannot_be_kept(self, shape, dtype, form, photometric, words, tiff_file, open_picture):
        data = tiff_file(np.zeros(shape, dtype), photometric, form)
        if words is None:
            open_picture(data, ".tif")
            return
        with pytest.raises(FileSkipped, match=words) as caught:
            open_picture(data, ".tif")
        assert caught.value.reason == "unsupported-samples"

    @pytest.mark.parametrize(("compression", "name"), [(6, "old JPEG"), (34887, "LERC"), (50002, "JPEG XL"), (9, "9")])
    def test_packed_as_nothing_here_can(self, compression, name, photo, tiff_file, open_picture):
        with pytest.raises(FileSkipped, match=f"compression .*{name}, of 3 x 8-bit.*DEFLATE"):
            open_picture(tiff_file(photo, 2, more={259: (3, [compression])}), ".tif")

    @pytest.mark.parametrize("compression", [5, 8, 32773, 34925, 50001, 33005])
    @pytest.mark.parametrize("bits", [16, 32])
    def test_packed_samples_that_are_none(self, compression, bits, tiff_file, open_picture):
        samples = np.random.default_rng(2).integers(0, 1 << 16, (9, 8, 5)).astype(f"u{bits // 8}")
        with pytest.raises((FileFailed, FileSkipped)) as caught:
            open_picture(tiff_file(samples, 1, more={259: (3, [compression])}), ".tif")
        assert caught.value.reason in ("corrupt", "truncated", "not-decoded", "unsupported-samples")

    def test_damage_that_libtiff_only_warns_of(self, photo, pillow_file, open_picture):
        data = bytearray(pillow_file(photo, "TIFF", compression="jpeg"))
        scan = data.rfind(b"\xff\xda")
        data[scan + 100 : scan + 102] = b"\xff\xd9"
        with pytest.raises(FileFailed, match="premature end"):
            open_picture(bytes(data), ".tif")

    @pytest.mark.parametrize("first", [1, 3])
    def test_tag_that_is_there_twice(self, first, tiff_file, open_picture, frames_of):
        """Page and decoder go by the same one: OpenCV's encoder ends the process over pages of two types."""
        samples = np.random.default_rng(1).uniform(0, 1, (6, 5)).astype(np.float32)
        data = bytearray(tiff_file(samples, 1, first, more={340: (3, [4 - first])}))
        data[(place := data.rindex(struct.pack("<H", 340))) : place + 2] = struct.pack("<H", 339)
        [found] = frames_of(open_picture(bytes(data), ".tif"))
        assert found.dtype == (np.float32 if first == 3 else np.uint32)

    def test_cmyk(self, photo, pillow_file, pillow_read, open_picture, frames_of):
        data = pillow_file(photo, "TIFF", "CMYK")
        source = open_picture(data, ".tif")
        assert source.warnings == ("cmyk-to-colour",)
        np.testing.assert_array_equal(frames_of(source)[0][..., ::-1], np.array(pillow_read(data, "RGB")))
