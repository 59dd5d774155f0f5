"""The journal while running, sorted rows at the end. Only the parent process writes rows here."""

import errno
import json
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from noisecli.errors import Stopped
from noisecli.manifest.destination import Names
from noisecli.manifest.entries import to_line
from noisecli.manifest.lock import open_locked, wait_for_workers
from noisecli.manifest.reader import ManifestReader, RowPosition
from noisecli.manifest.sidecars import SideRow
from noisecli.model import Made, Problem, Task
from noisecli.storage import folder_at, stopping
from noisecli.storage.hold import Hold

UNFINISHED_TIME = 0
"""What a manifest shows Make while it is not that of a finished run: older than any source."""


class Ledger(ManifestReader):
    """What a destination holds, and what a run adds to it.

    Opening it takes the lock. Use as a context manager; without publish() the journal stays, and the next run goes on
    from it.
    """

    def __init__(self, destination: str, names: Names, *, fsync: bool, force: bool = False) -> None:
        self._destination, self._names, self._fsync = destination, names, fsync
        self._files = folder_at(destination)
        self.folder_was_there = self._files.exists()
        self._journal_path = self._files.journals().location_of(names.journal)
        self._time: int | None = self._files.modified()
        self._journal = self._open_journal()
        self._time_with_journal = self._files.modified()
        self._identity = self._files.identity()
        self._hold, self.found_journal = Hold(), os.fstat(self._journal).st_size > 0
        try:
            self._hold = self._files.lease(names.journal, self._journal, force=force)
            with stopping(self._path(names.journal)):
                size = os.fstat(self._journal).st_size
                self.found_journal = size > 0
                self._is_torn = size > 0 and os.pread(self._journal, 1, size - 1) != b"\n"
            super().__init__(destination, names, self._journal)
            self.manifest_time = self._time_of_manifest()
        except BaseException:
            self.abandon()
            os.close(self._journal)
            raise

    def __exit__(self, *error: object) -> None:
        self._hold.close()
        super().__exit__(*error)

    def _open_journal(self) -> int:
        try:
            self._files.make()
            return open_locked(self._journal_path, self._destination)
        except OSError as error:
            raise Stopped(f"{self._destination}: cannot be written: {error.strerror}") from error

    def _time_of_manifest(self) -> int | None:
        with stopping(self._path(self._names.manifest)):
            found = self._files.look(self._names.manifest)
        return None if found is None else found.st_mtime_ns

    def set_manifest_time(self, time: int) -> None:
        """Set what Make compares with the sources, unless it is that already."""
        if self._time_of_manifest() not in (time, None):
            self._files.set_time(self._names.manifest, time)

    @property
    def journal(self) -> tuple[str, tuple[int, int]]:
        """The journal's path, and which file that is: workers append to it, and to nothing else."""
        status = os.fstat(self._journal)
        return self._journal_path, (status.st_dev, status.st_ino)

    def wait_for_workers(self) -> None:
        """Wait until no worker can put an output in place any more. Raises Stopped where they go on."""
        wait_for_workers(self._journal)

    def can_publish(self) -> bool:
        """Whether the destination is this run's still, and can be written: a run that ends early waits for nothing."""
        return self._hold.is_sure()

    def check_in_place(self) -> None:
        """Raise Stopped where what is there is not ours: another run's by now, or the name leads to another folder."""
        self._hold.confirm()
        if self._identity is None or self._files.identity() != self._identity:
            raise Stopped(
                f"{self._destination}: was moved, or another folder took its place, while the run went on; nothing is "
                "written there; run again where its outputs are now"
            )

    def begin(self, prefix: str, settings: dict[str, Any]) -> None:
        """Note how the names of this run's temporary files begin, and its settings by their key."""
        self._prefix = prefix
        self.settings.update(settings)
        if self._is_torn:
            self._append(b"\n")
        several = {"sources": self.sources} if self.sources > 1 else {}
        self._append(to_line({"temporaries": prefix, "settings": settings, **several}))

    def intend(self, tasks: Iterable[Task]) -> None:
        """Note outputs before they are made."""
        new = {task.output: tuple(task.beside.values()) for task in tasks}
        self.intended.update(new)
        self._append(to_line({"intended": {output: _in_journal(beside) for output, beside in new.items()}}))
        if any(output in self for output in new):
            # another machine would take the rows that there are for those of what comes in their files' place
            self._hold.send()

    def note_versions(self, versions: Mapping[str, str]) -> None:
        """Note the libraries that make the outputs."""
        if versions.items() - self.versions.items():
            self.versions.update(versions)
            self._append(to_line({"versions": dict(versions)}))

    def note_made(self, made: Made) -> None:
        """Note an output that was made."""
        offset, length = self._append(made.row.encode() + b"\n")
        self._positions[made.output] = RowPosition(True, offset, length)
        self.intended.pop(made.output, None)
        if made.survival:
            self.survival.update(made.survival)
            self._append(to_line({"survival": made.survival}))

    def note_problem(self, problem: Problem) -> None:
        """Note a source that failed or was skipped."""
        self.problems[problem.source] = problem
        self._append(to_line(problem.as_entry()))

    def place_sidecar(self, row: SideRow) -> None:
        """Note a side file that is about to be put in place: a run that is killed then leaves nobody's file."""
        self._append(to_line({"sidecar": row.as_entry()}))

    def _append(self, line: bytes) -> tuple[int, int]:
        """Return where the line begins, and its length. Workers append lines of their own."""
        self._hold.check()
        try:
            written = os.write(self._journal, line)
            if written != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            if self._fsync:
                os.fsync(self._journal)
            return os.lseek(self._journal, 0, os.SEEK_CUR) - len(line), len(line)
        except OSError as error:
            raise Stopped(f"{self._journal_path}: {error.strerror}; run again to go on") from error

    def publish(self, run: dict[str, Any], time: int) -> bool:
        """Write all as write() does, and drop the journal; return whether the manifest is new."""
        is_new = self.write(run, time)
        self._remove_journal()
        return is_new

    def write(self, run: dict[str, Any], time: int | None = None) -> bool:
        """Write manifest, side files, errors and run.json, each atomically; return whether the manifest is new.

        What has this content already stays untouched: build systems compare times. `time` is what a manifest shows Make
        that is written here.
        """
        self.check_in_place()
        is_new = self._write(self._names.manifest, self.rows, time)
        if self.sidecars.is_foreign:
            pass
        elif self.sidecars.rows:
            self._append(to_line({"list": run["sidecars_sha256"]}))
            self._write(self._names.sidecars, self.sidecars.lines)
        else:
            self._remove(self._names.sidecars)
        if self.problems:
            self._write(self._names.errors, self._problem_lines)
        else:
            self._remove(self._names.errors)
        text = json.dumps(run, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        self._write(self._names.run, lambda: [text.encode(errors="backslashreplace")])
        return is_new

    def _problem_lines(self) -> Iterable[bytes]:
        return (to_line(self.problems[source].as_entry()) for source in sorted(self.problems))

    def _write(self, name: str, content: Callable[[], Iterable[bytes]], time: int | None = None) -> bool:
        if self._files.holds(name, content()):
            return False
        self._time = None
        self._files.write_own(name, content(), prefix=self._prefix, fsync=self._fsync, time=time)
        return True

    def _remove(self, name: str) -> None:
        with stopping(self._path(name)):
            self._files.remove_own(name)

    def _remove_journal(self) -> None:
        self._hold.release()
        is_untouched = not self.found_journal and self._files.modified() == self._time_with_journal
        with stopping(self._journal_path):
            self._files.journals().remove_own(self._names.journal)
        if is_untouched and self._time is not None:
            # a journal that came and went is no change of the folder
            self._files.set_modified(self._time)

    @property
    def dirty(self) -> bool:
        """Whether there is anything that the manifest and what goes with it do not say yet."""
        unpublished = self.found_journal or self.intended or self.problems
        changed = self.needs_rewrite or self.sidecars.changed
        return bool(unpublished) or changed or self._names_missing()

    def _names_missing(self) -> bool:
        errors = self._files.has(self._names.errors, follow=True)
        return errors or not all(self._files.has(name, follow=True) for name in (self._names.manifest, self._names.run))

    def leave_as_it_was(self) -> None:
        """Take the journal away, which says nothing new."""
        self.check_in_place()
        self._remove_journal()

    def abandon(self) -> None:
        """Take a journal away that holds nothing, after a refusal."""
        if not self.found_journal:
            self._remove_journal()
        if not self.folder_was_there:
            self._files.remove_if_empty()


def _in_journal(beside: tuple[str, ...]) -> list[str] | str | None:
    """Return the names of files beside an output as a journal has them: earlier versions know one at most."""
    return list(beside) if len(beside) > 1 else next(iter(beside), None)
