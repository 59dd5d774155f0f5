"""Labels among .npy files: integers in one row, and what is called y, labels or ids beside arrays of other names.

The headers say so: they are read here, no samples.
"""

import os
import re
import shlex
from collections.abc import Collection, Iterable
from typing import NamedTuple

from noisecli.errors import FileProblem, FileSkipped
from noisecli.kinds import format_of, suffix_of
from noisecli.kinds.label_names import is_other_than_labels, path_says_labels, says_labels
from noisecli.run.sources import pattern_of
from noisecli.settings import Settings
from noisecli.storage import Folder, escape_name, folder_at

_BEGINNING = 4096
_DESCR = re.compile(rb"'descr': *'[<>|=]?([a-zA-Z])[^']*'")
_SHAPE = re.compile(rb"'shape': *\(([\d, L]*)\)")
_LENGTH = re.compile(rb"\d+")
_INTEGERS = "iu"
_OTHERS = {"b": "booleans", "U": "texts", "S": "texts"}
"""The letters of numpy's types."""
_NUMBERS = "iufc"


class _Header(NamedTuple):
    """The letter of an array's type, and its shape."""

    letter: str
    shape: tuple[int, ...]

    @property
    def is_row(self) -> bool:
        """Whether it has one value a sample, or one alone."""
        return len(self.shape) < 2 or (len(self.shape) == 2 and self.shape[1] == 1)

    @property
    def is_row_of_integers(self) -> bool:
        """Whether these are integers: labels, unless the name says otherwise."""
        return self.letter in _INTEGERS and self.is_row


class _Headers(dict[str, _Header | None]):
    """The headers of a folder's .npy files, read when they are asked for; None for what is no such file."""

    def __init__(self, folder: Folder, names: Collection[str]) -> None:
        self._folder, self._names = folder, names

    def __missing__(self, name: str) -> _Header | None:
        self[name] = _read(self._folder, name) if name in self._names and _is_npy(name) else None
        return self[name]


class _Labels:
    """Which of the files of one request are labels."""

    def __init__(self, settings: Settings, among: Collection[str]) -> None:
        self._include, self._among = settings.choice.include, among
        self._headers = _Headers(folder_at(settings.source), set(among))
        self._has_data: bool | None = None

    def why(self, name: str) -> FileSkipped | None:
        """Say why a file gets no noise; None where it does, or is no array of any such sort."""
        header = self._headers[name]
        if header is None or 0 in header.shape or (words := self._suspected(name, header)) is None:
            return None
        if self._is_asked_for(name):
            return None
        folder = path_says_labels(name)[1]
        glob = shlex.quote(escape_name(name if folder is None else f"{folder}/**"))
        return FileSkipped("labels", f"looks like labels ({words}): left without noise; --include {glob} asks for it")

    def _suspected(self, name: str, header: _Header) -> str | None:
        said, folder = path_says_labels(name)
        if header.is_row and (said if header.letter in _OTHERS else header.is_row_of_integers and said is not False):
            what = _OTHERS.get(header.letter, "integers")
            return f"{' x '.join(map(str, header.shape))} {what}" if header.shape else "a single value"
        if not self._is_called_labels(name, header) or not self._has_other_data():
            return None
        return "named like them" if folder is None else f"in a folder called {os.path.basename(folder)}"

    def _is_called_labels(self, name: str, header: _Header) -> bool:
        if not path_says_labels(name)[0]:
            return False
        stem, suffix = os.path.splitext(name)
        return not is_other_than_labels(stem, header.shape, lambda other: self._shape(other + suffix))

    def _shape(self, name: str) -> tuple[int, ...] | None:
        header = self._headers[name]
        return None if header is None else header.shape

    def _has_other_data(self) -> bool:
        """Whether there is anything beside labels: what is alone is the data, whatever it is called."""
        if self._has_data is None:
            self._has_data = any(map(self._is_data, self._among))
        return self._has_data

    def _is_data(self, name: str) -> bool:
        header = self._headers[name]
        if header is None:
            return suffix_of(name) == ".npz"
        if header.letter not in _NUMBERS or (header.is_row_of_integers and path_says_labels(name)[0] is not False):
            return False
        return not self._is_called_labels(name, header)

    def _is_asked_for(self, name: str) -> bool:
        """Whether a glob of --include speaks of labels, or of this very file, or chose nothing but labels."""
        own = os.path.basename(os.path.splitext(name)[0])
        matching = [glob for glob in self._include if pattern_of(glob).match(name)]
        speaking = any(says_labels(glob) or os.path.basename(glob).startswith(own) for glob in matching)
        return speaking or (bool(matching) and not self._has_other_data())


def label_arrays(settings: Settings, names: Iterable[str], among: Collection[str]) -> dict[str, FileSkipped]:
    """Return those of `names` that are labels of the arrays `among` which they lie, and why they get no noise."""
    labels = _Labels(settings, among)
    return {name: why for name in names if (why := labels.why(name)) is not None}


def _is_npy(name: str) -> bool:
    form = format_of(suffix_of(name))
    return form is not None and form.name == "npy"


def _read(folder: Folder, name: str) -> _Header | None:
    """Read a header; None for what cannot be read, which whoever processes it says, and for structured arrays."""
    try:
        with folder.open(name) as file:
            start = os.pread(file.fileno(), _BEGINNING, 0)
    except (FileProblem, OSError):
        return None
    descr, shape = _DESCR.search(start), _SHAPE.search(start)
    if not start.startswith(b"\x93NUMPY") or descr is None or shape is None:
        return None
    return _Header(descr[1].decode(), tuple(map(int, _LENGTH.findall(shape[1]))))
