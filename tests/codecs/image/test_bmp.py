"""BMPs of every header, mask and run length, as the test itself writes them."""

from struct import pack

import numpy as np
import pytest

RED, GREEN, BLUE, ALPHA = 0xFF0000, 0xFF00, 0xFF, 0xFF000000


def bmp(body, width, height, bits, *, compression=0, size=40, masks=(), colours=(), used=0, gap=b"", tail=b""):
    """Return a BMP with a header of `size` bytes; masks follow a short one, and stand in a long one."""
    entries = b"".join(bytes(each) + (b"" if size == 12 else b"\0") for each in colours)
    if size == 12:
        head = pack("<IHHHH", 12, width, height, 1, bits)
    else:
        head = pack("<IiiHHIIiiII", size, width, height, 1, bits, compression, len(body), 0, 0, used, 0)
        head = (head + pack(f"<{len(masks)}I", *masks)).ljust(size, b"\0")
        head = head if size >= 40 else head[:size]
    begin = 14 + len(head) + len(entries) + len(gap)
    return pack("<2sIII", b"BM", begin + len(body), 0, begin) + head + entries + gap + body + tail


def padded(rows):
    """Return rows of bytes, the lowest first, each filled up to four."""
    return b"".join(bytes(row).ljust(-(-len(row) // 4) * 4, b"\0") for row in reversed(rows))


@pytest.fixture
def opened(open_picture, frames_of):
    def read(data):
        source = open_picture(data, ".bmp")
        return frames_of(source)[0], source.warnings

    return read


@pytest.fixture
def rgb():
    return np.random.default_rng(3).integers(0, 256, (5, 7, 3), np.uint8)


@pytest.mark.parametrize("size", [12, 16, 40, 52, 56, 64, 108, 124])
def test_24_bits_behind_every_header(size, rgb, opened):
    image, warnings = opened(bmp(padded([row[:, ::-1].tobytes() for row in rgb]), 7, 5, 24, size=size))
    np.testing.assert_array_equal(image[..., ::-1], rgb)
    assert warnings == ()


@pytest.mark.parametrize("size", [12, 16, 40, 64, 108])
@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_palettes(size, bits, opened):
    indices = np.random.default_rng(bits).integers(0, 1 << bits, (5, 7), np.uint8)
    colours = np.random.default_rng(4).integers(0, 256, (1 << bits, 3), np.uint8)
    packed = [np.packbits(np.unpackbits(row[:, None], axis=1)[:, 8 - bits :]) for row in indices]
    image, warnings = opened(bmp(padded([row.tobytes() for row in packed]), 7, 5, bits, size=size, colours=colours))
    np.testing.assert_array_equal(image, colours[indices])
    assert warnings == ("palette-to-colour",)


@pytest.mark.parametrize(("bits", "warnings"), [(1, ("depth: 1 to 8 bits",)), (4, ("depth: 4 to 8 bits",)), (8, ())])
def test_grey_palettes_of_few_bits_say_so(bits, warnings, opened):
    most = (1 << bits) - 1
    colours = [(255 * value // most,) * 3 for value in range(most + 1)]
    image, found = opened(bmp(padded([b"\xa5" * 4]), 32 // bits, 1, bits, colours=colours))
    bits_of_row = [0xA5 >> shift & most for shift in range(8 - bits, -1, -bits)] * 4
    np.testing.assert_array_equal(image, [[255 * value // most for value in bits_of_row]])
    assert found == warnings


@pytest.mark.parametrize(
    ("masks", "bits", "word"),
    [
        ((0x7C00, 0x3E0, 0x1F), 16, "5"),
        ((0xF800, 0x7E0, 0x1F), 16, "5/6"),
        ((0xF00, 0xF0, 0xF, 0xF000), 16, "4"),
        ((0x7C00, 0x3E0, 0x1F, 0x8000), 16, "5/1"),
        ((0x3FF00000, 0xFFC00, 0x3FF), 32, "10"),
        ((0x3FF00000, 0xFFC00, 0x3FF, 0xC0000000), 32, "10/2"),
        ((0xFFE00000, 0x1FFC00, 0x3FF), 32, "11/10"),
        ((RED, GREEN, BLUE), 32, ""),
        ((BLUE, GREEN, RED), 32, ""),
        ((RED, GREEN, BLUE, ALPHA), 32, ""),
        ((BLUE, GREEN, RED, ALPHA), 32, ""),
        ((ALPHA, RED, GREEN, BLUE), 32, ""),
        ((0x7FFFC000, 0x3FC0, 0x3F), 32, "17/8/6"),
    ],
)
@pytest.mark.parametrize("size", [40, 52, 56, 108, 124])
def test_masks(masks, bits, word, size, opened):
    """Each channel is its bits on the scale of 255, rounded: white is 255."""
    if size == 52 and len(masks) == 4:
        pytest.skip("a header of 52 bytes has three masks")
    words = np.random.default_rng(5).integers(0, 1 << bits, (4, 6), np.uint64)
    words[0, :2] = 0, (1 << bits) - 1
    rows = [row.astype(f"<u{bits // 8}").tobytes() for row in words]
    compression = 6 if size == 40 and len(masks) == 4 else 3
    image, warnings = opened(bmp(padded(rows), 6, 4, bits, compression=compression, size=size, masks=masks))
    lowest = [mask & -mask for mask in masks]
    truth = [
        np.floor((words & np.uint64(mask)) / low * 255 / (mask // low) + 0.5)
        for mask, low in zip(masks, lowest, strict=True)
    ]
    np.testing.assert_array_equal(image, np.dstack([truth[2], truth[1], truth[0], *truth[3:]]))
    assert image[0, 1, 0] == 255
    assert warnings == ((f"depth: {word} to 8 bits",) if word else ())


def test_plain_16_bits_are_555(opened):
    image, warnings = opened(bmp(padded([pack("<2H", 0x7FFF, 0x7C01)]), 2, 1, 16))
    np.testing.assert_array_equal(image, [[[255, 255, 255], [8, 0, 255]]])
    assert warnings == ("depth: 5 to 8 bits",)


def test_masks_with_holes_are_named(skipped):
    skipped(bmp(bytes(8), 2, 1, 32, compression=3, masks=(0xF0F0, 0xF0000, 0xF)), "unsupported-samples", ".bmp")


def test_top_down_and_a_gap(rgb, opened):
    data = bmp(padded([row[:, ::-1].tobytes() for row in rgb[::-1]]), 7, -5, 24, gap=b"gap!")
    np.testing.assert_array_equal(opened(data)[0][..., ::-1], rgb)


def test_filling_of_the_last_row_may_be_missing(rgb, opened, fails):
    data = bmp(padded([row[:, ::-1].tobytes() for row in rgb]), 7, 5, 24)[:-3]
    np.testing.assert_array_equal(opened(data)[0][..., ::-1], rgb)
    fails(data[:-1], "truncated", ".bmp")


def test_a_palette_of_fewer_or_more_colours_than_its_bits(opened):
    two = [(10, 20, 30), (40, 50, 60)]
    image, warnings = opened(bmp(b"\0\1\5\0", 4, 1, 8, colours=two, used=2))
    np.testing.assert_array_equal(image[0], [*two, (0, 0, 0), two[0]])
    assert warnings == ("palette-to-colour", "decoder-warning")
    image, _ = opened(bmp(b"\0\1\1\0", 4, 1, 8, colours=two * 150, used=300))
    np.testing.assert_array_equal(image[0], [two[0], two[1], two[1], two[0]])


class TestRunLengths:
    COLOURS = tuple((value, 255 - value, 7) for value in range(16))

    def read(self, opened, body, bits=8, width=5, height=3, **more):
        data = bmp(body, width, height, bits, compression=3 - bits // 4, colours=self.COLOURS, used=16, **more)
        image, warnings = opened(data)
        return image[::-1, :, 0].tolist(), warnings

    def test_rows_of_8_bits(self, opened):
        rows, warnings = self.read(opened, b"\5\1\0\0\0\3\2\3\4\0\2\5\0\0\1\6\0\4\7\x08\x09\x0a\0\1")
        assert rows == [[1] * 5, [2, 3, 4, 5, 5], [6, 7, 8, 9, 10]]
        assert warnings == ("palette-to-colour",)

    def test_rows_of_4_bits(self, opened):
        rows, _ = self.read(opened, b"\5\x12\0\0\0\5\x34\x56\x70\0\0\0\4\x88\1\x90\0\1", bits=4)
        assert rows == [[1, 2, 1, 2, 1], [3, 4, 5, 6, 7], [8, 8, 8, 8, 9]]

    def test_what_is_passed_over_has_the_first_colour(self, opened):
        rows, warnings = self.read(opened, b"\1\1\0\2\2\1\2\5\0\1")
        assert rows == [[1, 0, 0, 0, 0], [0, 0, 0, 5, 5], [0] * 5]
        assert "decoder-warning" in warnings

    def test_no_end_mark_behind_the_last_pixel(self, opened, fails):
        body = b"\5\1\0\0\5\2\0\0\5\3"
        rows, warnings = self.read(opened, body)
        assert rows == [[1] * 5, [2] * 5, [3] * 5]
        assert "decoder-warning" in warnings
        data = bmp(body[:-2], 5, 3, 8, compression=1, colours=self.COLOURS, used=16)
        fails(data, "truncated", ".bmp")
        fails(data + b"\0\2\1", "truncated", ".bmp")
        fails(data + b"\0\0\0\0\0\0\5\3\0\1", "corrupt", ".bmp")

    def test_runs_end_with_their_row(self, opened):
        rows, warnings = self.read(opened, b"\6\1\0\0\0\4\2\3\4\5\4\6\0\0\5\7\0\1")
        assert rows == [[1] * 5, [2, 3, 4, 5, 6], [7] * 5]
        assert "decoder-warning" in warnings

    def test_trailing_data(self, opened):
        assert "trailing-data" in self.read(opened, b"\5\1\0\0\5\2\0\0\5\3\0\1", tail=b"more")[1]


@pytest.mark.parametrize(("compression", "name"), [(4, "JPEG"), (5, "PNG")])
def test_another_format_inside_is_named(compression, name, open_picture):
    with pytest.raises(Exception, match=f"{name} inside"):
        open_picture(bmp(b"\xff\xd8\xff\xd9", 4, 4, 0, compression=compression), ".bmp")


def test_a_profile_is_carried_or_named(copy, pillow_read):
    profile = bytes(16) + b"RGB " + bytes(16) + b"acsp" + bytes(88)
    head = bytearray(bmp(bytes(12), 2, 1, 24, size=124) + profile)
    head[70:74] = b"DEBM"
    head[126:134] = pack("<II", len(head) - len(profile) - 14, len(profile))
    _, sink, source = copy(bytes(head), ".bmp")
    assert (source.warnings, sink.warnings) == ((), ("metadata-lost: icc",))
    written, sink, _ = copy(bytes(head), ".bmp", format="png")
    assert sink.warnings == ()
    assert pillow_read(written).info["icc_profile"] == profile
    head[126:130] = pack("<I", 9999)
    assert copy(bytes(head), ".bmp", format="png")[1].warnings == ("metadata-lost: icc",)
