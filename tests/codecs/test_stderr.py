"""What decoders print is judged whole: every line, by whole lines, in little memory."""

import os

import pytest

from noisecli.codecs.stderr import caught


def printed(*lines):
    return lambda: os.write(2, b"\n".join(lines))


def is_bad(line):
    return None if line.startswith(b"silent") else b"bad" in line


@pytest.mark.parametrize("before", [0, 60, 5_000])
@pytest.mark.parametrize("line", [b"harmless", b"silent", b"harmless %d", b"silent %d"])
def test_the_last_line_counts(before, line):
    lines = [line % number if b"%" in line else line for number in range(before)]
    _, text = caught(printed(*lines, b"bad"), is_bad)
    assert text.splitlines()[-1] == b"bad"
    assert len(text) < 4096


def test_lines_are_whole():
    lines = [b"%d" % number * 7 for number in range(40_000)]
    _, text = caught(printed(*lines), lambda line: int(line) % 3)
    assert set(text.splitlines()) <= set(lines)


def test_a_line_of_megabytes():
    _, text = caught(printed(b"x" * 3_000_000, b"bad", b"y" * 300_000), is_bad)
    assert b"bad" in text.splitlines()
    assert len(text) < 20_000


def test_nothing_is_left_for_the_next():
    caught(printed(b"first", b"second"))
    assert caught(printed(b"third")) == (5, b"third")
    assert caught(lambda: 1) == (1, b"")
