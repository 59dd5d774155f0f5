"""How loud the parts of an audio file are that are not silence.

Reddy, C. K. A. et al. (2020), The INTERSPEECH 2020 Deep Noise Suppression Challenge: a window counts where it is above
a level of full scale.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

_WINDOWS_PER_SECOND = 10
_SILENCE_DBFS = -50.0


class ActiveRms:
    """Root mean square over the windows of 100 ms that are above -50 dBFS, all channels together; DC included.

    Parameters
    ----------
    sample_rate
        Frames per second.
    full_scale
        The native value that is 0 dBFS.
    """

    def __init__(self, sample_rate: int, full_scale: float) -> None:
        self._frames = max(sample_rate // _WINDOWS_PER_SECOND, 1)
        self._least = full_scale * full_scale * 10 ** (_SILENCE_DBFS / 10)
        self._rest: NDArray[Any] | None = None
        self._active, self._all = (0.0, 0), (0.0, 0)

    def note(self, block: NDArray[Any]) -> None:
        """Add a block, (frames, channels); blocks of any size give the same."""
        frames = block if self._rest is None else np.concatenate([self._rest, block])
        whole = len(frames) - len(frames) % self._frames
        self._rest = frames[whole:].copy()
        if whole:
            self._note_windows(frames[:whole].reshape(whole // self._frames, -1))

    def _note_windows(self, windows: NDArray[Any]) -> None:
        x = windows.astype(np.float64)
        finite = np.isfinite(x)
        numbers = finite.sum(axis=1)
        with np.errstate(over="ignore"):
            squares = np.square(np.where(finite, x, 0.0)).sum(axis=1)
        for square, number in zip(squares.tolist(), numbers.tolist(), strict=True):
            self._all = self._all[0] + square, self._all[1] + number
            if square > self._least * number:
                self._active = self._active[0] + square, self._active[1] + number

    @property
    def value(self) -> float:
        """The RMS of what was added, the last window as long as it is: of all of it, where none is active."""
        if self._rest is not None and self._rest.size:
            self._note_windows(self._rest.reshape(1, -1))
            self._rest = None
        squares, number = self._active if self._active[1] else self._all
        return math.sqrt(squares / number) if number else 0.0
