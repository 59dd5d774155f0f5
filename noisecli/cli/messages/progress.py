"""The progress bar."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from noisecli.cli.terminal import TERMINAL
from noisecli.kinds import KINDS

Begin = Callable[[int], Callable[[int], None]]


@contextmanager
def progress_bar(options: Mapping[str, Any], kind: str) -> Iterator[Begin]:
    """Yield what begins a bar of so many steps; `auto` is silent off a terminal."""
    bars: list[Any] = []

    def begin(total: int) -> Callable[[int], None]:
        if options["quiet"] or options["progress"] == "never":
            return lambda settled: None
        from tqdm import tqdm

        silent = options["progress"] == "auto" and not TERMINAL.isatty()
        unit = KINDS[kind].noun if kind in KINDS else kind
        bars.append(tqdm(total=total, unit=unit, disable=silent, leave=False, file=TERMINAL, dynamic_ncols=True))
        update: Callable[[int], None] = bars[0].update
        return update

    try:
        yield begin
    finally:
        for bar in bars:
            bar.close()
