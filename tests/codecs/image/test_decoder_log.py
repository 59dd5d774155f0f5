"""What a decoder prints is harmless, damage, or its own refusal; each is said in true words."""

import os

import cv2
import pytest

from noisecli.codecs.image.decoder_log import decoder_error


@pytest.mark.parametrize(
    ("said", "reason", "words"),
    [
        (
            b"[ WARN:0@0.5] global a.cpp:1 f Image has an odd box\n[ERROR:0@0.5] global a.cpp:1 f Too odd\n",
            "",
            "Too odd",
        ),
        (b"[ WARN:0@0.5] global a.cpp:1 f harmless\nCorrupt JPEG data: bad Huffman code\n", "corrupt", "Corrupt JPEG"),
        (b"imdecode_(''): can't read data: OpenCV(5.0.0) /a/b.cpp:1: error: (-2:Odd) Box in function 'g'", "", "(Box)"),
        (b"imdecode_(''): can't read data: OpenCV(5.0.0) /a/b.cpp:1: error: (-2:Odd) in function 'g'", "", "(Odd)"),
        (b"Truncated data", "truncated", "cut short: Truncated"),
        (b"", "", "it gave no reason"),
    ],
)
def test_a_refusal_is_no_damage(said, reason, words):
    """The words are of the line that failed the file; "damaged" and "cut short" need a word of the library for it."""
    error = decoder_error(said)
    assert error.reason == (reason or "not-decoded")
    assert words in error.message


def test_a_harmless_message_of_two_lines(photo, encode, open_picture, monkeypatch):
    """As OpenJPEG prints of odd precisions."""
    data = encode(".jp2", photo)
    real = cv2.imdecode

    def chatty(*given):
        os.write(2, b"[ WARN:0@0.5] global a.cpp:1 f Despite its precision\n\t[0] prec(8) sgnd(0)\n")
        return real(*given)

    monkeypatch.setattr(cv2, "imdecode", chatty)
    assert open_picture(data, ".jp2").warnings == ("decoder-warning",)
