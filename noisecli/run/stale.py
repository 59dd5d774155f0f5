"""Side files of earlier runs that no part of this request asks for: which they are, and which of them --prune removes.

One is stale when its source is gone for certain, or is carried by this run under other names alone. Side files of
sources outside this run's choice stay, as their outputs do.
"""

import os
from collections.abc import Callable, Collection, Iterable, Iterator

from noisecli.errors import FileProblem
from noisecli.manifest.reader import ManifestReader
from noisecli.manifest.sidecars import SideRow
from noisecli.model import Problem, SideFile
from noisecli.run.leftovers import Sources
from noisecli.settings import Settings
from noisecli.storage import Folder, escape_name, folder_at, stopping


class StaleSideFiles:
    """The stale side files of a destination, found before any work.

    Parameters
    ----------
    planned
        All side files of this run.
    folder
        The source folder, for many looks.

    Attributes
    ----------
    rows
        By file_name.
    chosen
        Those that --prune removes, by file_name; see choose().
    """

    def __init__(
        self,
        settings: Settings,
        recorded: ManifestReader,
        planned: Iterable[SideFile],
        folder: Folder,
    ) -> None:
        self._recorded, self._settings = recorded, settings
        self._sources = Sources(settings, folder=folder)
        self._source, self._destination = folder_at(settings.source), folder_at(settings.destination)
        self.chosen: dict[str, SideRow] = {}
        self.rows: dict[str, SideRow] = {}
        self._renamed: set[str] = set()
        if recorded.sidecars.rows:
            self._find(planned)

    def _find(self, planned: Iterable[SideFile]) -> None:
        names, carried = set[str](), set[str]()
        for side in planned:
            names.add(side.name)
            carried.add(escape_name(side.source))
        for name, row in self._recorded.sidecars.rows.items():
            if name not in names and (row.source in carried or self._is_gone(row)):
                self.rows[name] = row
                if row.source in carried:
                    self._renamed.add(name)

    def _is_gone(self, row: SideRow) -> bool:
        # this row does not say whether its source's name was spelled in UTF-8: both are looked for
        return self._sources.is_gone({"source": row.source, "warnings": ["name-not-utf8"]})

    def choose(self, outputs: Collection[str], taken: Callable[[], Collection[str]]) -> None:
        """Choose what may be removed together with some outputs; `taken` returns the files of other manifests."""
        rows = {name: row for name, row in self.rows.items() if _names_its_source(row)}
        others = taken() if rows else ()
        self.chosen = {name: row for name, row in self._without_output(rows, outputs) if name not in others}

    def _without_output(self, rows: dict[str, SideRow], going: Collection[str]) -> Iterator[tuple[str, SideRow]]:
        """Yield those rows whose source is gone, or whose side file has the name of no output that stays."""
        wanted = set(map(_stem, self._renamed & rows.keys()))
        named = (output for output in self._recorded.outputs() if _stem(output) in wanted and output not in going)
        stay = {
            _tree_and_stem(output, str((self._recorded.row(output) or {}).get("source")))
            for output in named
            if not self._destination.is_missing(output)
        }
        for name, row in rows.items():
            if name not in self._renamed or _tree_and_stem(name, row.source) not in stay:
                yield name, row

    def count_removable(self) -> int:
        """Return how many of the chosen ones remove() would remove, as they are now."""
        return sum(self._is_as_recorded(row) for row in self.chosen.values())

    def _is_as_recorded(self, row: SideRow) -> bool:
        if row.how == "link":
            return self._destination.leads_to(row.file_name, self._target(row))
        try:
            return self._destination.own_digest(row.file_name) == row.sha256
        except (FileProblem, OSError):
            return False

    def _target(self, row: SideRow) -> str:
        return self._source.location_of(self._source.find(row.source) or row.source)

    def remove(self, note: Callable[[Problem], None]) -> int:
        """Remove the chosen ones that are still stale, to the byte; return how many. What the system holds is noted."""
        count, self._sources = 0, Sources(self._settings)
        for name, row in list(self._without_output(self.chosen, ())):
            if name not in self._renamed and not self._is_gone(row):
                continue
            try:
                with stopping(self._destination.location_of(name), passing=(PermissionError,)):
                    if self._remove_file(row):
                        count += 1
                        self._recorded.sidecars.forget(name)
            except PermissionError as error:
                message = f"its side file {name} cannot be removed: {error.strerror}; remove it by hand"
                note(Problem(row.source, "failed", "unwritable", message))
        return count

    def _remove_file(self, row: SideRow) -> bool:
        if row.how == "link":
            return self._destination.remove_link(row.file_name, self._target(row))
        return bool(self._destination.remove({row.file_name: [row.sha256]}))

    def count_left(self) -> int:
        """Return how many are still on record."""
        return len(self.rows.keys() & self._recorded.sidecars.rows.keys())


def _stem(name: str) -> str:
    """Return what a label and its output have in common, in one folder or in parallel ones."""
    return os.path.splitext(os.path.basename(name))[0]


def _tree_and_stem(name: str, source: str) -> tuple[str, str]:
    """Return the subtree of a sweep's level, or of clean files, and the stem: what a label and its output share."""
    return os.path.dirname(name).removesuffix(os.path.dirname(source)).strip("/"), _stem(name)


def _names_its_source(row: SideRow) -> bool:
    """Whether the name of a side file is one that its source may have got: an edited row proves nothing."""
    return _stem(row.source) in os.path.basename(row.file_name)
