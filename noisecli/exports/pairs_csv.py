"""Pairs of clean and noisy files, for denoisers."""

from collections.abc import Iterator

from noisecli.exports import Place
from noisecli.exports.labels import Said, said_in
from noisecli.exports.table import Cells, as_csv, clean_name, level_cells, path_cell
from noisecli.manifest.finished import FinishedRun


def content(run: FinishedRun, place: Place) -> Iterator[bytes]:
    """Yield the clean and the noisy path of every output, and its level where levels differ.

    Raises Refused where there are no clean files.
    """
    said = said_in(run)
    return as_csv(("clean", "noisy", *said.level_columns * said.levels), _rows(run, place, said))


def _rows(run: FinishedRun, place: Place, said: Said) -> Iterator[Cells]:
    for row in run.rows():
        pair = (clean_name(row, run), row["file_name"])
        yield *(path_cell(place(name)) for name in pair), *(level_cells(row, said) if said.levels else ())
