"""The table of forms in which one file names many: each page reads it, and writes it for all copies."""

import os
from collections.abc import Callable, Mapping

from noisecli.run.labels import coco, kaldi, lists, records, tables
from noisecli.run.labels.references import Look, Reading

LONGEST = 1 << 29
"""Bytes. JSON takes about five times its size in memory, and as much for each copy; what is larger stays as it is."""

_MARK = "\ufeff"
"""What some programs put in front of UTF-8."""

Form = Callable[[str, Look], Reading | None]


def _json(text: str, look: Look) -> Reading | None:
    try:
        content = records.load(text)
    except (ValueError, RecursionError):
        return None
    return coco.read(content, text, look) or records.read_list(content, text, look)


FORMS: Mapping[str, tuple[Form, ...]] = {
    ".json": (_json, records.read_lines),
    ".jsonl": (records.read_lines,),
    ".ndjson": (records.read_lines,),
    ".csv": (tables.read, lists.read),
    ".tsv": (tables.read, lists.read),
    ".txt": (lists.read, tables.read),
    ".lst": (lists.read,),
    ".list": (lists.read,),
    ".trans": (lists.read,),
    ".scp": (lists.read,),
    ".stm": (lists.read,),
    ".ctm": (lists.read,),
    "": (lists.read,),
}
"""Suffix -> the forms that a file may have, the likeliest first."""


def forms_of(name: str) -> tuple[Form, ...]:
    """Return the forms that a file of this name may have."""
    return FORMS.get(os.path.splitext(name)[1].lower(), ())


def read(name: str, content: bytes, look: Look, ids: Mapping[str, str]) -> Reading | None:
    """Read a side file; of several forms the one in which all names are known. `ids` are those of its Kaldi folder."""
    whole = decode(content)
    text = whole.removeprefix(_MARK)
    mark = whole[: len(whole) - len(text)]
    reading = _read(name, text, look, ids)
    if reading is None or not mark:
        return reading
    write = reading.write
    return Reading(reading.names, lambda swap, copies: mark + write(swap, copies))


def _read(name: str, text: str, look: Look, ids: Mapping[str, str]) -> Reading | None:
    found: list[Reading] = []
    if ids and (reading := kaldi.read(os.path.basename(name), text, ids, look)):
        return reading
    for form in forms_of(name):
        if (reading := form(text, look)) is not None:
            if reading.names.is_whole:
                return reading
            found.append(reading)
    return max(found, key=lambda reading: len(reading.names.found), default=None)


def decode(content: bytes) -> str:
    """Return the text of a file; bytes that are no UTF-8 are kept."""
    return content.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """Return the bytes that decode() made a text of."""
    return text.encode("utf-8", "surrogateescape")
