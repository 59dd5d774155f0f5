"""What the words `noisecli` and `python -m noisecli` run."""

import os
import signal
import sys
import warnings
from contextlib import suppress
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line; the workers' server loads beside it."""
    _read_names_as_utf8()
    _open_standard_streams()
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    # ^C while modules load ends us without a traceback; the command line takes it from there
    if signal.getsignal(signal.SIGINT) == signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    if len(sys.argv) > 4:
        start_early(sys.argv[1:])
    from noisecli.cli import main as run

    run()


def start_early(words: list[str]) -> None:
    """Start the workers' server where the command is one of a kind that is made from files."""
    from noisecli.engines import forkserver
    from noisecli.kinds import KINDS

    kind = KINDS.get(words[0])
    if kind is not None and kind.has_sources:
        forkserver.start_early(words[1:], kind.modules)


def _open_standard_streams() -> None:
    """Keep 0, 1 and 2 from going to the next files opened: what libraries print would be written into these.

    Python has noted by now which of the streams are closed; workers inherit the descriptors.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            # the lowest free number is this one
            with suppress(OSError):
                os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)


def _read_names_as_utf8() -> None:
    """Start again in Python's UTF-8 mode where the locale has another encoding, in which most names cannot be spelled.

    What is printed stays in the locale's encoding.
    """
    if sys.getfilesystemencoding() == "utf-8" or not sys.executable or "utf8" in sys._xoptions:
        return
    encoding = getattr(sys.stderr, "encoding", None) or "ascii"
    os.environ.setdefault("PYTHONIOENCODING", f"{encoding}:backslashreplace")
    with suppress(OSError):
        os.execv(sys.executable, [sys.orig_argv[0], "-X", "utf8", *sys.orig_argv[1:]])


if __name__ == "__main__":
    main()
