"""Draw the little landscapes of sample_data: boats at sea and balloons over hills.

A picture is a float array of shape (height, width, 3), RGB, 0..1. Everything is drawn three times too large and
averaged down, so edges are smooth. Drawing tells where things are: a box (left, top, right, bottom) in pixels for each.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float32]
Box = tuple[int, int, int, int]
Colour = tuple[str, ...]

OVERSAMPLING = 3


@dataclass(frozen=True)
class Thing:
    """A boat or a balloon: where its foot stands and how high it is, as shares of the picture's size."""

    x: float
    foot: float
    height: float
    colours: Colour


@dataclass(frozen=True)
class Scene:
    """Everything that decides a picture's pixels."""

    kind: str
    width: int
    height: int
    seed: int
    sky: Colour
    ground: Colour
    sun: tuple[float, float]
    things: tuple[Thing, ...]
    horizon: float
    cloudiness: float


def draw(scene: Scene) -> tuple[Picture, list[Box]]:
    """Draw a scene; say where its things ended up."""
    large = replace(scene, width=scene.width * OVERSAMPLING, height=scene.height * OVERSAMPLING)
    randomness = np.random.default_rng(scene.seed)
    canvas = draw_sky(large, randomness)
    draw_ground = {"boats": draw_sea, "balloons": draw_hills}[scene.kind]
    draw_ground(canvas, large, randomness)
    boxes = [draw_thing(canvas, scene.kind, thing) for thing in scene.things]
    return shrink(canvas), boxes


def draw_sticker(size: int, thing: Thing) -> NDArray[np.float32]:
    """Draw one balloon, cut out: shape (size, size, 4), RGB and alpha, with a soft half transparent rim."""
    large = size * OVERSAMPLING
    canvas = np.zeros((large, large, 3), np.float32)
    coverage = paint_balloon(canvas, thing)
    rim = cv2.GaussianBlur(coverage, (0, 0), large / 40)
    alpha = np.maximum(coverage, 0.6 * rim)
    canvas[coverage == 0] = rgb("#fff4d6")
    canvas[alpha < 1 / 255] = 0
    return shrink(np.dstack([canvas, alpha]))


def shrink(canvas: Picture) -> Picture:
    """Average OVERSAMPLING x OVERSAMPLING pixels into one."""
    height, width = canvas.shape[0] // OVERSAMPLING, canvas.shape[1] // OVERSAMPLING
    blocks = canvas.reshape(height, OVERSAMPLING, width, OVERSAMPLING, -1)
    small: Picture = blocks.mean(axis=(1, 3), dtype=np.float32)
    clipped: Picture = np.clip(small, 0, 1)
    return clipped


def rgb(colour: str) -> Picture:
    """`#ff8000` as three floats."""
    return np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)], np.float32)


def fractal(randomness: np.random.Generator, height: int, width: int, cells: tuple[int, int], octaves: int) -> Picture:
    """Cloudy noise in -1..1, shape (height, width): random grids, each twice as fine and half as strong."""
    total = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        grid = randomness.random((cells[0] << octave, cells[1] << octave), np.float32) * 2 - 1
        total += cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC) / 2**octave
    return np.clip(total, -1, 1)


def ramp(colours: Colour, height: int, width: int) -> Picture:
    """Colours from top to bottom, evenly spaced, shape (height, width, 3)."""
    stops = np.array([rgb(colour) for colour in colours])
    at = np.linspace(0, len(stops) - 1, height)
    column = np.stack([np.interp(at, range(len(stops)), stops[:, channel]) for channel in range(3)], axis=-1)
    return np.repeat(column[:, None].astype(np.float32), width, axis=1)


def blend(canvas: Picture, coverage: Picture, colour: Picture) -> None:
    """Lay a colour over the canvas where coverage is above 0."""
    rows, columns = np.flatnonzero(coverage.any(axis=1)), np.flatnonzero(coverage.any(axis=0))
    if rows.size:
        area = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        canvas[area] += coverage[area][..., None] * (np.broadcast_to(colour, canvas.shape)[area] - canvas[area])


def draw_sky(scene: Scene, randomness: np.random.Generator) -> Picture:
    """A coloured gradient, the sun with its glow, clouds."""
    height, width = scene.height, scene.width
    horizon = int(height * scene.horizon)
    canvas = ramp((*scene.sky, scene.sky[-1]), height, width)
    canvas[:horizon] = ramp(scene.sky, horizon, width)
    clouds = fractal(randomness, height, width, (5, 3), 5)
    fading = np.linspace(1, 0, height, dtype=np.float32)[:, None]
    blend(canvas, np.clip(clouds * 1.6 - 0.9 + scene.cloudiness, 0, 0.8) * fading, rgb("#fffaf2"))
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    distance = np.hypot(columns - scene.sun[0] * width, rows - scene.sun[1] * height) / height
    blend(canvas, 0.55 * np.exp(-distance * 5), rgb("#fff0c0"))
    blend(canvas, np.clip((0.06 - distance) * height / 2, 0, 1), rgb("#fffbe6"))
    return canvas


def draw_sea(canvas: Picture, scene: Scene, randomness: np.random.Generator) -> None:
    """Water from the horizon down: waves that grow towards the eye, a glittering path under the sun."""
    horizon = int(scene.height * scene.horizon)
    depth = scene.height - horizon
    near = np.linspace(0, 1, depth, dtype=np.float32)[:, None]
    waves = fractal(randomness, 4 * depth, scene.width, (64, 8), 4)
    rows = (4 * depth - 1) * (1 - (1 - near[:, 0]) ** 2) ** 0.5
    waves = waves[rows.astype(np.int64)]
    water = ramp(scene.ground, depth, scene.width)
    water += (0.05 + 0.13 * near)[..., None] * waves[..., None]
    columns = np.arange(scene.width, dtype=np.float32) / scene.width
    path = np.exp(-(((columns - scene.sun[0]) / (0.04 + 0.12 * near)) ** 2))
    blend(water, np.clip(path * (waves * 2.2 + 0.35), 0, 0.85), rgb("#fff3cf"))
    canvas[horizon:] = water


def draw_hills(canvas: Picture, scene: Scene, randomness: np.random.Generator) -> None:
    """Ridge behind ridge, the nearer the darker and the rougher."""
    height, width = scene.height, scene.width
    rows = np.arange(height, dtype=np.float32)[:, None]
    for number, colour in enumerate(scene.ground):
        share = number / max(1, len(scene.ground) - 1)
        profile = fractal(randomness, 1, width, (1, 3 + number), 4)[0]
        ridge = height * (scene.horizon + share * (0.85 - scene.horizon) + (0.09 - 0.03 * share) * profile)
        grass = fractal(randomness, height, width, (24, 12), 3) * (0.03 + 0.11 * share)
        light = np.clip((rows - ridge) / height, 0, 0.3)
        blend(canvas, np.clip(rows - ridge, 0, 1), rgb(colour) + (grass + 0.25 * light)[..., None])


def draw_thing(canvas: Picture, kind: str, thing: Thing) -> Box:
    """Paint a thing; its box in pixels of the finished picture, right and bottom just outside of it."""
    paint = {"boats": paint_boat, "balloons": paint_balloon}[kind]
    covered = paint(canvas, thing) > 0
    rows, columns = np.flatnonzero(covered.any(axis=1)), np.flatnonzero(covered.any(axis=0))
    left, top = int(columns[0]) // OVERSAMPLING, int(rows[0]) // OVERSAMPLING
    return left, top, int(columns[-1]) // OVERSAMPLING + 1, int(rows[-1]) // OVERSAMPLING + 1


def polygon(canvas: Picture, thing: Thing, points: list[tuple[float, float]]) -> Picture:
    """Coverage of a polygon given in units of the thing's height, y upwards from its foot, x from its middle."""
    height, width = canvas.shape[:2]
    scale = thing.height * height
    corners = [(thing.x * width + x * scale, thing.foot * height - y * scale) for x, y in points]
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [np.rint(corners).astype(np.int32)], 1)
    return mask.astype(np.float32)


def paint_boat(canvas: Picture, thing: Thing) -> Picture:
    """Hull, mast and two sails; what was covered. The reflection in the water is painted first and not counted."""
    parts = {
        "hull": [(-0.42, 0.14), (0.46, 0.17), (0.3, 0.0), (-0.33, 0.0)],
        "stripe": [(-0.42, 0.14), (0.46, 0.17), (0.436, 0.14), (-0.4, 0.11)],
        "mast": [(-0.015, 0.14), (0.015, 0.14), (0.015, 1.0), (-0.015, 1.0)],
        "main sail": [(-0.04, 0.2), (-0.36, 0.2), (-0.22, 0.5), (-0.04, 0.97)],
        "seam": [(-0.04, 0.42), (-0.27, 0.42), (-0.22, 0.5), (-0.04, 0.5)],
        "jib": [(0.04, 0.22), (0.4, 0.22), (0.22, 0.52), (0.04, 0.86)],
    }
    hull, sail, accent = (rgb(colour) for colour in thing.colours)
    tints = [hull, accent, rgb("#4a3426"), sail, accent, 0.88 * sail]
    covered = np.zeros(canvas.shape[:2], np.float32)
    for points, tint in zip(parts.values(), tints, strict=True):
        mirrored = [(x + 0.015 * np.sin(40 * y), -0.6 * y) for x, y in points]
        blend(canvas, 0.35 * polygon(canvas, thing, mirrored), 0.8 * tint)
    for points, tint in zip(parts.values(), tints, strict=True):
        coverage = polygon(canvas, thing, points)
        blend(canvas, coverage, tint)
        covered = np.maximum(covered, coverage)
    return covered


def paint_balloon(canvas: Picture, thing: Thing) -> Picture:
    """Envelope in coloured gores, lit from the upper left; ropes and basket; what was covered."""
    height, width = canvas.shape[:2]
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    scale = thing.height * height
    x, y = (columns - thing.x * width) / scale, (thing.foot * height - rows) / scale
    radius = envelope_radius(y)
    across = np.clip(x / np.maximum(radius, 1e-6), -1, 1)
    gores = np.floor((np.arcsin(across) / np.pi + 0.5) * 8.999).astype(np.int64) % len(thing.colours)
    light = 0.72 + 0.3 * np.sqrt(1 - across**2) - 0.22 * across + 0.25 * (y - 0.65)
    coverage: Picture = (np.abs(x) < radius).astype(np.float32)
    palette = np.array([rgb(colour) for colour in thing.colours])
    blend(canvas, coverage, np.clip(palette[gores] * light[..., None], 0, 1))
    for points, tint in (
        ([(-0.085, 0.25), (-0.07, 0.25), (-0.05, 0.1), (-0.065, 0.1)], "#5d4a36"),
        ([(0.085, 0.25), (0.07, 0.25), (0.05, 0.1), (0.065, 0.1)], "#5d4a36"),
        ([(-0.075, 0.12), (0.075, 0.12), (0.06, 0.0), (-0.06, 0.0)], "#8a5a2b"),
        ([(-0.08, 0.12), (0.08, 0.12), (0.08, 0.095), (-0.08, 0.095)], "#c89b5c"),
    ):
        part = polygon(canvas, thing, points)
        blend(canvas, part, rgb(tint))
        coverage = np.maximum(coverage, part)
    return coverage


def envelope_radius(y: Picture) -> Picture:
    """Half the width of a balloon's envelope at height y (0 foot, 1 top): a ball above, a cone down to the mouth."""
    ball = np.sqrt(np.clip(0.36**2 - (y - 0.64) ** 2, 0, None))
    cone = 0.085 + (y - 0.24) * (0.31 - 0.085) / (0.46 - 0.24)
    radius: Picture = np.where(y >= 0.46, ball, np.where(y >= 0.24, cone, 0)).astype(np.float32)
    return radius
