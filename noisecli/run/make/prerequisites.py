"""What a run is made from: sources, side files that are copied, lists of names, and the folders that are walked."""

import contextlib
import itertools
import os
import time
from collections.abc import Iterator

from noisecli.errors import FileProblem
from noisecli.run.plan import Plan
from noisecli.run.sources import Listing
from noisecli.settings import Settings
from noisecli.storage import file_at, is_url
from noisecli.workers.mask_files import MaskFiles


class Prerequisites:
    """Files and folders after whose change the run is due again; a folder changes when files in it come or go."""

    def __init__(self, settings: Settings, plan: Plan, found: Listing) -> None:
        self._settings, self._plan, self._found = settings, plan, found
        self._folder = found.folder
        mask = settings.noise.mask
        # Make looks at no URL, and to ask a store for each would take long
        self._mask = None if mask is None or is_url(mask) else mask

    def paths(self) -> Iterator[str]:
        """Yield their paths as the request spells them, folders first."""
        for name in self._found.folders:
            path = self._path_of(name)
            # Make would read a(b) as the member b of an archive a
            yield f"{path}/" if path.endswith(")") else path
        yield from map(self._path_of, self._files())
        yield from self._beside()

    def any_between(self, after: int, until: int) -> bool:
        """Whether one was changed after a time, and not after another."""
        return any(after < changed <= until for _, changed in self._times())

    def of_the_future(self) -> str | None:
        """Return one whose time is still to come."""
        now = time.time_ns()
        return next((path for path, changed in self._times() if changed > now), None)

    def _times(self) -> Iterator[tuple[str, int]]:
        below = ((self._folder, name) for name in itertools.chain(self._found.folders, self._files()))
        for folder, name in itertools.chain(below, map(file_at, self._beside())):
            with contextlib.suppress(OSError, ValueError):
                status = folder.look(name or ".", follow=True)
                if status is not None:
                    yield folder.location_of(name), status.st_mtime_ns

    def _files(self) -> Iterator[str]:
        yield from self._found.sources
        yield from self._found.masks
        how = self._settings.output.sidecars
        sides = iter(()) if how == "skip" else self._plan.sidecars()
        read = ((side.source, *side.also_from) for side in sides if how == "copy" or side.make is not None)
        for names, _ in itertools.groupby(read):
            yield from (name for name in names if name not in self._found.masks)

    def _beside(self) -> Iterator[str]:
        """Yield what lies elsewhere: masks, and files that the request was read from."""
        yield from self._settings.choice.beside
        if self._mask is None:
            return
        masks, folders = MaskFiles(self._mask), {""}
        for source in self._found.sources:
            with contextlib.suppress(FileProblem):
                mask = masks.of(source)
                folders.add(os.path.dirname(mask.name))
                yield mask.location
        # where a mask is added, or a second one
        yield from (masks.folder_of(below) for below in sorted(folders))

    def _path_of(self, name: str) -> str:
        root = self._settings.source
        if root.rstrip("/") == ".":
            return name or "."
        return os.path.join(root, name) if name else root.rstrip("/") or "/"
