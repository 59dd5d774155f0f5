"""Files with and without noise, for detectors, and their classes, for classifiers."""

from collections.abc import Iterator

from noisecli.errors import Refused
from noisecli.exports import Place
from noisecli.exports.labels import Said, class_of, is_noisy, said_in
from noisecli.exports.table import Cells, as_csv, clean_name, level_cells, path_cell, text_cell
from noisecli.manifest.finished import FinishedRun
from noisecli.storage import escape_name


def content(run: FinishedRun, place: Place) -> Iterator[bytes]:
    """Yield every file with 1 where it has noise and 0 where it has none, its class, and the level.

    A clean file comes before its noisy one, with the same level. Raises Refused where a run has no files to tell from
    noisy ones.
    """
    with_clean, by_chance = run.was_asked("with_clean", False), run.was_asked("probability", 1.0)
    said = said_in(run)
    if not with_clean and not by_chance and not said.both:
        raise Refused(
            f"{escape_name(run.folder)}: has no clean files to tell from noisy ones; "
            "make it with --with-clean, with --prob 0.5, or with a level of none: --std 0,25"
        )
    header = ("file", "label", *["class"] * said.classes, *said.level_columns)
    return as_csv(header, _rows(run, place, said, require_clean=with_clean and not by_chance))


def _rows(run: FinishedRun, place: Place, said: Said, *, require_clean: bool) -> Iterator[Cells]:
    for row in run.rows():
        if require_clean:
            clean_name(row, run)
        about = [*[text_cell(class_of(row) or "")] * said.classes, *level_cells(row, said)]
        if row.get("clean_file_name") is not None:
            yield path_cell(place(row["clean_file_name"])), "0", *about
        yield path_cell(place(row["file_name"])), str(int(is_noisy(row))), *about
