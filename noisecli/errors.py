"""The error tree. Every class carries the exit status it means; cli/ turns it into one in a single place."""

import re
from typing import Literal

FailedReason = Literal[
    "empty",
    "truncated",
    "corrupt",
    "not-decoded",
    "wrong-content",
    "too-large",
    "unreadable",
    "gone",
    "changed",
    "no-encoder",
    "not-finite",
    "out-of-range",
    "timeout",
    "worker-died",
    "out-of-memory",
    "foreign-file",
    "unwritable",
    "no-label",
    "wrong-shape",
    "unsafe",
    "ambiguous",
    "no-match",
    "no-mask",
    "bad-mask",
    "internal-error",
]
SkippedReason = Literal[
    "unsupported-format",
    "unsupported-samples",
    "animated",
    "special-file",
    "symlink-outside",
    "symlink-loop",
    "label-mask",
    "labels",
]


_LONGEST_SHOWN = 80
_LONGEST_MESSAGE = 1000
_LONGEST_BUG = 200
_ADDRESS = re.compile(r"\b0x[0-9a-f]{6,16}\b")


def shown(value: object, longest: int = _LONGEST_SHOWN) -> str:
    """Return what a file holds as a message may show it: the middle of a long text left out, no half characters."""
    try:
        text = str(value)
    except (ValueError, RecursionError):
        # an integer of thousands of digits, lists in lists in lists
        text = f"a {type(value).__name__} too large to show"
    if len(text) > longest:
        end = longest // 3
        text = f"{text[: longest - end - 3]}...{text[-end:]}"
    return text.encode("utf-8", "backslashreplace").decode()


class NoisecliError(Exception):
    """Anything noisecli says in one line instead of a traceback."""

    exit_status = 3


class Refused(NoisecliError):
    """Refused before any work: usage, collisions, a destination that is not ours."""

    exit_status = 2


class Stopped(NoisecliError):
    """Stopped on the way: too many failures, disk full, another run holds the destination."""

    exit_status = 3


class FileProblem(NoisecliError):
    """One file cannot be done; the others can.

    Parameters
    ----------
    reason
        A fixed word, the same in every version, for programs.
    message
        What happened and what to do, one line without the file's name, for people. Names out of a file go through
        shown() first; what others say of it, a library's words above all, is held to a length here.
    """

    exit_status = 1
    status: Literal["failed", "skipped"]

    def __init__(self, reason: str, message: str) -> None:
        self.reason = reason
        self.message = shown(message, _LONGEST_MESSAGE)
        super().__init__(reason, self.message)

    def __str__(self) -> str:
        return self.message


class FileFailed(FileProblem):
    """The file is broken, unreadable, or cannot be written as asked."""

    status = "failed"

    def __init__(self, reason: FailedReason, message: str) -> None:
        super().__init__(reason, message)


class FileSkipped(FileProblem):
    """The file is valid, and of a kind that is left alone on purpose."""

    status = "skipped"

    def __init__(self, reason: SkippedReason, message: str) -> None:
        super().__init__(reason, message)


def message_of_bug(error: BaseException) -> str:
    """Return the message of a bug of ours: the same words in every process."""
    try:
        said = one_line(_ADDRESS.sub("0x...", str(error)), _LONGEST_BUG)
    except Exception:
        said = ""
    what = f"{type(error).__name__}: {said}" if said else type(error).__name__
    return f"an error of noisecli, not of your file ({what}): please report it; -v shows more"


def trace_of(error: BaseException) -> str:
    """Return an error's traceback as text, whatever state it left us in."""
    import traceback

    try:
        return "".join(traceback.format_exception(error))
    except Exception:
        return f"{type(error).__name__}, whose traceback cannot be shown\n"


def one_line(text: str, longest: int) -> str:
    """Return what an error says as one printable line: it may quote a file, at any length."""
    line = " ".join(text[: 2 * longest].split())
    line = line if len(line) <= longest else line[: longest - 3] + "..."
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)
