"""The job of finding images of few values: label masks have one for each class, or for each instance."""

import contextlib
from collections import Counter
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
"""Of classes."""
_MOST_OF_ANYTHING = 16
_PIXELS_A_VALUE, _PIXELS_A_CLASS = 8, 64
"""A picture of 8 x 8 has few values, whatever it shows; a digit of 28 x 28 has some 40."""
_PIXELS_ACROSS = 3
"""An instance is that wide, or wider: of a photograph nearly every pixel differs from the one before it."""
_EDGE = 8
"""From one instance to the next it is 1 / 8 of all values or more, most of the time; in a smooth photograph, few."""
_SAMPLE = 4096
_STEP_OF_8_BITS = 256
"""Between the values of 8 bits that were spread over 16."""


class Looking:
    """Looks at images in one worker process."""

    def __init__(self, settings: Settings) -> None:
        prepare_process(settings.running.jobs)
        self._running, self._folder = settings.running, folder_at(settings.source)
        self._codec = cast(Codec, load_codec(settings.kind))

    def work(self, suspects: list[tuple[str, bool]]) -> dict[str, int]:
        """Return how many values those images have that have few, or are of many instances where that may be."""
        counts = ((name, self._count(name, many=many)) for name, many in suspects)
        return {name: count for name, count in counts if count is not None}

    def _count(self, name: str, *, many: bool) -> int | None:
        limits = self._running.limits
        try:
            with (
                time_limit(self._running.timeout),
                self._folder.open(name, limits.max_bytes) as file,
                contextlib.closing(self._codec.open_source(file, limits)) as source,
            ):
                count = count_values(source.blocks())
                return count_instances(source.blocks()) if count is None and many else count
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
    each = _PIXELS_A_VALUE if len(found) <= _MOST_OF_ANYTHING else _PIXELS_A_CLASS
    return len(found) if len(found) * each <= pixels else None


def count_instances(images: Iterable[NDArray[Any]]) -> int | None:
    """Return how many values, or colours, images of more than MOST_VALUES have that are flat; None for all others.

    Grey of 8 bits is never called so, in whatever it is stored: a smooth photograph has long runs of its few values.
    """
    found: Counter[int] = Counter()
    runs = edges = 0
    for image in images:
        packed = _packed(image)
        if packed is None or _is_grey_of_8_bits(image):
            return None
        starts = np.append(0, np.flatnonzero(packed[1:] != packed[:-1]) + 1)
        if len(starts) * _PIXELS_ACROSS > len(packed):
            return None
        runs += len(starts)
        values, of_run = np.unique(packed[starts], return_inverse=True)
        edges += int((np.abs(np.diff(of_run)) * _EDGE >= len(values)).sum())
        pixels = np.bincount(of_run, np.diff(starts, append=len(packed)))
        found.update(dict(zip(values.tolist(), pixels.astype(int).tolist(), strict=True)))
    # what lies on one even ground may be a photograph all the same
    most, total = max(found.values(), default=0), found.total()
    is_flat = runs * _PIXELS_ACROSS <= total - most and len(found) * _PIXELS_A_CLASS <= total
    return len(found) if len(found) > MOST_VALUES and is_flat and edges * 2 >= runs else None


def _is_grey_of_8_bits(image: NDArray[Any]) -> bool:
    if image.ndim == 3 and image.shape[2] > 2:
        return bool((image[..., 0] == image[..., 1]).all() and (image[..., 1] == image[..., 2]).all())
    grey = image if image.ndim == 2 else image[..., 0]
    return grey.dtype.itemsize == 1 or int(np.gcd.reduce(grey, axis=None)) >= _STEP_OF_8_BITS


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
