"""Fields that mean trouble, common to several grammars."""

from __future__ import annotations

import random
from typing import Any

SIZES = (0, 1, 2, 3, 7, 8, 255, 256, 65_535, 65_536, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**63 - 1, 2**63, 2**64 - 1)
NAMES = (
    *("", "a", "x", "weight", "layers/dense/vars/0", "../up", "/etc/passwd", "a/../../b", "a\\b", "C:x", ".", ".."),
    *("new\nline", "tab\t", "esc\x1b[31mred", "bell\x07", "nul\0inside", "é日", "\u202eright", "\ud800", "name" * 50),
    *("\x9b2J", "=1+1", "@cmd", "-rf", " ", "a.npy", ".npy", "x.npy.npy", "CON", "\x7f", "{stem}", "%s", "a,b", '"'),
)
LONG_NAME = "n" * 70_000


def chance(choose: random.Random, share: float) -> bool:
    return choose.random() < share


def size(choose: random.Random, bits: int = 32) -> int:
    """Return a number at an edge, that a field of so many bits holds."""
    return choose.choice(SIZES) & ((1 << bits) - 1)


def name(choose: random.Random) -> str:
    return LONG_NAME if chance(choose, 0.01) else choose.choice(NAMES)


def value(choose: random.Random, depth: int = 3) -> Any:
    """Return any value that JSON can spell, and some that only Python's reader takes."""
    if depth and chance(choose, 0.3):
        inner = [value(choose, depth - 1) for _ in range(choose.randrange(4))]
        return inner if chance(choose, 0.5) else {name(choose): entry for entry in inner}
    plain = (None, True, False, 0, 1, -1, 5, 0.5, -0.0, 1e308, float("nan"), float("inf"), 2**63, -(2**64), "", "x")
    return choose.choice((*plain, "é日", "\ud800", "\0", "a" * 1000, [], {}, [[]], [None], {"": {}}))


def deep(choose: random.Random) -> str:
    """Return JSON nested further than readers follow it."""
    depth = choose.choice((50, 990, 1_100, 20_000, 100_000))
    opening, closing = choose.choice((("[", "]"), ('{"a":', "}"), ('[{"b":', "}]")))
    middle = choose.choice(("", "1", '"x"')) if opening == "[" else "1"
    return opening * depth + middle + (closing * depth if chance(choose, 0.8) else "")


def damaged(data: bytes, choose: random.Random) -> bytes:
    """Change one byte, cut, lengthen, or repeat a run."""
    at = choose.randrange(len(data) + 1)
    way = choose.randrange(4)
    if way == 0:
        return data[:at] + bytes([choose.randrange(256)]) + data[at + 1 :]
    if way == 1:
        return data[:at]
    if way == 2:
        return data + choose.randbytes(choose.choice((1, 4, 300)))
    return data[:at] + data[at : at + choose.choice((1, 8, 64))] + data[at:]
