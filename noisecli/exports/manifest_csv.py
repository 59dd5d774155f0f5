"""The whole manifest as a table."""

import json
from collections.abc import Iterator
from typing import Any

from noisecli.exports import Place
from noisecli.exports.labels import class_of, said_in
from noisecli.exports.table import Cells, as_csv, path_cell, text_cell
from noisecli.manifest.finished import FinishedRun
from noisecli.model.files import listed_files


def content(run: FinishedRun, place: Place) -> Iterator[bytes]:
    """Yield everything in the manifest, and the class where sources lie in folders.

    Lists of numbers are joined by x (512x768x3), lists of words by "; "; what is deeper stays JSON, null is empty.
    """
    classes = said_in(run).classes
    return as_csv((*map(text_cell, run.columns), *["class"] * classes), _rows(run, place, classes=classes))


def _rows(run: FinishedRun, place: Place, *, classes: bool) -> Iterator[Cells]:
    for row in run.rows():
        paths = {file.keys.name: path_cell(place(file.name)) for file in listed_files(row)}
        if row.get("source"):
            paths["source"] = path_cell(row["source"])
        cells = (paths[key] if key in paths else _cell(row.get(key)) for key in run.columns)
        yield *cells, *[text_cell(class_of(row) or "")] * classes


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return text_cell(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, list) and all(isinstance(item, int) and not isinstance(item, bool) for item in value):
        return text_cell("x".join(map(str, value)))
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return text_cell("; ".join(value))
    return json.dumps(value, ensure_ascii=False)
