"""What the colours of a sheet mean."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from noisecli.views.canvas import FAINT, INK, NOISY, Canvas, Colour, blank, triangle
from noisecli.views.text import LEADING, SIZE, paragraph, width_of, write

_SWATCH, _SPACE, _APART = 12, 6, 18


@dataclass(frozen=True)
class Legend:
    """What a row's plots show."""

    clean: Colour
    note: str
    is_cut: bool = False
    """Some values are beyond the plot, under a triangle."""


def draw_legend(legends: Sequence[Legend], width: int) -> Canvas:
    """Draw a square and a word for each colour, then the note: beside them where it has room, else below."""
    line = blank(LEADING, width)
    left = 0
    for word, colour in (("clean", legends[0].clean), ("noisy", NOISY)):
        line[2 : 2 + _SWATCH, left : left + _SWATCH] = colour
        left = _write_word(line, word, left)
    if any(legend.is_cut for legend in legends):
        triangle(line, left + _SWATCH // 2, 4, _SWATCH // 2, INK)
        left = _write_word(line, "higher than shown", left)
    note = legends[0].note
    if left + width_of(note) <= width:
        write(line, note, left, SIZE, colour=FAINT)
        return line
    return np.vstack([line, paragraph(note, width)])


def _write_word(line: Canvas, word: str, left: int) -> int:
    """Write a word after its sign, and return where the next one begins."""
    left += _SWATCH + _SPACE
    write(line, word, left, SIZE)
    return left + width_of(word) + _APART
