"""Labels, transcripts and masks beside the data: additive noise moves no pixel, so they stay true.

What has a side file's name in the destination is replaced only when it is provably noisecli's: the record says so, and
its content is still the recorded one, or it is what would be written anyway.
"""

import os
import stat
from collections.abc import Callable, Iterable

from noisecli.errors import FileFailed, FileProblem, FileSkipped, Refused
from noisecli.kinds import KINDS, beginnings, kinds_of, suffix_of
from noisecli.manifest.destination import Names
from noisecli.manifest.ledger import Ledger
from noisecli.manifest.reader import ManifestReader
from noisecli.manifest.sidecars import How, SideRow
from noisecli.model import Problem, SideFile
from noisecli.run.examples import Examples
from noisecli.run.sources import pattern_of
from noisecli.run.summary import Summary
from noisecli.settings import Settings
from noisecli.storage import SourceFile, escape_name, folder_at, is_url
from noisecli.storage.digests import sha256
from noisecli.storage.output import FOREIGN
from noisecli.storage.permissions import FileStatus
from noisecli.workers.problems import problem_of


class SideFiles:
    """The side files of a run: what stands in their places, and what is put there.

    Parameters
    ----------
    files
        Yields all of them; called several times, for there may be many.
    """

    def __init__(self, settings: Settings, ledger: ManifestReader, files: Callable[[], Iterable[SideFile]]) -> None:
        self._settings, self._ledger, self._files = settings, ledger, files
        self._record = ledger.sidecars
        self._source, self._destination = folder_at(settings.source), folder_at(settings.destination)
        self._settled: set[str] = set()
        self._look_anew()

    def _look_anew(self) -> None:
        """Begin to look at what is there now."""
        self._there, self._here = self._source.survey(), self._destination.survey()

    def refuse_foreign(self) -> None:
        """Raise Refused where a name is taken by a file that noisecli did not put there, or that was edited since."""
        names = Names.of(self._settings.output.manifest)
        if self._record.is_foreign and any(True for _ in self._files()):
            shown = escape_name(self._destination.location_of(names.sidecars))
            words = "is not noisecli's, or was edited, and the list of side files belongs there; move it away"
            raise Refused(f"{shown}: {words}")
        if self._settings.running.force or not self._ledger.folder_was_there:
            return
        for side in self._files():
            if self._here.has(side.name) and not self._is_replaceable(side):
                shown = escape_name(self._destination.location_of(side.name))
                raise Refused(f"{shown}: {self._whose(side.name)}; move it, or add --force")

    def _whose(self, name: str) -> str:
        if self._destination.leads_out(name):
            return "its folder is a symbolic link out of the folder of the outputs"
        if name in self._record.rows:
            return "was edited since noisecli put it there as a side file"
        if self._ledger.is_recorded(name):
            return "is an output of an earlier run, and a side file would replace it"
        for names, other in ManifestReader.others(self._settings.destination, Names.of(self._settings.output.manifest)):
            if other.is_recorded(name) or name in other.sidecars.rows:
                return f"belongs to another run, whose manifest is {names.manifest}"
        return "already exists, and noisecli did not put it there as a side file"

    def _is_replaceable(self, side: SideFile) -> bool:
        """Whether what has the name of a side file is ours, or would stay the same.

        True also where the source cannot be read: it replaces nothing, and carrying it says so.
        """
        try:
            source = self._there.look(side.source, follow=True)
            if (source is not None and self._current_row(side, source)) or self._is_ours(side):
                return True
            digest = self._source.sha256(side.source) if side.make is None else sha256(side.make())
        except (FileProblem, OSError):
            return True
        return self._is_ours(side, digest)

    def _is_ours(self, side: SideFile, digest: str | None = None) -> bool:
        """Whether what has the name of a side file is ours to replace, or has the digest of what would replace it."""
        name, record = side.name, self._record
        try:
            found = self._destination.look(name)
            if found is None:
                return True
            if stat.S_ISLNK(found.st_mode):
                return self._is_our_link(side, digest)
            theirs = self._destination.own_digest(name)
            if theirs is None:
                return False
            return theirs in (digest, *record.digests_of(name))
        except (FileProblem, OSError):
            return False

    def _is_our_link(self, side: SideFile, digest: str | None) -> bool:
        name = side.name
        if self._destination.leads_to(name, self._source.location_of(side.source)):
            return True
        if not self._destination.has(name, follow=True):
            # where SRC was moved, our own links lead nowhere
            return self._record.is_link(name) and self._destination.link_ends_with(name, side.source)
        return self._destination.sha256(name) in (digest, *self._record.digests_of(name))

    def carry(self, prefix: str, summary: Summary, note: Callable[[Problem], None]) -> None:
        """Put all in place, and count those that are in all their places; one that cannot be costs itself.

        Raises Stopped where nothing more can be written.
        """
        self._look_anew()
        carried: set[str] = set()
        failed: set[str] = set()
        try:
            for side in self._files():
                try:
                    row = self._place(side, prefix)
                except Exception as error:
                    failed.add(side.source)
                    note(problem_of(side.source, error))
                else:
                    carried.add(side.source)
                    self._record.put(row)
                    self._settled.add(side.name)
                    if side.name in self._ledger:
                        # it had noise in an earlier run, and --force was given
                        self._ledger.forget(side.name)
        finally:
            summary.sidecars_copied = len(carried - failed)
            summary.examples["carried"] = Examples.of(carried - failed)

    def settle(self) -> None:
        """Drop rows of files that are gone, or are outputs by now."""
        self._record.settle(self._destination.survey(), self._settled)
        for name in [name for name in self._record.rows if name in self._ledger]:
            self._record.forget(name)

    def _place(self, side: SideFile, prefix: str) -> SideRow:
        if side.make is not None:
            return self._place_content(side, side.make(), prefix)
        looks_again = self._settings.running.checksum or self._settings.running.redo
        if is_url(self._settings.source) and not looks_again:
            # an object is all read when it is opened
            source = self._there.look(side.source)
            if source is not None and (known := self._current_row(side, source)) is not None:
                return known
        with self._source.open(side.source) as file:
            _refuse_samples(self._settings, side.source, file)
            known = self._current_row(side, file.status)
            if known is not None and not looks_again:
                return known
            if self._settings.output.sidecars == "link":
                return self._place_link(side, file, prefix)
            return self._place_copy(side, file, prefix)

    def _place_copy(self, side: SideFile, file: SourceFile, prefix: str) -> SideRow:
        row = self._row(side, "copy", file.size, file.sha256())
        if self._holds(side.name, row.sha256):
            self._destination.narrow(side.name, file.status.st_mode)
        else:
            replace = self._claim(side, row)
            self._destination.copy(file, side.name, prefix=prefix, replace=replace)
        return row

    def _place_link(self, side: SideFile, file: SourceFile, prefix: str) -> SideRow:
        target = self._source.location_of(side.source)
        row = self._row(side, "link", file.size, file.sha256())
        if not self._destination.leads_to(side.name, target):
            replace = self._claim(side, row)
            self._destination.link(target, side.name, prefix=prefix, replace=replace)
        return row

    def _place_content(self, side: SideFile, content: bytes, prefix: str) -> SideRow:
        digests = tuple((escape_name(name), self._source.sha256(name)) for name in (side.source, *side.also_from))
        row = self._row(side, "rewritten", len(content), sha256(content), digests)
        like = self._source.readers((side.source, *side.also_from))
        if self._holds(side.name, row.sha256):
            self._destination.narrow(side.name, like.st_mode)
            return row
        replace = self._claim(side, row)
        with self._destination.create(side.name, prefix=prefix, like=like) as output:
            output.write(content)
            output.commit(replace=replace)
        return row

    def _current_row(self, side: SideFile, source: FileStatus) -> SideRow | None:
        """Return the row of a side file that, by its size and times, is in place already."""
        known, found = self._record.rows.get(side.name), self._here.look(side.name)
        how = self._settings.output.sidecars
        if known is None or found is None or side.make is not None or (known.how, known.bytes) != (how, source.st_size):
            return None
        changed = max(source.st_mtime_ns, source.st_ctime_ns)
        if how == "link":
            is_it = self._destination.leads_to(side.name, self._source.location_of(side.source))
            is_it = is_it and changed < found.st_mtime_ns
        else:
            is_it = self._destination.is_copied(found, source)
        return known if is_it and known.source == escape_name(side.source) else None

    def _row(
        self, side: SideFile, how: How, size: int, digest: str, sources: tuple[tuple[str, str], ...] = ()
    ) -> SideRow:
        return SideRow(side.name, escape_name(side.source), how, size, digest, sources)

    def _holds(self, name: str, digest: str) -> bool:
        """Whether a regular file has this content already."""
        try:
            return self._here.has(name) and self._destination.own_digest(name) == digest
        except (FileProblem, OSError):
            return False

    def _claim(self, side: SideFile, row: SideRow) -> bool:
        """Note what is about to be put in place; return whether it may replace what is there.

        Raises FileFailed for what somebody else put there, after this run looked.
        """
        is_taken = self._here.has(side.name)
        if is_taken and not (self._settings.running.force or self._is_ours(side, row.sha256)):
            raise FileFailed("foreign-file", FOREIGN)
        assert isinstance(self._ledger, Ledger)
        self._ledger.place_sidecar(row)
        return is_taken


def _refuse_samples(settings: Settings, sidecar: str, file: SourceFile) -> None:
    """Raise FileSkipped for an image or sound whose name does not say so: a clean one among noisy ones."""
    excluded = any(pattern_of(glob).match(sidecar) for glob in settings.choice.exclude)
    if excluded or kinds_of(suffix_of(sidecar)) or not KINDS[settings.kind].unsupported:
        return
    if what := beginnings.told_by(os.pread(file.fileno(), beginnings.LENGTH, 0)):
        way_out = "name it by its format, or unpack it first; --exclude carries it along as it is"
        raise FileSkipped(
            "unsupported-format", f"is {what} by its first bytes, and its name does not say so; {way_out}"
        )
