"""Outputs that a request would not make: their source is gone, or an earlier request asked for them."""

import os
from collections.abc import Callable, Collection, Iterable
from functools import cached_property
from itertools import islice
from typing import Literal, NamedTuple

from noisecli.errors import FileProblem
from noisecli.kinds import KINDS
from noisecli.manifest.entries import Row
from noisecli.manifest.reader import ManifestReader
from noisecli.settings import Settings
from noisecli.storage import Folder, folder_at

WITNESSES = 32

Why = Literal["gone", "earlier"]
"""Why an output is there that a request would not make: its source is gone, or an earlier request made it."""


class Asked(NamedTuple):
    """What a request asks for: `outputs` yields their names, clean ones too; `sources` are those that it chooses."""

    outputs: Callable[[], Iterable[str]]
    sources: Collection[str]

    def rest(self, recorded: Iterable[str]) -> set[str]:
        """Return the names among those recorded that it does not ask for."""
        rest = set(recorded)
        if rest:
            rest.difference_update(self.outputs())
        return rest


class Sources:
    """A source folder, asked whether it still holds what rows say. A name that cannot be looked up is not gone.

    `chosen` are the sources of the request, `folder` their folder for many looks.
    """

    def __init__(self, settings: Settings, chosen: Collection[str] = (), folder: Folder | None = None) -> None:
        self._has_sources, self._listed = KINDS[settings.kind].has_sources, chosen
        self._folder = folder or folder_at(settings.source)
        self._identity = self._folder.identity()

    @cached_property
    def _chosen(self) -> frozenset[str]:
        return frozenset(self._listed)

    def still_stand(self) -> bool:
        """Whether the folder is the one it was when this began."""
        return self._identity is not None and self._folder.identity() == self._identity

    def find(self, row: Row) -> str | None:
        """Return the name of a row's source; None where it is gone. Raises OSError where that cannot be seen."""
        name = str(row.get("source") or "")
        found: str | None = name
        if "name-not-utf8" in row.get("warnings", ()):
            found = self._folder.find(name, strict=True)
        return found if name and found is not None and self._folder.look(found) is not None else None

    def is_gone(self, row: Row) -> bool:
        """Whether a row's source is no more, below a folder that is still there."""
        return self.why_left(row) == "gone"

    def why_left(self, row: Row) -> Why | None:
        """Return why there is an output that the request does not ask for; None where that is not for it to say.

        Its source is there and was not chosen, or cannot be seen.
        """
        if not self._has_sources:
            return "earlier"
        why: Why | None = None
        try:
            found = self.find(row)
            if found is None:
                why = None if self._hides(str(row.get("source") or "")) else "gone"
            elif found in self._chosen:
                why = "earlier"
            return why if self.still_stand() else None
        except (OSError, ValueError):
            return None

    def _hides(self, name: str) -> bool:
        """Whether a folder on the way is a symbolic link to nothing: what it led to is out of sight, not gone."""
        folder = os.path.dirname(name)
        while folder:
            found = self._folder.find(folder, strict=True)
            if found is not None:
                return not self._folder.has(found, follow=True)
            folder = os.path.dirname(folder)
        return False

    def holds(self, row: Row) -> bool | None:
        """Whether a row's source has the content that the row records; None where it is not there to be asked."""
        try:
            name = self.find(row)
            return None if name is None else self._folder.sha256(name) == row.get("source_sha256")
        except (FileProblem, OSError, ValueError):
            return None


def is_another_source(settings: Settings, recorded: ManifestReader) -> bool:
    """Whether SRC holds none of the sources that rows name: a subfolder, or another dataset into the same folder."""
    if not KINDS[settings.kind].has_sources or not len(recorded):
        return False
    sources = Sources(settings)
    rows = (recorded.row(output) or {} for output in islice(spread(recorded.outputs()), WITNESSES))
    return all(sources.is_gone(row) for row in rows)


def spread(outputs: list[str]) -> Iterable[str]:
    """Yield all outputs, those first that lie evenly between the first and the last."""
    step = max(1, len(outputs) // WITNESSES)
    for start in range(step):
        yield from outputs[start::step]
