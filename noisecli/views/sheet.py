"""A sheet: one row for each file, one column for each strength, a caption over every cell."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import cv2

from noisecli.errors import Refused
from noisecli.views.canvas import FAINT, LINE, WRONG, Canvas, blank, paste
from noisecli.views.legend import Legend, draw_legend
from noisecli.views.text import LEADING, SIZE, legible, paragraph, shorten, width_of, wrap, write

_MARGIN, _GAP, _HEAD = 20, 14, 26
_NAME_SIZE = 16
_NARROWEST = 480
_JPEG = (cv2.IMWRITE_JPEG_QUALITY, 95, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444)
_FORMATS = {".png": (), ".jpg": _JPEG, ".jpeg": _JPEG, ".webp": (cv2.IMWRITE_WEBP_QUALITY, 101)}
"""Suffix -> OpenCV's options; noise would suffer from coarse ones."""
_LONGEST = {".jpg": 65_500, ".jpeg": 65_500, ".webp": 16_383}


@dataclass(frozen=True)
class Cell:
    """One copy of a file: a caption, and its panels below each other."""

    title: str
    notes: tuple[str, ...]
    panels: tuple[Canvas, ...]

    @property
    def width(self) -> int:
        """Pixels from side to side; a caption may need more than the panels."""
        words = [width_of(legible(note)) for note in self.notes]
        return max([width_of(legible(self.title), bold=True), *words, *(int(panel.shape[1]) for panel in self.panels)])


@dataclass(frozen=True)
class Scaled:
    """What a row shows on a scale that all rows of a sheet share."""

    top: float
    """The highest level of its own."""
    cells: Callable[[float], tuple[Cell, ...]]
    """Draws its cells on the scale with this top."""


@dataclass(frozen=True)
class Row:
    """One file: its copies, or why there are none."""

    name: str
    about: str
    cells: tuple[Cell, ...] = ()
    lead: Cell | None = None
    """Before the copies; where one row has it, the others leave room for it."""
    gutter: Cell | None = None
    """The axis of the first copy, on its left."""
    legend: Legend | None = None
    scaled: Scaled | None = None
    problem: str | None = None


_NOTHING = Cell("", (), ())


def compose(rows: Sequence[Row], footer: str = "") -> Canvas:
    """Draw the rows below each other, columns of one width each; a legend above them, and the footer below."""
    rows = _with_leads(_on_one_scale(rows))
    columns = max((len(row.cells) for row in rows), default=0)
    widths = [max(row.cells[i].width for row in rows if i < len(row.cells)) for i in range(columns)]
    inner = max(sum(widths) + _GAP * (columns - 1), _NARROWEST)
    bands = [_draw_row(row, widths, inner) for row in rows]
    if legends := [row.legend for row in rows if row.legend]:
        bands.insert(0, draw_legend(legends, inner))
    if footer:
        bands.append(paragraph(legible(footer), inner))
    height = sum(band.shape[0] for band in bands) + _MARGIN * (len(bands) + 1)
    sheet = blank(height, inner + 2 * _MARGIN)
    top = _MARGIN
    for band in bands:
        paste(sheet, band, _MARGIN, top)
        top += band.shape[0] + _MARGIN
        sheet[top - _MARGIN // 2, _MARGIN:-_MARGIN] = LINE
    # no line below the last
    return sheet[: top - _MARGIN // 2]


def _on_one_scale(rows: Sequence[Row]) -> list[Row]:
    """Draw what is scaled by the highest level of all rows: equal colours are equal levels."""
    top = max((row.scaled.top for row in rows if row.scaled), default=0.0)
    return [replace(row, cells=row.scaled.cells(top)) if row.scaled else row for row in rows]


def _with_leads(rows: Sequence[Row]) -> Sequence[Row]:
    """Put leads and gutters before the copies; rows without them leave room."""
    if any(row.gutter for row in rows):
        rows = [replace(row, cells=(row.gutter or _NOTHING, *row.cells)) for row in rows]
    if any(row.lead for row in rows):
        rows = [replace(row, cells=(row.lead or _NOTHING, *row.cells)) for row in rows]
    return rows


def _draw_row(row: Row, widths: Sequence[int], inner: int) -> Canvas:
    words = [] if row.problem is None else wrap(legible(row.problem), inner)
    captions = max((len(cell.notes) for cell in row.cells), default=0) + bool(row.cells)
    top = _HEAD + LEADING * (captions + len(words)) + (2 if row.cells else 0)
    panels = max((sum(p.shape[0] for p in cell.panels) + 4 * len(cell.panels) for cell in row.cells), default=0)
    band = blank(top + panels, inner)
    about = legible(row.about)
    room = inner - width_of(about) - 12
    name = shorten(legible(row.name), room, _NAME_SIZE, bold=True)
    write(band, name, 0, LEADING - 4, size=_NAME_SIZE, bold=True)
    write(band, about, width_of(name, _NAME_SIZE, bold=True) + 12, LEADING - 4, colour=FAINT)
    for number, line in enumerate(words, 2):
        write(band, line, 0, number * LEADING, colour=WRONG)
    left = 0
    for cell, width in zip(row.cells, widths, strict=False):
        _draw_cell(band, cell, left, top)
        left += width + _GAP
    return band


def _draw_cell(band: Canvas, cell: Cell, left: int, top: int) -> None:
    baseline = _HEAD + SIZE
    write(band, legible(cell.title), left, baseline, bold=True)
    for note in cell.notes:
        baseline += LEADING
        write(band, legible(note), left, baseline, colour=FAINT)
    for panel in cell.panels:
        paste(band, panel, left, top)
        top += panel.shape[0] + 4


def encode(sheet: Canvas, suffix: str) -> bytes:
    """Return a sheet's bytes. Raises Refused where the format cannot hold so many pixels."""
    longest = _LONGEST.get(suffix)
    if longest is not None and max(sheet.shape) > longest:
        height, width = sheet.shape[:2]
        fewer = "lower --rows" if height > width else "ask for fewer levels"
        pixels = f"{width:,} x {height:,} pixels"
        raise Refused(f"the sheet has {pixels}, {suffix} holds {longest:,}; name a .png, or {fewer}")
    done, data = cv2.imencode(suffix, sheet, _FORMATS[suffix])
    if not done:
        raise Refused(f"the sheet cannot be written as {suffix}; name a .png")
    return data.tobytes()
