"""Text on a sheet. OpenCV 5 has a font for nearly all scripts, OpenCV 4 has ASCII only."""

import unicodedata
from functools import cache
from typing import Any

import cv2

from noisecli.storage import escape_name
from noisecli.views.canvas import FAINT, INK, Canvas, Colour, blank

SIZE = 14
"""Pixels of a line of small text, without the space between lines."""
LEADING = 20
"""Pixels from line to line."""
_REGULAR, _BOLD = 400, 650
_HERSHEY_PIXELS = 30
"""About the size of a Hershey letter at scale 1."""
_ELLIPSIS = "..."


@cache
def _font() -> Any:
    """Return OpenCV 5's font; None where there is none."""
    return cv2.FontFace("sans") if hasattr(cv2, "FontFace") else None


def legible(text: str) -> str:
    """Return a name as it can be drawn: one line, no invalid bytes (they crash OpenCV)."""
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in escape_name(text))
    if _font() is not None:
        return text
    folded = "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
    return folded.encode("ascii", "backslashreplace").decode()


def width_of(text: str, size: int = SIZE, *, bold: bool = False) -> int:
    """Return the width of a text in pixels."""
    if not text:
        return 0
    if (font := _font()) is not None:
        return int(cv2.getTextSize((0, 0), text, (0, 0), font, size, _BOLD if bold else _REGULAR)[2])
    return cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, size / _HERSHEY_PIXELS, 1)[0][0]


def write(
    canvas: Canvas, text: str, left: int, baseline: int, *, size: int = SIZE, colour: Colour = INK, bold: bool = False
) -> None:
    """Draw a legible text, its letters on `baseline`."""
    if not text:
        return
    at = (left, baseline)
    if (font := _font()) is not None:
        # it stops at the edge instead of continuing on a new line
        cv2.putText(canvas, text, at, colour, font, size, _BOLD if bold else _REGULAR, 0, (0, 1 << 20))
    else:
        scale = size / _HERSHEY_PIXELS
        cv2.putText(canvas, text, at, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, 1, cv2.LINE_AA)


def shorten(text: str, width: int, size: int = SIZE, *, bold: bool = False) -> str:
    """Remove the middle of a text that is too wide: a path's beginning and its suffix say most."""
    if width_of(text, size, bold=bold) <= width:
        return text
    few, many = 0, len(text)
    while few < many:
        middle = (few + many + 1) // 2
        if width_of(_without_middle(text, middle), size, bold=bold) <= width:
            few = middle
        else:
            many = middle - 1
    return _without_middle(text, few)


def _without_middle(text: str, kept: int) -> str:
    tail = kept // 2
    return text[: kept - tail] + _ELLIPSIS + (text[-tail:] if tail else "")


def wrap(text: str, width: int) -> list[str]:
    """Break a text between words into lines that fit."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and width_of(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(shorten(word, width))
    return lines


def paragraph(text: str, width: int) -> Canvas:
    """Return a faint text on as many lines as it needs."""
    lines = wrap(text, width)
    drawn = blank(LEADING * len(lines), width)
    for number, line in enumerate(lines):
        write(drawn, line, 0, SIZE + LEADING * number, colour=FAINT)
    return drawn
