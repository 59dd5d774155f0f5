"""tRNS: the chunk, not its letters; and what libpng makes of odd ones."""

import struct

import numpy as np
import pytest

GREY, COLOUR, PALETTE = 0, 2, 3
PLTE = (b"PLTE", bytes((10, 20, 30, 40, 50, 60)))


def values(*numbers):
    return struct.pack(f">{len(numbers)}H", *numbers)


@pytest.fixture
def decoded(open_picture, frames_of):
    """Return samples and warnings of a PNG."""

    def decode(data):
        source = open_picture(data)
        return frames_of(source)[0], source.warnings

    return decode


@pytest.mark.parametrize("text", [b"tRNS\0\0\xff", b"Comment\0tRNS\0\7", b"tRNS"])
@pytest.mark.parametrize("kind", [b"tEXt", b"prVt"])
def test_letters_in_another_chunk(png_file, decoded, kind, text):
    rows = bytes((0, 0, 44, 45, 255))
    samples, _ = decoded(png_file(4, 1, 8, GREY, rows, before=[(kind, text), (b"tRNS", values(44))]))
    assert samples[0, :, 3].tolist() == [255, 0, 255, 255]
    samples, warnings = decoded(png_file(4, 1, 8, GREY, rows, before=[(kind, text)]))
    assert samples.shape == (1, 4)
    assert "transparency-to-alpha" not in warnings


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_every_depth(png_file, decoded, bits):
    """Each value of the depth, or some, is transparent where the sample is that value; the scale is the full one."""
    most = (1 << bits) - 1
    numbers = sorted({0, 1, most // 3, most // 2, most - 1, most} & set(range(most + 1)))
    digits = "".join(f"{number:0{bits}b}" for number in numbers)
    row = b"\0" + int(digits.ljust(-len(digits) // 8 * -8, "0"), 2).to_bytes(-(-len(digits) // 8), "big")
    for index, number in enumerate(numbers):
        samples, warnings = decoded(png_file(len(numbers), 1, bits, GREY, row, before=[(b"tRNS", values(number))]))
        full = 65535 if bits == 16 else 255
        assert samples[0, :, 0].tolist() == [each * full // most for each in numbers]
        assert samples[0, :, 3].tolist() == [0 if at == index else full for at in range(len(numbers))]
        assert warnings == ("transparency-to-alpha",)


@pytest.mark.parametrize("value", [0, 1, 7, 44, 255])
@pytest.mark.parametrize("bits", [1, 8])
def test_as_another_reader_has_it(png_file, decoded, pillow_read, bits, value):
    """Pillow compares the stored value with scaled samples at 2 and 4 bits, so those are not asked of it."""
    data = png_file(8, 2, bits, GREY, (b"\0" + bytes(range(40, 48)) if bits == 8 else b"\0\x35") * 2,
                    before=[(b"tRNS", values(value & ((1 << bits) - 1)))])  # fmt: skip
    np.testing.assert_array_equal(decoded(data)[0], np.array(pillow_read(data, "RGBA"))[..., [2, 1, 0, 3]])


@pytest.mark.parametrize(("bits", "above", "value"), [(8, 300, 44), (8, 0xFF2C, 44), (4, 0x1A, 10), (2, 6, 2)])
def test_bits_above_the_depth_are_void(png_file, decoded, bits, above, value):
    """As the PNG specification has it, and libpng for colours."""
    row = {8: bytes((0, 44, 45)), 4: b"\0\xab", 2: b"\0\xb0"}[bits]
    alpha = [decoded(png_file(2, 1, bits, GREY, row, before=[(b"tRNS", values(each))]))[0][0, :, 3].tolist()
             for each in (above, value)]  # fmt: skip
    assert alpha == [[0, 255], [0, 255]]
    samples, _ = decoded(png_file(2, 1, 8, COLOUR, bytes((0, 1, 2, 3, 4, 5, 6)), [(b"tRNS", values(257, 258, 259))]))
    assert samples[0, :, 3].tolist() == [0, 255]


LENGTHS = [b"", b"\x2c", values(44, 44), values(44, 44, 44), bytes(700)]
PICTURES = {
    GREY: (bytes((0, 44, 45)), []),
    COLOUR: (bytes((0, 0, 44, 0, 44, 0, 44)), []),
    PALETTE: (bytes((0, 0, 1)), [PLTE]),
}


@pytest.mark.parametrize("colour", PICTURES)
@pytest.mark.parametrize("body", LENGTHS, ids=len)
def test_a_wrong_length_is_no_transparency(png_file, decoded, colour, body):
    """libpng says "invalid" and goes on without."""
    if (colour, len(body)) in {(COLOUR, 6), (PALETTE, 1)}:
        pytest.skip("is the right one")
    row, before = PICTURES[colour]
    samples, warnings = decoded(png_file(2, 1, 8, colour, row, before=[*before, (b"tRNS", body)]))
    assert samples.shape[2:] == (() if colour == GREY else (3,))
    assert "decoder-warning" in warnings
    assert "transparency-to-alpha" not in warnings


@pytest.mark.parametrize("colour", PICTURES)
def test_out_of_place_is_no_transparency(png_file, decoded, colour):
    row, before = PICTURES[colour]
    right = {GREY: values(44), COLOUR: values(0, 44 << 8, 0), PALETTE: b"\x80"}[colour]
    places = [{"before": before, "after": [(b"tRNS", right)]}]
    places += [{"before": [(b"tRNS", right), *before]}] if before else []
    for place in places:
        samples, warnings = decoded(png_file(2, 1, 8, colour, row, **place))
        assert samples.shape[2:] == (() if colour == GREY else (3,))
        assert "decoder-warning" in warnings
        assert "transparency-to-alpha" not in warnings


def test_of_two_the_first(png_file, decoded):
    twice = [(b"tRNS", values(44)), (b"tRNS", values(45))]
    samples, warnings = decoded(png_file(2, 1, 8, GREY, bytes((0, 44, 45)), before=twice))
    assert samples[0, :, 3].tolist() == [0, 255]
    assert "decoder-warning" in warnings


@pytest.mark.parametrize(("bits", "first"), [(8, (1, 2, 3)), (16, (1, 2, 3))])
def test_colours(png_file, decoded, bits, first):
    """All 16 bits must be the same."""
    letter = "B" if bits == 8 else "H"
    row = b"\0" + struct.pack(f">6{letter}", *first, 1, 2, 4)
    samples, _ = decoded(png_file(2, 1, bits, COLOUR, row, before=[(b"tRNS", values(*first))]))
    assert samples[0, :, 3].tolist() == [0, (1 << bits) - 1]


@pytest.mark.parametrize("chunks", [[], [(b"tRNS", values(1))]], ids=["plain", "tRNS"])
@pytest.mark.parametrize(
    ("bits", "colour"), [*((bits, 0) for bits in (0, 3, 5, 32, 255)), (4, 2), (16, 3), (4, 4), (1, 6), (8, 1), (8, 7)]
)
def test_depths_that_do_not_exist(png_file, fails, bits, colour, chunks):
    fails(png_file(4, 1, bits, colour, bytes(40), before=chunks), "corrupt")


@pytest.mark.parametrize(("place", "value"), [(26, 1), (26, 255), (27, 1), (27, 64), (28, 2)])
def test_methods_that_do_not_exist(png_file, png_chunk, fails, place, value):
    data = bytearray(png_file(4, 1, 8, 0, bytes(5), before=[(b"tRNS", values(1))]))
    data[place] = value
    fails(bytes(data[:8]) + png_chunk(b"IHDR", bytes(data[16:29])) + bytes(data[33:]), "corrupt")
