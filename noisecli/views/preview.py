"""From a request to a sheet: some files, really made noisy in a scratch folder, beside their originals."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from noisecli.errors import Stopped
from noisecli.kinds import KINDS, load
from noisecli.manifest.finished import FinishedRun
from noisecli.model import Level
from noisecli.run.pipeline import Progress, find_sources, run
from noisecli.run.summary import Summary
from noisecli.settings import Settings
from noisecli.storage import TEMPORARY_PREFIX, Readers, escape_name, folder_at, is_url
from noisecli.storage.scratch import ScratchFolder
from noisecli.views.canvas import Canvas
from noisecli.views.noisy_copy import NoisyCopy, Viewing, describe
from noisecli.views.sheet import Row, compose
from noisecli.workers.problems import problem_of


class _Drawer(Protocol):
    def __call__(self, source: str, name: str, copies: list[NoisyCopy], viewing: Viewing) -> Row: ...


@dataclass(frozen=True)
class Drawn:
    """A sheet, the run it was drawn from, and who may read all of its files; no sheet where no file was processed."""

    sheet: Canvas | None
    summary: Summary
    files: int
    readers: Readers


def draw(
    settings: Settings,
    rows: int,
    zoom: int | None = None,
    begin: Callable[[int], Progress] | None = None,
    footer: str = "",
) -> Drawn:
    """Run a request on so many of its files, spread evenly over the sorted sources, and draw the outputs.

    The request's own destination is not touched; see Viewing for `zoom`, and `noisecli.run.pipeline.run` for `begin`.
    The `footer` says how the sheet was made. Raises Refused, Stopped as the run does.
    """
    found = find_sources(settings)
    chosen = tuple(spread(found.sources, rows))
    viewing = Viewing(settings.running.limits, zoom, settings.noise.full_scale, settings.noise.range)
    with ScratchFolder() as scratch:
        choice = replace(settings.choice, names=chosen or settings.choice.names)
        settings = replace(settings, destination=os.path.join(scratch, "noisy"), choice=choice)
        summary = run(settings, begin=begin)
        if summary.stopped is not None:
            raise Stopped(summary.stopped)
        drawn = _Drawing(settings, summary, viewing, scratch).rows(chosen) if summary.made else []
    readers = folder_at(settings.source).readers(chosen)
    return Drawn(compose(drawn, footer) if drawn else None, summary, len(drawn), readers)


def spread(names: list[str], count: int) -> list[str]:
    """Return so many names, evenly spread from the first to the last."""
    if len(names) <= count:
        return names
    return [names[round(i * (len(names) - 1) / max(1, count - 1))] for i in range(count)]


class _Drawing:
    """The rows of a sheet, from the scratch folder of a run."""

    def __init__(self, settings: Settings, summary: Summary, viewing: Viewing, scratch: str) -> None:
        self._scratch = folder_at(os.path.join(scratch, "sources"))
        self._settings, self._summary, self._viewing = settings, summary, viewing
        self._draw: _Drawer = load(KINDS[settings.kind].drawer)
        self._problems = {problem.source: f"{problem.status}: {problem.message}" for problem in summary.problems}
        run = FinishedRun(settings.destination, settings.output.manifest)
        self._survival: Mapping[str, Mapping[str, float] | None] = run.survival
        self._rows: dict[str, dict[str, dict[str, Any]]] = {}
        for row in run.parsed():
            self._rows.setdefault(row["source"], {})[row["level"]] = row

    def rows(self, sources: tuple[str, ...]) -> list[Row]:
        return [self._row(source, escape_name(source)) for source in sources]

    def _row(self, source: str, name: str) -> Row:
        if name in self._problems:
            return Row(name, "", problem=self._problems[name])
        copies = [self._copy(level, row) for level, row in self._levels(name)]
        try:
            return self._draw(self._path_of(source), name, copies, self._viewing)
        except Exception as error:
            # it changed, or was removed, since the run read it; or a bug of ours
            problem = problem_of(source, error)
            if problem.trace:
                self._summary.note_problem(problem)
            return Row(name, "", problem=f"{problem.status}: {problem.message}")

    def _path_of(self, source: str) -> str:
        """Return the path of a source; one of a store is copied here first."""
        folder = folder_at(self._settings.source)
        if not is_url(self._settings.source):
            return folder.location_of(source)
        with folder.open(source, self._viewing.limits.max_bytes) as file:
            self._scratch.copy(file, source, prefix=TEMPORARY_PREFIX, replace=True)
        return self._scratch.location_of(source)

    def _levels(self, name: str) -> list[tuple[Level, dict[str, Any]]]:
        """Return the levels and rows of a source, in the order they were asked for."""
        by_label = self._rows.get(name, {})
        return [(level, by_label[level.label]) for level in self._settings.noise.levels if level.label in by_label]

    def _copy(self, level: Level, row: dict[str, Any]) -> NoisyCopy:
        output: str = row["file_name"]
        path = folder_at(self._settings.destination).location_of(output)
        return describe(path, level, row, self._survival.get(output))
