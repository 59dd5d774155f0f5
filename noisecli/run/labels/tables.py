"""Tables with a head, .csv and .tsv: Hugging Face's metadata.csv, and any with a column that names files."""

import csv
import io
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

from noisecli.run.labels.references import Look, Names, Reading, Swap, is_short_number

_DELIMITERS = ",;\t|"
_FILE_NAME = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,4}\s*\Z")
"""How a file name ends: no column is called so, and the first line of a list may be one that leads nowhere."""
WORDS = {
    *("audio", "audio_file", "audio_filepath", "audio_path", "clip", "file", "file_name", "file_path", "filename"),
    *("filenames", "filepath", "files", "fname", "id", "image", "image_file", "image_id", "image_name", "image_path"),
    *("imageid", "images", "imagename", "imagepath", "img", "img_id", "img_name", "img_path", "name", "path", "photo"),
    *("relative_path", "slice_file_name", "sound", "utt", "utt_id", "wav", "wav_filename", "wav_path"),
}
"""What columns and keys that name files are called."""


def read(text: str, look: Look) -> Reading | None:
    """Read a table; None where no column names files."""
    head, _, _ = text.partition("\n")
    delimiter = max(_DELIMITERS, key=head.count)
    csv.field_size_limit(1 << 30)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    if (
        len(rows) < 2
        or any(row and len(row) != len(rows[0]) for row in rows)
        or any(look([cell]).found or _FILE_NAME.search(cell) for cell in rows[0])
    ):
        return None
    columns = {place: [row[place] for row in rows[1:] if row and row[place]] for place in range(len(rows[0]))}
    chosen, names = choose({rows[0][place]: values for place, values in columns.items()}, look, first_is_key=True)
    places = [place for place, word in enumerate(rows[0]) if word in chosen]
    if not places:
        return None
    dialect = {
        "delimiter": delimiter,
        "lineterminator": "\r\n" if head.endswith("\r") else "\n",
        "quoting": csv.QUOTE_ALL if head.startswith('"') else csv.QUOTE_MINIMAL,
    }
    return Reading(names, lambda swap, copies: _write(rows, places, dialect, swap, copies))


def choose(columns: Mapping[str, Sequence[str]], look: Look, *, first_is_key: bool) -> tuple[set[str], Names]:
    """Return the columns that name files, by what they hold and, of stems, what they are called; and all names."""
    looked = {}
    for place, (word, values) in enumerate(columns.items()):
        plain = word.strip().lower()
        is_called_so = plain in WORDS or plain.endswith(("file_name", "_path"))
        may_be_stems = is_called_so or (first_is_key and place == 0 and not any(map(is_short_number, values)))
        names = look(values, stems=may_be_stems) if values else Names()
        if names.is_whole or (names.found and (is_called_so or len(names.found) > len(names.missing))):
            looked[word] = names
    whole = {word for word, names in looked.items() if names.is_whole}
    whole = _by_full_names(whole, columns, looked) or whole
    together = Names()
    for word, names in looked.items():
        if word in whole or not whole or names.absolute:
            together.join(names)
    return whole or set(looked), together


def _by_full_names(whole: set[str], columns: Mapping[str, Sequence[str]], looked: Mapping[str, Names]) -> set[str]:
    """Return the columns that hold file names, and those of stems that mean the same files, row by row.

    Numbers that are the stems of other files are ids of something else.
    """

    def meant(word: str) -> list[str]:
        return [looked[word].found[value] for value in columns[word]]

    full = {
        word
        for word in whole
        if all(os.path.basename(path) == re.split(r"[/\\]", value)[-1] for value, path in looked[word].found.items())
    }
    same = [meant(word) for word in full]
    return full | {word for word in whole - full if meant(word) in same} if full else set()


def _write(rows: list[list[str]], places: list[int], dialect: Mapping[str, Any], swap: Swap, copies: int) -> str:
    written = io.StringIO(newline="")
    writer = csv.writer(written, **dialect)
    writer.writerow(rows[0])
    for row in rows[1:]:
        named = [place for place in places if row and row[place]]
        for copy in range(copies if named else 1):
            new = {place: swap(row[place], copy) for place in named}
            if None not in new.values():
                writer.writerow([new.get(place) or own for place, own in enumerate(row)])
    return written.getvalue()
