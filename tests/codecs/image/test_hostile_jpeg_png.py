"""Broken and odd JPEGs and PNGs: each fails, is skipped by name, or is done with a warning."""

import re
import resource
import struct
import zlib

import cv2
import numpy as np
import pytest

from noisecli.errors import FileFailed, FileSkipped

JPEGS = {
    "baseline": (),
    "progressive": (cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    "restarts": (cv2.IMWRITE_JPEG_RST_INTERVAL, 2),
}


@pytest.fixture(params=JPEGS)
def jpeg(request, photo, encode):
    return encode(".jpg", photo, *JPEGS[request.param])


class TestJpeg:
    @pytest.mark.parametrize("closed", [False, True])
    def test_cut_at_60_percent(self, jpeg, fails, closed):
        fails(jpeg[: len(jpeg) * 6 // 10] + b"\xff\xd9" * closed, "truncated", ".jpg")

    @pytest.mark.parametrize("lost", [1, 2, 3])
    def test_cut_by_bytes(self, jpeg, fails, lost):
        fails(jpeg[:-lost], "truncated", ".jpg")

    @pytest.mark.parametrize("closed", [False, True])
    def test_zero_filled_tail(self, jpeg, fails, closed):
        kept = len(jpeg) * 6 // 10
        tail = bytes(len(jpeg) - kept) + b"\xff\xd9" * closed
        fails(jpeg[:kept] + tail, "truncated", ".jpg")

    def test_progressive_cut_at_every_scan(self, photo, encode, fails):
        data = encode(".jpg", photo, *JPEGS["progressive"])
        starts = [match.start() for match in re.finditer(b"\xff\xda", data)]
        assert len(starts) > 5
        for start in starts[1:]:
            fails(data[:start] + b"\xff\xd9", "truncated", ".jpg")

    def test_early_end(self, jpeg, fails):
        middle = len(jpeg) * 3 // 4
        fails(jpeg[:middle] + b"\xff\xd9" + jpeg[middle + 2 :], "truncated", ".jpg")

    def test_trailing_garbage(self, jpeg, photo, open_picture, frames_of):
        source = open_picture(jpeg + b"garbage" * 9, ".jpg")
        assert source.warnings == ("trailing-data",)
        np.testing.assert_array_equal(frames_of(source)[0], frames_of(open_picture(jpeg, ".jpg"))[0])

    def test_claims_16000_pixels_a_side_in_5_kilobytes(self, jpeg, fails):
        frame = re.search(b"\xff[\xc0-\xc2]", jpeg).start()
        bomb = jpeg[: frame + 5] + struct.pack(">HH", 16000, 16000) + jpeg[frame + 9 :]
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        fails(bomb, "truncated", ".jpg", max_pixels=1 << 30)
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000

    @pytest.mark.parametrize("stray", [b"\0\0\0abc", b"a", b"\xff\0\xff\0"])
    def test_stray_bytes_before_a_marker(self, jpeg, open_picture, frames_of, stray):
        scan = jpeg.find(b"\xff\xda")
        source = open_picture(jpeg[:scan] + stray + jpeg[scan:], ".jpg")
        assert source.warnings == ("decoder-warning",)
        np.testing.assert_array_equal(frames_of(source)[0], frames_of(open_picture(jpeg, ".jpg"))[0])

    @pytest.mark.parametrize("stray", [b"\0", bytes(64), bytes(5000), b" " * 40])
    def test_padding_before_the_end(self, jpeg, stray, open_picture, frames_of):
        """All samples are there; a single byte is nothing that the decoder speaks of."""
        source = open_picture(jpeg[:-2] + stray + jpeg[-2:], ".jpg")
        assert source.warnings == (("decoder-warning",) if len(stray) > 1 else ())
        np.testing.assert_array_equal(frames_of(source)[0], frames_of(open_picture(jpeg, ".jpg"))[0])

    @pytest.mark.parametrize("lost", [1, 2, 3, 40])
    @pytest.mark.parametrize("fill", [b"\0", b"\x55"])
    def test_padding_in_the_place_of_samples(self, jpeg, lost, fill, fails):
        fails(jpeg[: -2 - lost] + fill * 64 + jpeg[-2:], "truncated", ".jpg")

    def test_other_bytes_before_the_end_may_be_damage(self, jpeg, open_picture):
        with pytest.raises(
            FileFailed, match=r"at least [56]. bytes between its last sample and its end marker: padding, or what"
        ):
            open_picture(jpeg[:-2] + b"garbage" * 9 + jpeg[-2:], ".jpg")

    @pytest.mark.parametrize("lost", [1, 2])
    def test_only_the_end_marker_is_missing(self, jpeg, lost, open_picture):
        with pytest.raises(FileFailed, match="has no end marker, though all of its samples are there; save it again"):
            open_picture(jpeg[:-lost], ".jpg")

    @pytest.mark.parametrize("lost", [3, 4, 9, 100])
    def test_samples_are_missing_too(self, jpeg, lost, open_picture):
        with pytest.raises(FileFailed, match="cut short: the JPEG has no end marker"):
            open_picture(jpeg[:-lost], ".jpg")

    def test_factors_that_the_decoder_does_not_know_are_no_damage(self, photo, encode, open_picture):
        data = encode(".jpg", photo, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444)
        frame = data.find(b"\xff\xc0")
        odd = data[: frame + 11] + b"\x33" + data[frame + 12 : frame + 14] + b"\x22" + data[frame + 15 :]
        with pytest.raises(FileFailed, match="OpenCV cannot read it") as caught:
            open_picture(odd, ".jpg")
        assert caught.value.reason == "not-decoded"

    def test_stray_bytes_do_not_hide_a_cut(self, photo, encode, fails):
        """libjpeg prints its first complaint only."""
        data = encode(".jpg", photo)
        scan = data.find(b"\xff\xda")
        fails(data[:scan] + b"stray" + data[scan : len(data) * 3 // 4] + b"\xff\xd9", "truncated", ".jpg")

    def test_odd_scan_parameters_are_harmless(self, photo, encode, open_picture, frames_of):
        data = encode(".jpg", photo)
        scan = data.find(b"\xff\xda")
        tail = scan + 5 + 2 * data[scan + 4]
        source = open_picture(data[:tail] + b"\0\0\0" + data[tail + 3 :], ".jpg")
        assert source.warnings == ("decoder-warning",)
        np.testing.assert_array_equal(frames_of(source)[0], frames_of(open_picture(data, ".jpg"))[0])

    def test_damaged_middle(self, photo, encode, fails):
        data = bytearray(encode(".jpg", photo, *JPEGS["restarts"]))
        restarts = [match.start() for match in re.finditer(b"\xff[\xd0-\xd7]", data)]
        data[restarts[3] + 1] ^= 3
        fails(bytes(data), "corrupt", ".jpg")

    def test_cmyk(self, photo, pillow_file, open_picture):
        source = open_picture(pillow_file(photo, "JPEG", "CMYK"), ".jpg")
        assert source.warnings == ("cmyk-to-colour",)
        assert source.spec.shape == (48, 64, 3)

    def test_12_bits(self, photo, encode, skipped):
        data = encode(".jpg", photo)
        frame = data.find(b"\xff\xc0")
        skipped(data[: frame + 4] + b"\x0c" + data[frame + 5 :], "unsupported-samples", ".jpg")

    @pytest.mark.parametrize(("marker", "words"), [(0xC9, "jpegtran"), (0xCA, "jpegtran"), (0xC3, "convert it to PNG")])
    def test_other_codings_are_named_with_the_way_out(self, marker, words, photo, encode, open_picture):
        data = encode(".jpg", photo)
        frame = data.find(b"\xff\xc0")
        with pytest.raises(FileSkipped, match=words):
            open_picture(data[: frame + 1] + bytes((marker,)) + data[frame + 2 :], ".jpg")

    def test_a_height_after_the_samples(self, photo, encode, skipped):
        data = encode(".jpg", photo)
        frame = data.find(b"\xff\xc0")
        height = struct.pack(">BBHH", 0xFF, 0xDC, 4, 48)
        skipped(data[: frame + 5] + b"\0\0" + data[frame + 7 : -2] + height + data[-2:], "unsupported-samples", ".jpg")


class TestPng:
    @pytest.mark.parametrize("frames", [0, 1])
    def test_an_animation_of_one_picture_or_none(self, frames, png_file, open_picture, frames_of):
        control = struct.pack(">IIIIIHHBB", 0, 2, 1, 0, 0, 1, 10, 0, 0)
        before = ((b"acTL", struct.pack(">II", frames, 0)), (b"fcTL", control))
        source = open_picture(png_file(2, 1, 8, 0, b"\0\x10\x20", before[: 1 + frames]))
        np.testing.assert_array_equal(frames_of(source)[0], [[16, 32]])

    def test_a_frame_beside_the_picture(self, png_file, skipped):
        frame = ((b"fdAT", bytes(4) + zlib.compress(b"\0\x30\x40")),)
        skipped(png_file(2, 1, 8, 0, b"\0\x10\x20", ((b"acTL", struct.pack(">II", 1, 0)),), frame), "animated")

    @pytest.fixture
    def png(self, photo, encode):
        return encode(".png", photo)

    def test_bad_crc_in_the_picture(self, png, fails):
        at = png.find(b"IDAT") + 500
        fails(png[:at] + bytes([png[at] ^ 1]) + png[at + 1 :], "corrupt")

    def test_no_end_chunk(self, png, fails):
        fails(png[:-12], "truncated")

    @pytest.mark.parametrize("size", [(0, 5), (5, 0)])
    def test_zero_side(self, png_file, fails, size):
        fails(png_file(*size, 8, 0, bytes(30)), "corrupt")

    @pytest.mark.parametrize("side", [1 << 30, (1 << 31) - 1, 20000])
    def test_too_many_pixels(self, png_file, fails, side):
        fails(png_file(side, side, 8, 0, bytes(30)), "too-large")

    def test_too_little_picture_for_its_size(self, png_file, fails):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        fails(png_file(13000, 13000, 8, 2, bytes(1000)), "truncated")
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000

    def test_picture_one_row_short(self, png_file, fails):
        fails(png_file(20, 20, 8, 0, bytes(21 * 19)), "truncated")

    def test_trailing_garbage(self, png, open_picture):
        assert open_picture(png + b"x").warnings == ("trailing-data",)

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            (((b"iCCP", b"a\0\0abc"),), ()),
            (((b"iCCP", b"a\0\0" + zlib.compress(b"x" * 200)),), ()),
            ((), ((b"gAMA", struct.pack(">I", 45455)),)),
        ],
    )
    def test_odd_chunks_are_harmless(self, png_file, open_picture, before, after):
        source = open_picture(png_file(4, 2, 8, 0, bytes(10), before, after))
        assert source.warnings == ("decoder-warning",)

    def test_wrong_crc_beside_the_picture_is_left_behind(self, png_file, copy):
        data = png_file(4, 2, 8, 0, bytes(10), ((b"tEXt", b"Title\0nine"),)).replace(b"nine", b"ten!")
        written, _, source = copy(data)
        assert source.warnings == ("decoder-warning",)
        assert b"tEXt" not in written

    def test_16_bits_stay(self, photo, encode, copy, pillow_read):
        deep = photo[..., 0].astype(np.uint16) * 257 + 5
        written, _, source = copy(encode(".png", deep))
        assert (source.spec.dtype, source.spec.full_scale) == ("uint16", 65535)
        np.testing.assert_array_equal(np.array(pillow_read(written)), deep)

    def test_grey_alpha(self, photo, pillow_file, open_picture):
        source = open_picture(pillow_file(np.ascontiguousarray(photo[..., :2]), "PNG"))
        assert source.warnings == ("grey-alpha-to-colour-alpha",)
        assert source.spec.noisy_channels == 3

    def test_palette(self, photo, pillow_file, pillow_read, open_picture, frames_of):
        data = pillow_file(photo, "PNG", "P")
        source = open_picture(data)
        assert source.warnings == ("palette-to-colour",)
        np.testing.assert_array_equal(frames_of(source)[0][..., ::-1], np.array(pillow_read(data, "RGB")))

    @pytest.mark.parametrize(
        ("bits", "rows", "key"),
        [(1, b"\0\x40", 0), (2, b"\0\x70", 1), (4, b"\0\x70", 7), (8, b"\0\x10\x20", 16), (16, b"\0\1\2\1\3", 258)],
    )
    def test_grey_with_transparency(self, bits, rows, key, png_file, open_picture, frames_of):
        data = png_file(2, 1, bits, 0, rows, ((b"tRNS", struct.pack(">H", key)),))
        source = open_picture(data)
        assert source.warnings == ("transparency-to-alpha",)
        assert source.spec.noisy_channels == 3
        np.testing.assert_array_equal(frames_of(source)[0][0, :, 3], [0, source.spec.full_scale])

    def test_colour_with_transparency(self, png_file, open_picture, frames_of):
        key = b"\0\x10" * 3
        source = open_picture(png_file(2, 1, 8, 2, b"\0\x10\x10\x10\x10\x10\x11", ((b"tRNS", key),)))
        assert source.warnings == ("transparency-to-alpha",)
        np.testing.assert_array_equal(frames_of(source)[0][0, :, 3], [0, 255])

    def test_one_bit_grey(self, png_file, open_picture, frames_of):
        source = open_picture(png_file(8, 1, 1, 0, b"\0\xa0"))
        np.testing.assert_array_equal(frames_of(source)[0], [[255, 0, 255, 0, 0, 0, 0, 0]])
        assert source.warnings == ("depth: 1 to 8 bits",)

    @pytest.mark.parametrize("bits", [2, 4])
    def test_grey_of_few_bits(self, bits, png_file, open_picture, frames_of):
        source = open_picture(png_file(16 // bits, 1, bits, 0, b"\0\x1b\x4f"))
        values = [0x1B4F >> shift & (1 << bits) - 1 for shift in range(16 - bits, -1, -bits)]
        np.testing.assert_array_equal(frames_of(source)[0], [[value * 255 // ((1 << bits) - 1) for value in values]])
        assert source.warnings == (f"depth: {bits} to 8 bits",)

    def test_single_pixel(self, png_file, copy, pillow_read):
        assert pillow_read(copy(png_file(1, 1, 8, 0, b"\0\x33"))[0]).getpixel((0, 0)) == 0x33
