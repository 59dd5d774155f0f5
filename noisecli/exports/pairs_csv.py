"""Pairs of clean and noisy files, for denoisers."""

from collections.abc import Iterator

from noisecli.exports import Place
from noisecli.exports.table import as_csv, clean_name, path_cell
from noisecli.manifest.finished import FinishedRun


def content(run: FinishedRun, place: Place) -> Iterator[bytes]:
    """Yield the clean and the noisy path of every output. Raises Refused where there are no clean files."""
    pairs = ((path_cell(place(clean_name(row, run))), path_cell(place(row["file_name"]))) for row in run.rows())
    return as_csv(("clean", "noisy"), pairs)
