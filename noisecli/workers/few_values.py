"""The job of finding images of few values: label masks have one for each class."""

import contextlib
from collections.abc import Iterable
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from noisecli.codecs import Codec
from noisecli.engines.process import time_limit
from noisecli.errors import Stopped
from noisecli.settings import Settings
from noisecli.storage import folder_at
from noisecli.workers.worker import load_codec, prepare_process

MOST_VALUES = 64
_PIXELS_A_VALUE = 8
"""A picture of 8 x 8 has few values, whatever it shows."""
_SAMPLE = 4096


class Looking:
    """Looks at images in one worker process."""

    def __init__(self, settings: Settings) -> None:
        prepare_process(settings.running.jobs)
        self._running, self._folder = settings.running, folder_at(settings.source)
        self._codec = cast(Codec, load_codec(settings.kind))

    def work(self, names: list[str]) -> dict[str, int]:
        """Return how many values those images have that have few."""
        counts = ((name, self._count(name)) for name in names)
        return {name: count for name, count in counts if count is not None}

    def _count(self, name: str) -> int | None:
        limits = self._running.limits
        try:
            with (
                time_limit(self._running.timeout),
                self._folder.open(name, limits.max_bytes) as file,
                contextlib.closing(self._codec.open_source(file, limits)) as source,
            ):
                return count_values(source.blocks())
        except Stopped:
            raise
        except Exception:
            # whoever processes it says what is wrong
            return None


def count_values(images: Iterable[NDArray[Any]]) -> int | None:
    """Return how many values, or colours, images have together; None where they are not few."""
    found: set[int] = set()
    pixels = 0
    for image in images:
        packed = _packed(image)
        if packed is None or len(np.unique(packed[:: max(1, len(packed) // _SAMPLE)])) > MOST_VALUES:
            return None
        pixels += len(packed)
        # a mask is even: what differs from the value before it is little to sort
        changes = packed[np.flatnonzero(packed[1:] != packed[:-1]) + 1]
        found.update(np.unique(changes).tolist(), packed[:1].tolist())
        if len(found) > MOST_VALUES:
            return None
    return len(found) if len(found) * _PIXELS_A_VALUE <= pixels else None


def _packed(image: NDArray[Any]) -> NDArray[Any] | None:
    """Return each pixel's channels as one integer; None for floats, which are no indices."""
    if image.dtype.kind not in "ui":
        return None
    if image.ndim == 2:
        return image.reshape(-1)
    packed = np.zeros(image.shape[:2], np.uint64)
    for channel in range(image.shape[2]):
        packed <<= np.uint64(16)
        packed |= image[..., channel].astype(np.uint64)
    return packed.reshape(-1)
