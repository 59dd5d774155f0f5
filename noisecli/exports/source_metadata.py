"""The metadata.csv and metadata.jsonl of a source: what else they say of each file, for the rows of its outputs."""

import csv
import io
import json
import posixpath
import re
from collections.abc import Callable, Iterator
from typing import Any

from noisecli.errors import FileProblem, Refused
from noisecli.manifest.entries import Row
from noisecli.storage import escape_name, file_at, folder_at, is_inside, is_text

NAMES = ("metadata.csv", "metadata.jsonl")
_INTEGER = re.compile(r"-?(?:0|[1-9]\d{0,17})")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,99})(?:\.\d+)?(?:[eE][-+]?\d{1,2})?")


class _Malformed(ValueError):
    """What a line of a file is not; its message begins with the line's number."""


class SourceMetadata:
    """The entries of all metadata files in a folder; or of one file, as if it lay in the folder's root.

    Raises Refused where there are none, or where one is malformed.

    Attributes
    ----------
    columns
        All keys but file_name, in the order they first come.
    """

    def __init__(self, path: str) -> None:
        self.shown = escape_name(path)
        self._entries: dict[str, Row] = {}
        self._used: set[str] = set()
        self._files, only = folder_at(path), ""
        if not self._files.exists():
            self._files, only = file_at(path)
            if not only or not self._files.has(only, follow=True):
                raise Refused(f"{self.shown}: no such file or folder; name the folder that was noised")
        listed = (found.name for found in self._files.files() if posixpath.basename(found.name) in NAMES)
        for name in [only] if only else sorted(listed):
            self._read(name)
        if not self._entries:
            raise Refused(
                f"{self.shown}: holds no entries in a metadata.csv or metadata.jsonl; name the folder that was noised"
            )
        self.columns = list(dict.fromkeys(key for entry in self._entries.values() for key in entry))

    def of(self, source: object) -> Row | None:
        """Return what is said of a source, under every column; None where it has no entry."""
        entry = self._entries.get(str(source))
        if entry is None:
            return None
        self._used.add(str(source))
        return {key: entry.get(key) for key in self.columns}

    def refuse_unused(self) -> None:
        """Raise Refused where no source had an entry: the metadata is another folder's."""
        if not self._used:
            other = escape_name(next(iter(self._entries)))
            raise Refused(
                f"{self.shown}: none of its entries ({other}, ...) names a source; name the folder that was noised"
            )

    @property
    def unused(self) -> int:
        """How many entries name no source of the run."""
        return len(self._entries) - len(self._used)

    def _read(self, name: str) -> None:
        shown = escape_name(self._files.location_of(name))
        try:
            with self._files.open(name) as file:
                text = bytes(file.read()).decode("utf-8-sig")
            for line, entry in _csv_entries(text) if name.endswith(".csv") else _json_entries(text):
                self._take(line, entry, posixpath.dirname(name))
        except UnicodeDecodeError:
            raise Refused(f"{shown}: is not UTF-8; convert it first") from None
        except _Malformed as error:
            raise Refused(f"{shown}: line {error}") from None
        except FileProblem as problem:
            raise Refused(f"{shown}: {problem.message}") from None
        except OSError as error:
            raise Refused(f"{shown}: {error.strerror}") from None

    def _take(self, line: int, entry: Row, folder: str) -> None:
        name = entry.pop("file_name", None)
        source = posixpath.normpath(posixpath.join(folder, name)) if isinstance(name, str) and name else ""
        if not is_inside(source):
            raise _Malformed(f"{line} has no file_name of a file in its folder")
        if source in self._entries:
            raise _Malformed(f"{line} names {name} once more; take one of its entries out")
        below = {key: map_files(key, value, lambda file: posixpath.join(folder, file)) for key, value in entry.items()}
        self._entries[source] = below


def map_files(key: str, value: Any, place: Callable[[str], str | None]) -> Any:
    """Return a value with its files' names mapped, under a key by which datasets open them: mask_file_name."""
    if key.endswith("_file_name") and isinstance(value, str):
        return place(value)
    if key.endswith("_file_names") and isinstance(value, list):
        return [place(file) if isinstance(file, str) else file for file in value]
    return value


def _json_entries(text: str) -> Iterator[tuple[int, Row]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
            is_sound = isinstance(entry, dict) and is_text(json.dumps(entry, ensure_ascii=False, allow_nan=False))
        except (ValueError, RecursionError):
            is_sound = False
        if not is_sound:
            raise _Malformed(f"{number} is no JSON object with a file_name")
        yield number, entry


def _csv_entries(text: str) -> Iterator[tuple[int, Row]]:
    """Yield the rows of a table, its numbers as numbers where a whole column has them, an empty cell as None."""
    rows = _csv_rows(text)
    _, header = next(rows, (1, []))
    if "file_name" not in header or len({*header}) < len(header):
        raise _Malformed("1 is no header with file_name, and every other name once")
    numbered = list(rows)
    columns = [_typed(list(cells)) for cells in zip(*(cells for _, cells in numbered), strict=True)]
    typed = {key: values for key, values in zip(header, columns, strict=False) if key != "file_name"}
    place = header.index("file_name")
    for number, (line, cells) in enumerate(numbered):
        yield line, {"file_name": cells[place]} | {key: values[number] for key, values in typed.items()}


def _csv_rows(text: str) -> Iterator[tuple[int, list[str]]]:
    reader, width = csv.reader(io.StringIO(text, newline=""), strict=True), None
    try:
        for cells in reader:
            width = width or len(cells)
            if cells and len(cells) != width:
                raise _Malformed(f"{reader.line_num} has {len(cells)} cells, and its header {width}")
            if cells:
                yield reader.line_num, cells
    except csv.Error as error:
        raise _Malformed(f"{reader.line_num} is no CSV: {error}") from None


def _typed(cells: list[str]) -> list[Any]:
    said = [cell for cell in cells if cell]
    kinds: list[tuple[Callable[[str], object], Callable[[str], Any]]] = [
        (_INTEGER.fullmatch, int),
        (_NUMBER.fullmatch, float),
        (("True", "False").__contains__, "True".__eq__),
    ]
    convert = next((convert for fits, convert in kinds if all(map(fits, said))), str)
    return [convert(cell) if cell else None for cell in cells]
