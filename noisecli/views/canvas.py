"""What sheets are drawn on, and the few colours they use."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Canvas = NDArray[np.uint8]
"""Pixels (height, width, 3) in OpenCV's order: blue, green, red."""
Colour = tuple[int, int, int]

WHITE: Colour = (255, 255, 255)
INK: Colour = (34, 30, 26)
FAINT: Colour = (120, 112, 106)
LINE: Colour = (214, 210, 206)
CLEAN: Colour = (208, 196, 184)
CLEAN_WAVE: Colour = (130, 92, 52)
NOISY: Colour = (18, 96, 224)
WRONG: Colour = (40, 40, 190)


def blank(height: int, width: int) -> Canvas:
    """Return an empty canvas."""
    return np.full((height, width, 3), WHITE, np.uint8)


def paste(canvas: Canvas, image: Canvas, left: int, top: int) -> None:
    """Put an image on a canvas that has room for it."""
    height, width = image.shape[:2]
    canvas[top : top + height, left : left + width] = image


def triangle(canvas: Canvas, middle: int, top: int, height: int, colour: Colour) -> None:
    """Draw a triangle that points upwards, by its topmost pixel."""
    for row in range(height):
        canvas[top + row, middle - row : middle + row + 1] = colour


def enlarge(image: NDArray[Any], times: int) -> NDArray[Any]:
    """Make every pixel a square of so many: nothing is smoothed."""
    return image if times == 1 else image.repeat(times, axis=0).repeat(times, axis=1)


def ticks(low: float, high: float, most: int) -> list[float]:
    """Return at most so many round numbers between two others: 1, 2 or 5 times a power of ten apart."""
    span = high - low
    if not span > 0:
        return [low]
    step = 10.0 ** math.floor(math.log10(span / most))
    step = next(step * times for times in (1, 2, 5, 10, 20) if span / (step * times) < most)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [number * step for number in range(first, last + 1)]
