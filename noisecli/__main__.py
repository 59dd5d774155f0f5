"""What the words `noisecli` and `python -m noisecli` run."""

import signal
import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line; the workers' server loads beside it."""
    # ^C while modules load ends us without a traceback; the command line takes it from there
    if signal.getsignal(signal.SIGINT) == signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    if len(sys.argv) > 4:
        from noisecli.run.server import start_early

        start_early(sys.argv[1:])
    from noisecli.cli import main as run

    run()


if __name__ == "__main__":
    main()
