"""Which run writes into a folder of a store, and how far it came, for machines that do not see its journal.

The lease is an object with the journal's name, put under a condition that lets one of two runs win, and put again while
the run lasts. A run that is killed leaves it; it counts for a while, so that what that run began comes to its end. What
was added to the journal goes along each time, as an object of its own: another machine can go on from there. It gives
the journal a new name then, so that the first machine's journal, should that one run again, proves nothing.
"""

import errno
import json
import os
import re
import secrets
import threading
import time
from contextlib import suppress
from functools import partial
from typing import Any

from noisecli.errors import Refused, Stopped
from noisecli.storage.folder import Folder
from noisecli.storage.hold import Hold
from noisecli.storage.names import escape_name
from noisecli.storage.objects.client import QUICK, ask, patiently, put
from noisecli.storage.objects.lease_content import Content, Version, version_of
from noisecli.storage.objects.listing import objects_below, status_of
from noisecli.storage.objects.probe import remove_probes
from noisecli.storage.output import stopping, write_all

RENEWED_EVERY = 20.0
VALID = 180.0
"""Seconds. Longer than a request is tried again: an outage that the run survives ends no lease."""
_MARGIN = 30.0
_NO_VERSION = {"e_tag": '"noisecli"'}
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""It goes on while the machine sleeps, where there is such a one."""
_PART, _TIME = re.compile(r"[0-9]{8}"), "now"
"""Names below the journal's parts; what else lies there is not ours."""


class Lease(Hold):
    """A run's lease on a folder, renewed by a thread until release() or close().

    Parameters
    ----------
    bucket, quick, key
        Of the object; the second client of the bucket is one that soon gives up.
    shown
        The folder's URL, for messages.
    journal
        A descriptor of the journal on this machine, which is locked. It is emptied where a run elsewhere went on since
        it was written, and filled with what that one added.
    state
        The folder of the journal.
    force
        Whether a lease that counts is broken.

    Raises Stopped where another run holds the folder, and Refused where a store cannot tell two runs apart, or where
    the object is somebody else's.
    """

    def __init__(
        self, bucket: Any, quick: Any, key: str, shown: str, journal: int, state: Folder, *, force: bool
    ) -> None:
        import obstore

        self._library, self._bucket, self._key, self._shown = obstore, bucket, key, escape_name(shown)
        self._quick, self._renewing = quick, threading.Lock()
        self._journal, self._state = journal, state
        self._ended, self._lost, self._trouble = threading.Event(), "", ""
        self._sent = self._parts = 0
        self._renewed = time.clock_gettime(_CLOCK)
        try:
            self._acquire(force=force)
        except OSError as error:
            if error.errno == errno.ENOSYS:
                raise self._no_conditions(f"({error.strerror})") from error
            raise Stopped(f"{self._shown}: cannot be written: {error.strerror}; nothing was begun") from error
        threading.Thread(target=self._keep, daemon=True).start()

    def _acquire(self, *, force: bool) -> None:
        known = self._remembered()
        found, version, put_at = self._read()
        holder = known.get("holder") or secrets.token_hex(8)
        is_own = found is not None and found.holder == holder
        if found is not None and not found.holder and not force:
            raise Refused(f"{self._shown}: its {os.path.basename(self._key)} is no lease; move it away, or add --force")
        if found is not None and not is_own and not force:
            age = self._now() - put_at
            if age < VALID:
                raise self._refusal(f"another run is writing there, or was killed {age:.0f} s ago")
        # another machine's journal goes on under a new name
        journal = found.journal if found is not None and is_own else secrets.token_hex(8)
        goes_on = is_own and known.get("journal") == journal and os.fstat(self._journal).st_size > 0
        if not goes_on:
            self._remember({"holder": holder, "journal": ""})
        self._content = Content(journal, holder, secrets.token_hex(8), 0)
        try:
            self._put(self._bucket, "create" if found is None else version)
        except FileExistsError:
            raise self._refusal("another run has just begun to write there") from None
        except FileNotFoundError:
            raise Refused(f"{self._shown}: there is no such bucket; make it, or name another") from None
        self._require_conditions()
        if not goes_on:
            os.ftruncate(self._journal, 0)
        self._restore(fetch=found is not None and not goes_on, drop=found is None)
        if not goes_on:
            self._remember({"holder": holder, "journal": journal})

    def _require_conditions(self) -> None:
        """Refuse a store that ignores conditions: two runs would hold it, and outputs replace anybody's objects."""
        if type(self._bucket).__name__ != "S3Store":
            return
        content = self._content.written()
        for mode in ("create", _NO_VERSION):
            with suppress(FileExistsError, FileNotFoundError):
                put(self._bucket, self._key, content, mode=mode)
                ask(self._library.delete, self._bucket, self._key)
                raise self._no_conditions("(If-None-Match, If-Match)")

    def _no_conditions(self, which: str) -> Refused:
        words = f"this store does not put objects under conditions {which}, which keep two runs apart"
        return Refused(f"{self._shown}: {words}; write to a folder on this machine, and upload that")

    def _refusal(self, what: str) -> Stopped:
        words = f"wait up to {VALID:.0f} s, choose another folder, or break its lease by --force"
        return Stopped(f"{self._shown}: {what}; {words}")

    def _remembered(self) -> dict[str, str]:
        """Return what the folder of the journal says: its own name as a holder, and which journal is there."""
        with suppress(OSError, ValueError), self._state.open_own(self._own_name) as file:
            content = json.load(file)
            return content if isinstance(content, dict) else {}
        return {}

    def _remember(self, content: dict[str, str]) -> None:
        self._state.write_own(self._own_name, [json.dumps(content).encode()])

    @property
    def _own_name(self) -> str:
        return f"{os.path.basename(self._key)}.lease"

    def _read(self) -> tuple[Content | None, Version, float]:
        """Return what the object says, its version, and when it was put; None where there is none of ours."""
        try:
            found, data = patiently(lambda: self._fetched(self._key))
        except FileNotFoundError:
            return None, {}, 0.0
        return Content.read(data), version_of(found.meta), status_of(found.meta).st_mtime_ns / 1e9

    def _fetched(self, key: str) -> tuple[Any, bytes]:
        found = ask(self._library.get, self._bucket, key)
        return found, bytes(ask(found.bytes))

    def _now(self) -> float:
        """Return the store's own time, which ours may differ from."""
        key = f"{self._key}.parts/{_TIME}"
        put(self._bucket, key, b"")
        put_at = status_of(ask(self._library.head, self._bucket, key)).st_mtime_ns / 1e9
        ask(self._library.delete, self._bucket, key)
        return put_at

    def _put(self, bucket: Any, mode: str | Version) -> None:
        """Put the object where the condition holds. Raises OSError: FileExistsError or FileNotFoundError where not."""
        self._content = self._content._replace(renewal=self._content.renewal + 1)
        began, content = time.clock_gettime(_CLOCK), self._content.written()
        try:
            answer = put(bucket, self._key, content, patience=0 if bucket is self._quick else None, mode=mode)
            self._version = version_of(answer)
        except FileExistsError:
            # a put whose answer was lost is tried again, and meets itself
            found, version, _ = self._read()
            if found != self._content:
                raise
            self._version = version
        self._renewed = began

    def _restore(self, *, fetch: bool, drop: bool) -> None:
        """Count the parts of the journal that are there; with `fetch`, go on from them.

        With `drop`, they are of one that somebody removed the lease of, and prove nothing.
        """
        prefix = f"{self._key}.parts"
        for found in sorted(objects_below(self._bucket, prefix)):
            if not _PART.fullmatch(found.name):
                continue
            self._parts = max(self._parts, int(found.name))
            if fetch:
                _, data = patiently(partial(self._fetched, f"{prefix}/{found.name}"))
                write_all(self._journal, data if data.endswith(b"\n") else data + b"\n")
            elif drop:
                ask(self._library.delete, self._bucket, f"{prefix}/{found.name}")
        self._sent = os.fstat(self._journal).st_size if fetch else 0

    def _keep(self) -> None:
        while not self._ended.wait(RENEWED_EVERY):
            try:
                with self._renewing:
                    if not self._ended.is_set():
                        self._renew(self._bucket)
                        self._send_journal()
            except OSError as error:
                self._trouble = error.strerror or str(error)
            if self._lost:
                return

    def _renew(self, bucket: Any) -> None:
        try:
            self._put(bucket, self._version)
        except (FileExistsError, FileNotFoundError) as error:
            self._lost = "another run took it over, or its lease was removed,"
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE)) from error

    def _send_journal(self) -> None:
        size = os.fstat(self._journal).st_size
        data = os.pread(self._journal, size - self._sent, self._sent)
        data = data[: data.rfind(b"\n") + 1]
        if data:
            put(self._bucket, f"{self._key}.parts/{self._parts + 1:08d}", data)
            self._parts, self._sent = self._parts + 1, self._sent + len(data)

    def check(self) -> None:
        """Raise Stopped where the run cannot be sure to be alone any more."""
        silence = time.clock_gettime(_CLOCK) - self._renewed
        if self._lost:
            raise Stopped(f"{self._shown}: {self._lost} while this one went on; run again when no other does")
        if silence > VALID - _MARGIN:
            why = f" ({self._trouble})" if self._trouble else ""
            words = f"its lease was not renewed for {silence:.0f} s{why}; the run stops here, run it again to go on"
            raise Stopped(f"{self._shown}: {words}")

    def confirm(self) -> None:
        """Renew it now, before what no other run may do meanwhile. Raises Stopped."""
        self.check()
        with self._renewing:
            try:
                self._renew(self._bucket)
            except OSError as error:
                self.check()
                words = f"cannot be written: {error.strerror}; the run stops here, run it again to go on"
                raise Stopped(f"{self._shown}: {words}") from error

    def is_sure(self) -> bool:
        """Whether it holds, and the store answers soon."""
        if self._lost or not self._renewing.acquire(timeout=QUICK):
            return False
        try:
            self._renew(self._quick)
        except OSError:
            return False
        finally:
            self._renewing.release()
        return True

    def send(self) -> None:
        """Send what was added to the journal now. Raises Stopped."""
        with self._renewing, stopping(self._shown):
            self._send_journal()

    def release(self) -> None:
        """End it: nothing of the run is unfinished. Raises Stopped."""
        self.confirm()
        self.close()
        with self._renewing, stopping(self._shown):
            prefix = f"{self._key}.parts"
            for found in list(objects_below(self._bucket, prefix)):
                if found.name == _TIME or _PART.fullmatch(found.name):
                    ask(self._library.delete, self._bucket, f"{prefix}/{found.name}")
            remove_probes(self._library, self._bucket, os.path.dirname(self._key))
            ask(self._library.delete, self._bucket, self._key)

    def close(self) -> None:
        """Renew it no more; the next run on this machine goes on at once."""
        self._ended.set()
