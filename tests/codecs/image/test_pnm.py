"""PNM: numbers are digits and nothing else, whatever Python would take for one."""

import struct

import cv2
import numpy as np
import pytest

from noisecli.errors import FileProblem


@pytest.mark.parametrize(
    "header", [b"P5\n%s 3\n255\n", b"P5\n3 %s\n255\n", b"P5\n3 3\n%s\n", b"P4\n%s 3\n", b"P2 3 %s 9 "]
)
@pytest.mark.parametrize("digits", [11, 5000, 300_000])
def test_numbers_of_many_digits(fails, header, digits):
    """int() takes 4,300."""
    fails(header % (b"9" * digits) + bytes(40), "corrupt", ".pgm")


def test_leading_zeros(open_picture, frames_of):
    zeros = b"0" * 300_000
    source = open_picture(b"P5\n%s2 %s1\n%s255\nAB" % (zeros, zeros, zeros), ".pgm")
    assert frames_of(source)[0].tolist() == [[65, 66]]
    source = open_picture(b"P2 2 1 255 %s7 0010\n" % zeros, ".pgm")
    assert frames_of(source)[0].tolist() == [[7, 10]]


@pytest.mark.parametrize("word", ["1_0", "+1", "-1", "1e3", "1.0", "0x1", "\u0663", "1\u00a0", "\0", "abc", "9" * 30])
@pytest.mark.parametrize("kind", [2, 3])
@pytest.mark.parametrize("place", [0, 5])
def test_words_that_are_no_numbers(fails, kind, word, place):
    words = ["7"] * 6
    words[place] = word
    fails(f"P{kind} {6 if kind == 2 else 2} 1 255\n{' '.join(words)}\n".encode(), "corrupt", ".pnm")


@pytest.mark.parametrize("word", ["1_0", "+1", "1e0", "\u0663", ""])
def test_headers_that_are_no_numbers(open_picture, word):
    with pytest.raises(FileProblem):
        open_picture(f"P2 {word} 1 255\n7 7 7\n".encode(), ".pgm")


@pytest.mark.parametrize("body", [b"0170", b"0 1 7 0", b"01a0", b"01-0", b"\xff\xff\xff\xff"])
def test_bitmaps_of_other_digits(fails, body):
    fails(b"P1\n2 2\n" + body + b"\n", "corrupt", ".pbm")


@pytest.mark.parametrize("binary", [0, 1])
@pytest.mark.parametrize("width", [1, 7, 8, 9, 33])
def test_bitmaps_as_opencv_reads_them(encode, open_picture, frames_of, binary, width):
    picture = np.random.default_rng(width).choice(np.uint8((0, 255)), (5, width))
    data = encode(".pbm", picture, cv2.IMWRITE_PXM_BINARY, binary)
    shown = frames_of(open_picture(data, ".pbm"))[0]
    np.testing.assert_array_equal(shown, cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED))


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_line_ends_and_comments(open_picture, frames_of, end):
    lines = [b"P2", b"# a comment 9", b"2#9", b"2", b"255", b"#" + b"x" * 300_000, b"1 2", b"# 9 9", b"3 4", b""]
    assert frames_of(open_picture(end.join(lines), ".pgm"))[0].tolist() == [[1, 2], [3, 4]]
    lines = [b"P1", b"# 1", b"2 2", b"01#11", b"1 0", b""]
    assert frames_of(open_picture(end.join(lines), ".pbm"))[0].tolist() == [[255, 0], [0, 255]]
    start = end.join([b"P5", b"# 9", b"2 1", b"255"]) + b"\n"
    assert frames_of(open_picture(start + b"AB", ".pgm"))[0].tolist() == [[65, 66]]


@pytest.mark.parametrize(
    "body", [b"P5", b"P5\n", b"P5\n#", b"P5\n# no end", b"P5 3 3", b"P2 2 2 255 1 2 3", b"P1 2 2 011"]
)
def test_cut(fails, body):
    fails(body, "truncated", ".pgm")


@pytest.mark.parametrize("last", [b"0", b"1", b"25", b"025"])
@pytest.mark.parametrize("comment", [b"", b"# 9"])
def test_a_last_number_that_may_be_cut(open_picture, frames_of, last, comment):
    start = b"P2\n2 2\n255\n1 2 3 " + last
    with pytest.raises(FileProblem, match=r"may be cut in its last number: .*add a line end") as caught:
        open_picture(start + comment, ".pgm")
    assert caught.value.reason == "truncated"
    assert frames_of(open_picture(start + comment + b"\n", ".pgm"))[0].tolist() == [[1, 2], [3, int(last)]]


@pytest.mark.parametrize(("maximum", "last"), [(255, 26), (255, 255), (254, 30), (9, 1), (65535, 6554)])
def test_a_last_number_that_can_have_no_digit_more(open_picture, frames_of, maximum, last):
    source = open_picture(b"P3\n1 1\n%d\n1 2 %d" % (maximum, last), ".ppm")
    assert frames_of(source)[0].ravel().tolist() == [last, 2, 1]
    assert source.warnings == ()


@pytest.mark.parametrize("last", [b"300", b"x", b"2x", b"99999999999"])
def test_a_last_number_that_is_none(fails, last):
    fails(b"P2 2 1 255 7 " + last, "corrupt", ".pgm")


@pytest.mark.parametrize("maximum", [0, 65536])
def test_impossible_maxima(fails, maximum):
    fails(b"P5 1 1 %d \0\0" % maximum, "corrupt", ".pgm")


def test_text_across_blocks(open_picture, frames_of):
    """More than a megabyte of words of every length, blank runs between."""
    random = np.random.default_rng(3)
    samples = random.integers(0, 65536, (300, 700)).astype(np.uint16)
    gaps = random.choice([b" ", b"\n", b"   ", b"\t\r\n", b"\n# 77 x\n"], samples.size)
    body = b"".join(b"%d%s" % (sample, gap) for sample, gap in zip(samples.ravel(), gaps, strict=True))
    assert len(body) > 1 << 20
    shown = frames_of(open_picture(b"P2 700 300 65535\n" + body + b"\n", ".pgm"))[0]
    np.testing.assert_array_equal(shown, samples)


@pytest.mark.parametrize("height", [0, -(1 << 31), (1 << 31) - 1])
def test_bmp_heights_that_lie(encode, open_picture, height):
    data = bytearray(encode(".bmp", np.zeros((8, 8, 3), np.uint8)))
    struct.pack_into("<i", data, 22, height)
    with pytest.raises(FileProblem):
        open_picture(bytes(data), ".bmp")


@pytest.mark.parametrize("start", [0, 1, 53, (1 << 31) - 1, (1 << 32) - 1])
def test_bmp_samples_that_lie_elsewhere(encode, open_picture, start):
    data = bytearray(encode(".bmp", np.zeros((8, 8, 3), np.uint8)))
    struct.pack_into("<I", data, 10, start)
    with pytest.raises(FileProblem):
        open_picture(bytes(data), ".bmp")
