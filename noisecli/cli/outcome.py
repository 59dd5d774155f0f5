"""--json: the one object on standard output, however a command ends."""

import contextlib
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from itertools import takewhile
from typing import Any

import click

from noisecli import __version__
from noisecli.cli.terminal import acts
from noisecli.errors import NoisecliError

_PATHS = ("source", "recompute"), ("destination", "out")
"""The parameters that are reported as source and destination: of each, the one that a command has."""


class Outcome:
    """What a command line will report of itself.

    Attributes
    ----------
    counters
        Returns what the command has counted so far.
    options
        The command's arguments and options, once they could be read.
    error
        Why it did less than it was asked for, where that is no refusal.
    """

    def __init__(self, command: str | None, words: Sequence[str]) -> None:
        self.command = command
        self.counters: Callable[[], Mapping[str, Any]] = dict
        self.error: str | None = None
        self.options: Mapping[str, Any] = {}
        # until they are read as options
        self._is_wanted = "--json" in takewhile(lambda word: word != "--", words)

    def take(self, options: Mapping[str, Any]) -> None:
        """Take a command's arguments and options, when they are known."""
        self.options = options
        self._is_wanted = bool(options.get("as_json"))

    def emit(self, status: int, error: str | None = None) -> None:
        """Print it, once, where --json was given. Raises Stopped, BrokenPipeError where that cannot be done."""
        if self._is_wanted and sys.stdout is not None:
            self._is_wanted = False
            print_json(self.as_json(status, error))

    def emit_after(self, status: int, error: str | None) -> None:
        """Print it after an error, whose exit status stays whatever becomes of the printing."""
        with contextlib.suppress(OSError, NoisecliError):
            self.emit(status, error)

    def as_json(self, status: int, error: str | None = None) -> dict[str, Any]:
        """Return the object."""
        source, destination = (self._typed(names) for names in _PATHS)
        return {
            "command": self.command,
            "version": __version__,
            "exit_status": status,
            "source": source,
            "destination": destination,
            "error": error or self.error,
            **self.counters(),
        }

    def _typed(self, names: Sequence[str]) -> str | None:
        from noisecli.storage import escape_name

        path = next(filter(None, map(self.options.get, names)), None)
        return None if path is None else escape_name(path)


def this_outcome() -> Outcome:
    """Return the outcome of the command that is carried out."""
    return click.get_current_context().ensure_object(Outcome)


def refuse_shared_output(options: Mapping[str, Any], way_out: str) -> None:
    """Refuse --json where something else goes to standard output."""
    if options["as_json"]:
        raise click.UsageError(f"--json needs standard output for itself; {way_out}")


def print_json(content: Any) -> None:
    """Print content as JSON on one line: the same for whoever parses it, harmless for a terminal and in a CI log."""
    from noisecli.storage.stdout import print_whole

    text = json.dumps(content, ensure_ascii=False)
    if not text.isprintable():
        text = "".join(json.dumps(letter)[1:-1] if acts(letter) else letter for letter in text)
    print_whole([text.replace("##[", "##\\u005b").encode() + b"\n"])
