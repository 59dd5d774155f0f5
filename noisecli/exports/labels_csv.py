"""Files with and without noise, for detectors, and their classes, for classifiers."""

from collections.abc import Iterator

from noisecli.errors import Refused
from noisecli.exports import Place
from noisecli.exports.labels import class_of
from noisecli.exports.table import Cells, as_csv, clean_name, path_cell, text_cell
from noisecli.manifest.finished import FinishedRun
from noisecli.storage import escape_name


def content(run: FinishedRun, place: Place) -> Iterator[bytes]:
    """Yield every file with 1 where it has noise and 0 where it has none, and its class.

    A clean file comes before its noisy one. Raises Refused where a run has no files to tell from noisy ones.
    """
    with_clean, by_chance = run.was_asked("with_clean", False), run.was_asked("probability", 1.0)
    if not with_clean and not by_chance:
        raise Refused(
            f"{escape_name(run.folder)}: has no clean files to tell from noisy ones; "
            "make it with --with-clean, or with --prob 0.5"
        )
    return as_csv(("file", "label", "class"), _rows(run, place, require_clean=with_clean and not by_chance))


def _rows(run: FinishedRun, place: Place, *, require_clean: bool) -> Iterator[Cells]:
    for row in run.rows():
        if require_clean:
            clean_name(row, run)
        if row.get("clean_file_name") is not None:
            yield path_cell(place(row["clean_file_name"])), "0", text_cell(class_of(row))
        yield path_cell(place(row["file_name"])), str(int(bool(row.get("applied", True)))), text_cell(class_of(row))
