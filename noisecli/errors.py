"""The error tree. Every class carries the exit status it means; cli/ turns it into one in a single place."""

from typing import Literal

FailedReason = Literal[
    "empty",
    "truncated",
    "corrupt",
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
    "internal-error",
]
SkippedReason = Literal[
    "unsupported-format",
    "unsupported-samples",
    "animated",
    "special-file",
    "symlink-outside",
    "symlink-loop",
]


_LONGEST_SHOWN = 80
_LONGEST_MESSAGE = 1000


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
    """The file is sound, and of a kind that is left alone on purpose."""

    status = "skipped"

    def __init__(self, reason: SkippedReason, message: str) -> None:
        super().__init__(reason, message)
