"""Pairs of clean and noisy files, for denoisers."""

from collections.abc import Iterator

from noisecli.exports import Place
from noisecli.exports.labels import Said, said_in
from noisecli.exports.table import Cells, as_csv, clean_name, level_cells, path_cell
from noisecli.manifest.finished import FinishedRun
from noisecli.model.files import STD_MAP


def content(run: FinishedRun, place: Place) -> Iterator[bytes]:
    """Yield the clean and the noisy path of every output, of its map of std, and its level where levels differ.

    Raises Refused where there are no clean files.
    """
    said = said_in(run)
    has_maps = run.was_asked("with_std_map", False)
    header = ("clean", "noisy", *["std_map"] * has_maps, *said.level_columns * said.levels)
    return as_csv(header, _rows(run, place, said, has_maps=has_maps))


def _rows(run: FinishedRun, place: Place, said: Said, *, has_maps: bool) -> Iterator[Cells]:
    for row in run.rows():
        names = [clean_name(row, run), row["file_name"], *[row.get(STD_MAP.name)] * has_maps]
        paths = ("" if name is None else path_cell(place(name)) for name in names)
        yield *paths, *(level_cells(row, said) if said.levels else ())
