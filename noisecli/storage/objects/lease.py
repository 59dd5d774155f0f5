"""Which run writes into a folder of a store, and how far it came, for machines that do not see its journal.

The lease is an object with the journal's name, put under a condition that lets one of two runs win, and put again while
the run lasts. A run that is killed leaves it; it counts for a while, so that what that run began comes to its end. What
was added to the journal goes along each time, as an object of its own: another machine can go on from there.
"""

import json
import os
import secrets
import threading
import time
from contextlib import suppress
from typing import Any, NamedTuple

from noisecli.errors import Stopped
from noisecli.storage.folder import Folder, Hold
from noisecli.storage.names import escape_name
from noisecli.storage.objects.client import ask
from noisecli.storage.objects.listing import objects_below, status_of
from noisecli.storage.output import stopping

RENEWED_EVERY = 20.0
VALID = 180.0
"""Seconds. Longer than a request is tried again: an outage that the run survives ends no lease."""
_MARGIN = 30.0
_OWN = "holder"
_Version = dict[str, str]


class _Content(NamedTuple):
    """What the object says.

    Attributes
    ----------
    journal
        Which journal it goes with.
    holder
        Whose folder of journals that lies in: all who use that one know of each other by the journal's lock.
    run
        Which process wrote it.
    """

    journal: str
    holder: str
    run: str


class Lease(Hold):
    """A run's lease on a folder, renewed by a thread until release() or close().

    Parameters
    ----------
    bucket, key
        Of the object.
    shown
        The folder's URL, for messages.
    journal
        A descriptor of the journal on this machine, which is locked. It is emptied where a run elsewhere went on since
        it was written, and filled with what that one added.
    state
        The folder of the journal.
    force
        Whether a lease that counts is broken.

    Raises Stopped where another run holds the folder.
    """

    def __init__(self, bucket: Any, key: str, shown: str, journal: int, state: Folder, *, force: bool) -> None:
        import obstore

        self._library, self._bucket, self._key, self._shown = obstore, bucket, key, escape_name(shown)
        self._journal, self._state = journal, state
        self._ended, self._lost, self._trouble = threading.Event(), "", ""
        self._sent = self._parts = 0
        with stopping(shown):
            self._acquire(force=force)
        self._renewed = time.monotonic()
        threading.Thread(target=self._keep, daemon=True).start()

    def _acquire(self, *, force: bool) -> None:
        known = self._remembered()
        found, version, put_at = self._read()
        holder = known.get(_OWN) or secrets.token_hex(8)
        if found is not None and found.holder != holder and not force:
            age = self._now() - put_at
            if age < VALID:
                raise self._refusal(f"another run is writing there, or was killed {age:.0f} s ago")
        own_journal = known.get(os.path.basename(self._key))
        journal = found.journal if found is not None else secrets.token_hex(8)
        if own_journal != journal:
            os.ftruncate(self._journal, 0)
            self._remember({**known, _OWN: holder, os.path.basename(self._key): journal})
        self._content = _Content(journal, holder, secrets.token_hex(8))
        try:
            self._version = self._put("create" if found is None else version)
        except FileExistsError:
            raise self._refusal("another run has just begun to write there") from None
        self._restore(fetch=found is not None and own_journal != journal)

    def _refusal(self, what: str) -> Stopped:
        words = f"wait up to {VALID:.0f} s, choose another folder, or break its lease by --force"
        return Stopped(f"{self._shown}: {what}; {words}")

    def _remembered(self) -> dict[str, str]:
        """Return what the folder of the journal says: its own name as a holder, and which journals are there."""
        with suppress(OSError, ValueError), self._state.open_own("leases.json") as file:
            content = json.load(file)
            return content if isinstance(content, dict) else {}
        return {}

    def _remember(self, content: dict[str, str]) -> None:
        self._state.write_own("leases.json", [json.dumps(content).encode()])

    def _read(self) -> tuple[_Content | None, _Version, float]:
        """Return what the object says, its version, and when it was put; None where there is none of ours."""
        try:
            found = ask(self._library.get, self._bucket, self._key)
            data = bytes(ask(found.bytes))
        except FileNotFoundError:
            return None, {}, 0.0
        version = {word: found.meta[word] for word in ("e_tag", "version") if found.meta.get(word)}
        try:
            content = _Content(**{word: str(json.loads(data)[word]) for word in _Content._fields})
        except (ValueError, KeyError, TypeError):
            content = _Content("", "", "")
        return content, version, status_of(found.meta).st_mtime_ns / 1e9

    def _now(self) -> float:
        """Return the store's own time, which ours may differ from."""
        key = f"{self._key}.now"
        ask(self._library.put, self._bucket, key, b"", use_multipart=False)
        put_at = status_of(ask(self._library.head, self._bucket, key)).st_mtime_ns / 1e9
        ask(self._library.delete, self._bucket, key)
        return put_at

    def _put(self, mode: str | _Version) -> _Version:
        """Put the object where the condition holds; return its version. Raises FileExistsError where it does not."""
        content = json.dumps(self._content._asdict()).encode()
        try:
            answer = ask(self._library.put, self._bucket, self._key, content, mode=mode, use_multipart=False)
        except FileExistsError:
            # a put whose answer was lost is tried again, and meets itself
            found, version, _ = self._read()
            if found != self._content:
                raise
            return version
        return {word: answer[word] for word in ("e_tag", "version") if answer.get(word)}

    def _restore(self, *, fetch: bool) -> None:
        """Count the parts of the journal that are there; with `fetch`, go on from them."""
        prefix = f"{self._key}.parts"
        for found in sorted(objects_below(self._bucket, prefix)):
            self._parts = max(self._parts, int(found.name) if found.name.isdecimal() else 0)
            if fetch:
                data = bytes(ask(ask(self._library.get, self._bucket, f"{prefix}/{found.name}").bytes))
                os.write(self._journal, data)
        self._sent = os.fstat(self._journal).st_size if fetch else 0

    def _keep(self) -> None:
        while not self._ended.wait(RENEWED_EVERY):
            try:
                self._send_journal()
                self._version = self._put(self._version)
                self._renewed = time.monotonic()
            except FileExistsError:
                self._lost = "another run took it over"
                return
            except OSError as error:
                self._trouble = error.strerror or str(error)

    def _send_journal(self) -> None:
        size = os.fstat(self._journal).st_size
        data = os.pread(self._journal, size - self._sent, self._sent)
        data = data[: data.rfind(b"\n") + 1]
        if data:
            key = f"{self._key}.parts/{self._parts + 1:08d}"
            ask(self._library.put, self._bucket, key, data, use_multipart=False)
            self._parts, self._sent = self._parts + 1, self._sent + len(data)

    def check(self) -> None:
        """Raise Stopped where the run cannot be sure to be alone any more."""
        silence = time.monotonic() - self._renewed
        if self._lost:
            raise Stopped(f"{self._shown}: {self._lost} while this one went on; run again when that one is done")
        if silence > VALID - _MARGIN:
            words = f"its lease could not be renewed for {silence:.0f} s ({self._trouble}); run again to go on"
            raise Stopped(f"{self._shown}: {words}")

    def release(self) -> None:
        """End it: nothing of the run is unfinished. Raises Stopped."""
        self.close()
        with stopping(self._shown):
            prefix = f"{self._key}.parts"
            for found in list(objects_below(self._bucket, prefix)):
                ask(self._library.delete, self._bucket, f"{prefix}/{found.name}")
            ask(self._library.delete, self._bucket, self._key)

    def close(self) -> None:
        """Renew it no more; the next run on this machine goes on at once."""
        self._ended.set()
