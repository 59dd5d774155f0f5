"""What an error means for the source it comes from: a fixed word for programs, a line for people."""

import errno

from noisecli.errors import FileProblem, NoisecliError, Stopped, message_of_bug, one_line, trace_of
from noisecli.model import Problem
from noisecli.storage import escape_name

_LONGEST = 1000
_OURS = dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "set TMPDIR to a folder with room, then run it again")
_OURS |= dict.fromkeys((errno.EMFILE, errno.ENFILE), "raise ulimit -n, then run it again")
"""Errors that reading a file does not have: they are of this process, and every file would have them."""


def problem_of(source: str, error: Exception) -> Problem:
    """Return what an error in a source's decoding, drawing or encoding means; what nobody foresaw is a bug of ours.

    Raises the error itself where it ends the run: Stopped, Refused.
    """
    name = escape_name(source)
    if isinstance(error, FileProblem):
        return Problem(name, error.status, error.reason, one_line(error.message, _LONGEST))
    if isinstance(error, NoisecliError):
        raise error
    if isinstance(error, OSError):
        if error.errno in _OURS:
            raise Stopped(f"{name}: {error.strerror}, in a temporary file or in opening one; {_OURS[error.errno]}")
        # of the source: what concerns an output is an error of its own by now
        message = one_line(f"cannot be read: {error.strerror or error}; check the disk", _LONGEST)
        return Problem(name, "failed", "unreadable", message)
    if isinstance(error, MemoryError):
        message = "needs more memory than there is; lower --max-pixels, or leave it out with --exclude"
        return Problem(name, "failed", "out-of-memory", message)
    return Problem(name, "failed", "internal-error", message_of_bug(error), trace_of(error))
