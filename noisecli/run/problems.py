"""What an error means for the source it comes from: a fixed word for programs, a line for people."""

from __future__ import annotations

import errno
import re
import traceback

from noisecli.errors import FileProblem, NoisecliError, Stopped
from noisecli.model import Problem
from noisecli.storage import escape_name

_ADDRESS = re.compile(r"\b0x[0-9a-f]{6,16}\b")
_LONGEST, _LONGEST_WORD = 1000, 200
_OURS = dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "set TMPDIR to a folder with room, then run it again")
_OURS |= dict.fromkeys((errno.EMFILE, errno.ENFILE), "raise ulimit -n, then run it again")
"""Errors that reading a file does not have: they are of this process, and every file would have them."""


def problem_of(source: str, error: Exception) -> Problem:
    """Return what an error in a source's decoding, drawing or encoding means; what nobody foresaw is a bug of ours.

    Raises the error itself where it ends the run: Stopped, Refused.
    """
    name = escape_name(source)
    if isinstance(error, FileProblem):
        return Problem(name, error.status, error.reason, _line(error.message, _LONGEST))
    if isinstance(error, NoisecliError):
        raise error
    if isinstance(error, OSError):
        if error.errno in _OURS:
            raise Stopped(f"{name}: {error.strerror}, in a temporary file or in opening one; {_OURS[error.errno]}")
        # of the source: what concerns an output is an error of its own by now
        message = _line(f"cannot be read: {error.strerror or error}; look after the disk", _LONGEST)
        return Problem(name, "failed", "unreadable", message)
    if isinstance(error, MemoryError):
        message = "needs more memory than there is; lower --max-pixels, or leave it out with --exclude"
        return Problem(name, "failed", "out-of-memory", message)
    return Problem(name, "failed", "internal-error", message_of_bug(error), trace_of(error))


def message_of_bug(error: BaseException) -> str:
    """Return what people are told of a bug of ours: the same words in every process."""
    try:
        said = _line(_ADDRESS.sub("0x...", str(error)), _LONGEST_WORD)
    except Exception:
        said = ""
    what = f"{type(error).__name__}: {said}" if said else type(error).__name__
    return f"an error of noisecli, not of your file ({what}): please report it; -v shows more"


def trace_of(error: BaseException) -> str:
    """Return an error's traceback as text, whatever state it left us in."""
    try:
        return "".join(traceback.format_exception(error))
    except Exception:
        return f"{type(error).__name__}, whose traceback cannot be told\n"


def _line(text: str, longest: int) -> str:
    """Return what an error says as one printable line: it may quote a file, at any length."""
    line = " ".join(text[: 2 * longest].split())
    line = line if len(line) <= longest else line[: longest - 3] + "..."
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)
