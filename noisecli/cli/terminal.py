"""The one place that writes to standard error. What comes from files, names and libraries cannot act on a terminal."""

import contextlib
import io
import os
import sys

_LONGEST = 4000
_KEPT_END = 1000
_HARMLESS = "\u200c\u200d"
"""Joiners inside of words and emoji: invisible, and harmless."""
_ACTING = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Controls, bidi overrides and other invisible marks, lone surrogates, separators of lines and paragraphs."""


def visible(text: str) -> str:
    r"""Return a text on one line, in which all that a terminal would act on is spelled, as \x1b is."""
    if text.isprintable():
        return text
    return "".join(_escaped(letter) if acts(letter) else letter for letter in text)


def acts(letter: str) -> bool:
    """Whether a terminal may do something else than show a letter."""
    if letter.isprintable() or letter in _HARMLESS:
        return False
    import unicodedata

    return unicodedata.category(letter) in _ACTING


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")


def say(line: str) -> None:
    """Write one line to standard error, whatever it holds; the middle of an endless one is left out."""
    if len(line) > _LONGEST:
        left_out = len(line) - _LONGEST
        line = f"{line[: _LONGEST - _KEPT_END]}[... {left_out:,} characters ...]{line[-_KEPT_END:]}"
    TERMINAL.write(f"{_no_command(visible(line))}\n")


def say_command(line: str) -> None:
    """Write one line that is a workflow command of GitHub's."""
    TERMINAL.write(f"{visible(line)}\n")


def _no_command(line: str) -> str:
    """Return a line that GitHub does not obey: a command begins a line, or in its older form stands anywhere."""
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return line
    line = f"\\x3a{line.lstrip()[1:]}" if line.lstrip().startswith("::") else line
    return line.replace("##[", "##\\x5b")


def say_block(text: str) -> None:
    """Write the lines of a traceback, marked so that none of them passes for a message of ours."""
    for line in text.rstrip("\n").split("\n"):
        say(f"| {line}")


class _Terminal:
    """Standard error as a file. Where it is closed, full or gone nothing is printed; the exit status stays."""

    @property
    def encoding(self) -> str:
        return getattr(sys.stderr, "encoding", None) or "ascii"

    def isatty(self) -> bool:
        return sys.stderr is not None and sys.stderr.isatty()

    def fileno(self) -> int:
        """Return the descriptor, of which the bar asks how wide it is. Raises OSError where there is none."""
        if sys.stderr is None:
            raise OSError("standard error is closed")
        return sys.stderr.fileno()

    def write(self, text: str) -> None:
        """Write at once, past any buffer: what is left in one would fail again at the very end."""
        with contextlib.suppress(OSError, ValueError):
            if isinstance(sys.stderr, io.StringIO):
                # a program that calls us, and reads what we say
                sys.stderr.write(text)
                return
            left = memoryview(text.encode(self.encoding, "backslashreplace"))
            while left:
                left = left[os.write(self.fileno(), left) :]

    def flush(self) -> None:
        """Do nothing: everything is out."""


TERMINAL = _Terminal()
