"""The rule of a Makefile whose recipe is a run: its target is the manifest.

Make compares times. So the manifest of a finished run shows when that run began, for what was changed later has to be
looked at again; where nothing is newer than it, it stays untouched. That of any other run is older than all sources.
"""

from functools import cache, cached_property

from noisecli.kinds import KINDS
from noisecli.manifest.entries import Row
from noisecli.manifest.ledger import UNFINISHED_TIME, Ledger
from noisecli.run.make.depfile import Depfile
from noisecli.run.make.prerequisites import Prerequisites
from noisecli.run.sources import Listing
from noisecli.run.summary import Summary
from noisecli.settings import Settings
from noisecli.storage import escape_name


class Rule:
    """What Make is shown of one run.

    Parameters
    ----------
    began
        When the run began, in nanoseconds: before it listed its sources.
    """

    def __init__(
        self, settings: Settings, found: Listing, prerequisites: Prerequisites, depfile: Depfile | None, began: int
    ) -> None:
        self._settings, self._found, self._began = settings, found, began
        self._prerequisites, self._depfile = prerequisites, depfile
        self._is_marked = False

    def mark_unfinished(self, ledger: Ledger) -> None:
        """Show Make, before the first output is made, that the manifest is due: should the run be killed, it is."""
        if not self._is_marked:
            self._is_marked = True
            ledger.set_manifest_time(self.unfinished_time(ledger.manifest_time))

    @cache  # noqa: B019 - a run has one, and one manifest
    def unfinished_time(self, present: int | None) -> int:
        """Return what the manifest shows until the run is finished.

        Where Make takes it for due by its present time, that stays: Make removes a target that changed when it is
        interrupted.
        """
        is_due = present is not None and self._prerequisites.any_between(present, self._began)
        return present if present is not None and is_due else UNFINISHED_TIME

    def write_depfile(self, summary: Summary) -> None:
        """Write what was asked for. Raises Stopped."""
        if self._depfile is not None:
            summary.not_in_depfile = self._depfile.write(self._prerequisites.paths)

    def show(
        self, ledger: Ledger, summary: Summary, *, finished: bool, is_new: bool = False, is_partial: bool = False
    ) -> None:
        """Show Make whether all is done: where the manifest is a new one, or a prerequisite is newer than it was.

        `is_partial` is whether sources with a row were left out: then the others' changes are as due as before.
        """
        present = ledger.manifest_time
        if not finished:
            ledger.set_manifest_time(self.unfinished_time(present))
            return
        if self._depfile is not None:
            # this very request is the rule's: what it leaves out, the rule leaves out
            is_partial = False
            summary.future = self._prerequisites.of_the_future()
        if present is not None and is_partial:
            ledger.set_manifest_time(present)
        elif is_new or present in (None, UNFINISHED_TIME) or self._prerequisites.any_between(present, self._began):
            ledger.set_manifest_time(self._began)
        else:
            ledger.set_manifest_time(present)

    def covers(self, row: Row) -> bool:
        """Whether a row's source is one that this run has looked at."""
        return not KINDS[self._settings.kind].has_sources or row.get("source") in self._looked_at

    @cached_property
    def _looked_at(self) -> set[str]:
        problems = (name for name, _ in self._found.problems)
        return {escape_name(name) for names in (self._found.sources, self._found.masks, problems) for name in names}
