"""Standard output, written to its last byte, or an error."""

import os
import sys
from collections.abc import Iterable

from noisecli.errors import Stopped


def print_whole(blocks: Iterable[bytes]) -> None:
    """Print to standard output to the last byte. Raises Stopped where it is full or gone; a closed pipe is no error."""
    try:
        for block in blocks:
            sys.stdout.buffer.write(block)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        # what is left in the buffer would fail once more at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise Stopped(f"standard output cannot be written: {error.strerror}") from error
