"""The files of a shard: whether they are there, and how they get to the folder of the whole run."""

import os
import stat
from typing import Literal, NamedTuple

from noisecli.errors import FileProblem, Refused
from noisecli.manifest.entries import Row
from noisecli.manifest.sidecars import SideRow
from noisecli.model.files import listed_files
from noisecli.run.merge.parts import Part
from noisecli.storage import Folder, escape_name


class Placed(NamedTuple):
    """A file that a shard put in place."""

    name: str
    bytes: object
    sha256: str
    is_link: bool = False


def files_of_row(row: Row) -> list[Placed]:
    """Return the files that a row lists: the output, and those beside it."""
    return [Placed(file.name, file.bytes, str(file.sha256)) for file in listed_files(row)]


def side_file(row: SideRow) -> Placed:
    """Return the file of a row of sidecars.jsonl."""
    return Placed(row.file_name, row.bytes, row.sha256, row.how == "link")


class Files:
    """What a shard has made, seen from the folder of the whole run.

    Attributes
    ----------
    are_apart
        Whether they are in another folder.
    """

    def __init__(self, part: Part, source: Folder, target: Folder) -> None:
        self._part, self._source, self._target = part, source, target
        self.are_apart = not part.files.is_same(target)

    def location_of(self, file: Placed) -> str:
        """Return where the shard has a file, for messages."""
        return self._source.location_of(file.name)

    def placed(self, file: Placed) -> Literal["here", "there", "both"]:
        """Return where a file is: in the whole run's folder, in the shard's, or in both.

        Raises Refused for a file that is not as recorded, and where another has its name.
        """
        shown = escape_name(self.location_of(file))
        try:
            is_there = self._is_as_recorded(self._source, file)
            if not self.are_apart and is_there:
                return "here"
            is_here = self.are_apart and self._target.has(file.name)
            if is_here and not self._is_twin(file):
                taken = escape_name(self._target.location_of(file.name))
                raise Refused(f"{taken}: already exists, and is not what {self._part.shown} made; move it away")
        except (OSError, FileProblem) as error:
            said = error.strerror if isinstance(error, OSError) else error
            raise Refused(f"{shown}: {said}; run {self._part.shown} again") from error
        if not is_there and not is_here:
            what = "is not what its row says" if self._source.has(file.name) else "is gone"
            raise Refused(f"{shown}: {what}; run {self._part.shown} again, by the same command")
        return "both" if is_there and is_here else "there" if is_there else "here"

    def move(self, file: Placed, prefix: str) -> Literal["moved", "copied", "kept"]:
        """Bring a file into the whole run's folder. Raises Refused, FileProblem or OSError."""
        placed = self.placed(file)
        if placed == "here":
            return "kept"
        if file.is_link:
            target = self._link_of(file)
            if placed == "there":
                self._target.link(target, file.name, prefix=prefix, replace=False)
            self._source.remove_link(file.name, target)
            return "moved"
        if placed == "both":
            self._source.remove({file.name: [file.sha256]})
            return "kept"
        return "copied" if self._target.take(self._source, file.name, file.sha256, prefix=prefix) else "moved"

    def _is_as_recorded(self, folder: Folder, file: Placed) -> bool:
        found = folder.look(file.name)
        if found is None or file.is_link:
            return found is not None and stat.S_ISLNK(found.st_mode)
        return stat.S_ISREG(found.st_mode) and found.st_size == file.bytes

    def _is_twin(self, file: Placed) -> bool:
        if file.is_link:
            is_moved = not self._source.has(file.name) and self._is_as_recorded(self._target, file)
            return is_moved or self._target.leads_to(file.name, self._link_of(file))
        return self._target.own_digest(file.name) == file.sha256

    def _link_of(self, file: Placed) -> str:
        return os.path.realpath(self.location_of(file))
