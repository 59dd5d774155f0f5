"""Headers of PNM: numbers between blanks and comments, in front of bytes or of digits."""

from __future__ import annotations

import random

from grammars.pieces import chance, damaged

_SUFFIXES = {b"P1": ".pbm", b"P2": ".pgm", b"P3": ".ppm", b"P4": ".pbm", b"P5": ".pgm", b"P6": ".ppm"}
_BLANKS = (b" ", b"\n", b"\t", b"\r", b"\r\n", b"\v", b"\f", b"  \n", b" " * 3_000)
_ODD_BLANKS = (b"", b"\0", b"\xa0", b"\xe3\x80\x80", b"\x85", b",", b"\x1c", b"\x1f", b"_")
_MAXIMA = (b"255", b"255", b"65535", b"1", b"15", b"256", b"1023", b"4095")
_ODD = (
    *(b"0", b"-1", b"+3", b"1_0", b"0x3", b"3.0", b"3e0", b"", b"65536", b"99999", b"2147483647", b"2147483648"),
    *(
        b"4294967296",
        b"18446744073709551617",
        b"007",
        b"\xd9\xa3",
        b"\xef\xbc\x93",
        b"\xb2",
        b"nan",
        b"x",
        b"3#c\n",
        b"1e5",
    ),
)


def make(choose: random.Random) -> tuple[str, bytes]:
    magic = choose.choice(tuple(_SUFFIXES))
    odd = [chance(choose, 0.2) for _ in range(5)]
    width, height = choose.randrange(1, 12), choose.randrange(1, 9)
    maximum = choose.choice(_MAXIMA)
    words = [str(width).encode(), str(height).encode(), *([] if magic in (b"P1", b"P4") else [maximum])]
    if odd[0]:
        words[choose.randrange(len(words))] = _number(choose)
    if odd[1]:
        _other_words(choose, words)
    data = _header(choose, magic, words, odd=odd[2])
    body = _body(choose, magic, width, height, int(maximum), odd=odd[3])
    suffix = _SUFFIXES[magic] if chance(choose, 0.9) else choose.choice((".pnm", ".pgm", ".ppm", ".pbm"))
    data += body
    return suffix, damaged(data, choose) if odd[4] and chance(choose, 0.5) else data


def _number(choose: random.Random) -> bytes:
    if chance(choose, 0.3):
        digit = choose.choice((b"9", b"0", b"1"))
        return choose.choice((b"", b"-", b"+")) + digit * choose.choice((20, 400, 4_300, 4_301, 5_000, 70_000))
    return choose.choice(_ODD)


def _other_words(choose: random.Random, words: list[bytes]) -> None:
    way = choose.randrange(3)
    if way == 0:
        words.pop()
    elif way == 1:
        words.append(choose.choice((b"7", b"", b"255")))
    else:
        choose.shuffle(words)


def _header(choose: random.Random, magic: bytes, words: list[bytes], *, odd: bool) -> bytes:
    if not odd:
        return magic + b"\n" + b" ".join(words) + b"\n"
    if chance(choose, 0.1):
        magic = choose.choice((b"P0", b"P7", b"P8", b"p5", b"P", b"P55", b"PF", b"Pf", b"\xef\xbb\xbfP5"))
    data = magic
    for word in words:
        data += _gap(choose) + word
    return data + choose.choice((b"\n", b" ", b"\r\n", b"", b"\n\n", b"#\n", b"\t", _gap(choose)))


def _gap(choose: random.Random) -> bytes:
    """Blanks, comments, comments without an end, thousands of comments."""
    way = choose.random()
    if way < 0.5:
        return choose.choice(_BLANKS)
    if way < 0.65:
        return choose.choice(_ODD_BLANKS)
    comment = b"#" + choose.choice((b"", b" hello", b"\xff\xfe", b"P5 9 9 255", b"c" * 9_000, b"\x1b[31m", b"#" * 50))
    if way < 0.9:
        return b"\n" + comment + choose.choice((b"\n", b"\n", b"\r", b"\r\n", b""))
    return b"\n" + (comment[:20] + b"\n") * choose.choice((2, 1_000, 20_000))


def _body(choose: random.Random, magic: bytes, width: int, height: int, maximum: int, *, odd: bool) -> bytes:
    count = width * height * (3 if magic in (b"P3", b"P6") else 1)
    if magic == b"P4":
        data = choose.randbytes((width + 7) // 8 * height)
    elif magic in (b"P5", b"P6"):
        data = _samples(choose, count, maximum)
    else:
        data = _digits(choose, magic, count, maximum, odd=odd)
    if odd and magic in (b"P4", b"P5", b"P6"):
        data = choose.choice(
            (data[:-1], data[: len(data) // 2], data + b"x", data + b"P5\n1 1\n255\n\0", b"", b"\xff" * len(data))
        )
    return data


def _samples(choose: random.Random, count: int, maximum: int) -> bytes:
    if maximum < 256:
        return bytes(choose.randrange(maximum + 1) for _ in range(count))
    return b"".join(choose.randrange(maximum + 1).to_bytes(2, "big") for _ in range(count))


def _digits(choose: random.Random, magic: bytes, count: int, maximum: int, *, odd: bool) -> bytes:
    most = 1 if magic == b"P1" else maximum
    words = [str(choose.randrange(most + 1)).encode() for _ in range(count)]
    between = choose.choice((b" ", b"\n", b"\t")) if magic != b"P1" or chance(choose, 0.6) else b""
    if odd:
        way = choose.randrange(6)
        if way < 2:
            words[choose.randrange(len(words))] = choose.choice((_number(choose), b"2", b"7", str(most + 1).encode()))
        elif way == 2:
            words.pop()
        elif way == 3:
            words.append(choose.choice((b"1", b"x", b"#c", b"0" * 5_000)))
        elif way == 4:
            words.insert(choose.randrange(len(words)), choose.choice((b"#c\n", b"# 1 0 1\n", b"#")))
        else:
            between = choose.choice(_ODD_BLANKS)
    return between.join(words) + choose.choice((b"\n", b"", b" "))
