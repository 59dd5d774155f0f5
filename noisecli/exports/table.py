"""Tables as CSV that readers and spreadsheets take for what they are."""

import csv
import io
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence

from noisecli.errors import Refused
from noisecli.exports.labels import Said
from noisecli.manifest.entries import Row
from noisecli.manifest.finished import FinishedRun
from noisecli.storage import escape_name

Cells = Sequence[str]

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""How a spreadsheet's formula begins, in the full width of East Asian keyboards too."""
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?\Z", re.ASCII)


def as_csv(header: Cells, rows: Iterable[Cells]) -> Iterator[bytes]:
    """Yield lines of CSV in UTF-8, quoted where needed."""
    buffer = io.StringIO(newline="")
    # with this end of line a bare carriage return is quoted too; the lines themselves end as everywhere on Unix
    writer = csv.writer(buffer, lineterminator="\r\n")
    for cells in itertools.chain([header], rows):
        writer.writerow(cells)
        yield buffer.getvalue().removesuffix("\r\n").encode() + b"\n"
        buffer.seek(0)
        buffer.truncate()


def clean_name(row: Row, run: FinishedRun) -> str:
    """Return the name of a row's clean file. Raises Refused where there is none."""
    name: str | None = row.get("clean_file_name")
    if name is None:
        raise Refused(
            f"{escape_name(run.folder)}: {row['file_name']} has no clean file beside it; make the run with --with-clean"
        )
    return name


def level_cells(row: Row, said: Said) -> Cells:
    """Return a row's level in words, and as a number what was drawn of it, if anything was drawn in the run."""
    drawn = row.get("drawn")
    return text_cell(str(row.get("level") or "")), *["" if drawn is None else repr(float(drawn))] * said.drawn


def path_cell(name: str) -> str:
    """Return a path to the same file that no spreadsheet takes for a formula."""
    return f"./{name}" if name.startswith(_FORMULA) else name


def text_cell(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula; numbers stay numbers."""
    return f"'{text}" if text.startswith(_FORMULA) and not _NUMBER.match(text) else text
