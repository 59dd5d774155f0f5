"""What is noised: generated once and kept, or cut from real pictures and speech where a folder of them is given."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import soundfile
from numpy.typing import NDArray
from race import say

PHOTOGRAPHS, REPEATS = 500, 4
WIDTH, HEIGHT = 481, 321
JPEG_QUALITY = 90
LONG_SOUNDS, LONG_SECONDS, LONG_RATE = 120, 30, 16_000
SHORT_SOUNDS, SHORT_FRAMES, SHORT_RATE = 3_000, 3_200, 8_000
HOURS = 2
SMALL_SIDE, SMALL_IN_FOLDER = 28, 1_000
TINY = 4

SLOPE, GRAIN = 1.2, 7.0
"""Generated photographs: amplitudes fall with frequency as 1/f^1.2; with this grain they make 75 kB at quality 90."""
_PICTURES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm"}
_SOUNDS = {".wav", ".flac", ".ogg", ".mp3", ".aiff"}

Picture = NDArray[np.uint8]
Sound = NDArray[np.int16]


class Data:
    """Folders of sources, made when they are asked for and kept between runs."""

    def __init__(self, root: Path, given: Path | None, *, quick: bool) -> None:
        self.given = given
        self._repeats = 1 if quick else REPEATS
        self._short_sounds = SHORT_SOUNDS // REPEATS if quick else SHORT_SOUNDS
        name = "generated"
        if given is not None:
            name = f"from-{given.name}-{hashlib.sha256(os.fsencode(given.resolve())).hexdigest()[:8]}"
        self.root = root / name

    def _made(self, name: str, make: Callable[[Path], None]) -> Path:
        folder = self.root / name
        if not folder.is_dir():
            say(f"making {name} in {self.root}")
            half = self.root / f".half-{name}"
            shutil.rmtree(half, ignore_errors=True)
            half.mkdir(parents=True)
            make(half)
            half.rename(folder)
        return folder

    def photographs(self) -> Path:
        """Return 500 JPEGs of 481x321, each there four times, or once in a quick run."""
        once = self._originals()
        return once if self._repeats == 1 else self._made("photographs-repeated", lambda to: _repeat(once, to))

    def tiny_photographs(self) -> Path:
        return self._made("tiny-photographs", lambda folder: _make_small(self._originals(), folder, TINY, ".jpg"))

    def long_sounds(self) -> Path:
        """Return 120 WAVs of 30 s, 16 kHz, PCM_16."""
        return self._made("long-sounds", self._make_long_sounds)

    def short_sounds(self) -> Path:
        """Return 3,000 WAVs of 0.4 s, 8 kHz, PCM_16, or a quarter of them in a quick run."""
        count = self._short_sounds
        return self._made(
            f"short-sounds-{count}", lambda folder: _cut(self._speech(), folder, count, SHORT_FRAMES, SHORT_RATE)
        )

    def tiny_sounds(self) -> Path:
        return self._made("tiny-sounds", lambda folder: _cut(self._speech(), folder, TINY, 16, SHORT_RATE))

    def hours(self) -> Path:
        """Return one WAV of two hours, 16 kHz, PCM_16."""
        return self._made("hours", self._make_hours)

    def small_pictures(self, count: int) -> Path:
        """Return grey PNGs of 28x28, a thousand in a folder."""
        name = f"small-pictures-{count}"
        return self._made(name, lambda folder: _make_small(self._originals(), folder, count, ".png"))

    def _originals(self) -> Path:
        return self._made("photographs", self._make_photographs)

    def _make_photographs(self, folder: Path) -> None:
        real = _files(self.given, _PICTURES)
        crops = _crops(real) if real else []
        if self.given is not None and not crops:
            say(f"no picture of {WIDTH}x{HEIGHT} or more in {self.given}: photographs are generated")
        for index in range(PHOTOGRAPHS):
            picture = crops[index] if crops else photograph(np.random.default_rng(index))
            cv2.imwrite(str(folder / f"photo-{index:03d}.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])

    def _speech(self) -> Sound:
        """Return one long row of samples: all sounds given, or a generated one."""
        real = [_mono(path) for path in _files(self.given, _SOUNDS)[:500]]
        if self.given is not None and not real:
            say(f"no sounds in {self.given}: they are generated")
        return np.concatenate(real) if real else babble(60 * LONG_RATE)

    def _make_long_sounds(self, folder: Path) -> None:
        _cut(self._speech(), folder, LONG_SOUNDS, LONG_SECONDS * LONG_RATE, LONG_RATE)

    def _make_hours(self, folder: Path) -> None:
        speech = _tiled(self._speech(), 60 * LONG_RATE)
        with soundfile.SoundFile(folder / "hours.wav", "w", LONG_RATE, 1, "PCM_16") as file:
            for _ in range(HOURS * 60):
                file.write(speech)


def _files(folder: Path | None, suffixes: set[str]) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in suffixes) if folder else []


def _crops(paths: list[Path]) -> list[Picture]:
    """Cut as many pieces as are needed, spread over all pictures that are large enough."""
    rng = np.random.default_rng(0)
    crops: list[Picture] = []
    chosen: list[Path] = [paths[i] for i in rng.permutation(len(paths))[: 2 * PHOTOGRAPHS]]
    while len(crops) < PHOTOGRAPHS:
        before = len(crops)
        for path in chosen:
            picture: Any = cv2.imread(str(path))
            if picture is None or picture.shape[0] < HEIGHT or picture.shape[1] < WIDTH:
                continue
            top, left = rng.integers(picture.shape[0] - HEIGHT + 1), rng.integers(picture.shape[1] - WIDTH + 1)
            crops.append(picture[top : top + HEIGHT, left : left + WIDTH].copy())
        if len(crops) == before:
            return []
    return crops[:PHOTOGRAPHS]


def _field(rng: np.random.Generator, slope: float) -> NDArray[np.float32]:
    """Return a field whose amplitudes fall with frequency as in photographs, mean 0 and std 1."""
    frequency = np.hypot(np.fft.fftfreq(HEIGHT)[:, None], np.fft.rfftfreq(WIDTH)[None])
    frequency[0, 0] = 1
    spectrum = rng.standard_normal(frequency.shape) + 1j * rng.standard_normal(frequency.shape)
    plane = np.fft.irfft2(spectrum * frequency**-slope, s=(HEIGHT, WIDTH))
    field: NDArray[np.float32] = ((plane - plane.mean()) / plane.std()).astype(np.float32)
    return field


def photograph(rng: np.random.Generator) -> Picture:
    """Return a picture with a photograph's statistics: texture at all scales, edges, grain, little colour."""
    luma = 128 + 45 * _field(rng, SLOPE)
    picture: Any = np.dstack([luma + 12 * _field(rng, 1.8) for _ in range(3)])
    for _ in range(10):
        layer = picture.copy()
        centre = (int(rng.integers(WIDTH)), int(rng.integers(HEIGHT)))
        axes = (int(rng.integers(5, 90)), int(rng.integers(5, 90)))
        colour = [float(value) for value in rng.integers(0, 256, 3)]
        cv2.ellipse(layer, centre, axes, float(rng.integers(180)), 0, 360, colour, -1, cv2.LINE_AA)
        picture = cv2.addWeighted(picture, 0.5, layer, 0.5, 0)
    picture += GRAIN * rng.standard_normal((HEIGHT, WIDTH, 1), dtype=np.float32)
    finished: Picture = np.clip(np.rint(picture), 0, 255).astype(np.uint8)
    return finished


def babble(frames: int) -> Sound:
    """Return something like speech: harmonics that come and go in syllables, with pauses."""
    rng = np.random.default_rng(0)
    time = np.arange(frames) / LONG_RATE
    pitch = np.cumsum(120 + 30 * np.sin(2 * np.pi * 0.7 * time)) / LONG_RATE
    voice = sum(np.sin(2 * np.pi * order * pitch) / order for order in range(1, 20))
    syllables = np.clip(np.sin(2 * np.pi * 2 * time) + np.sin(2 * np.pi * 0.3 * time), 0, None)
    breath = rng.standard_normal(frames) * 0.05
    speech: Sound = np.clip((voice * 4000 + breath * 4000) * syllables, -32768, 32767).astype(np.int16)
    return speech


def _mono(path: Path) -> Sound:
    samples: Sound = soundfile.read(path, dtype="int16", always_2d=True)[0][:, 0]
    return samples


def _tiled(speech: Sound, frames: int) -> Sound:
    return np.tile(speech, -(-frames // len(speech)))[:frames]


def _cut(speech: Sound, folder: Path, count: int, frames: int, rate: int) -> None:
    """Write so many pieces, each from another place of the speech, which starts anew where it ends."""
    rng = np.random.default_rng(0)
    for index, start in enumerate(rng.integers(len(speech), size=count)):
        piece = _tiled(np.roll(speech, -start)[:frames], frames)
        soundfile.write(folder / f"sound-{index:04d}.wav", piece, rate, subtype="PCM_16")


def _repeat(once: Path, folder: Path) -> None:
    """Link every file under several names."""
    for path in sorted(once.iterdir()):
        for repeat in range(REPEATS):
            os.link(path, folder / f"{path.stem}-{repeat}{path.suffix}")


def _make_small(photographs: Path, folder: Path, count: int, suffix: str) -> None:
    """Write small grey pieces of the photographs."""
    rng = np.random.default_rng(0)
    pictures: Any = [cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for path in sorted(photographs.glob("*.jpg"))]
    for index in range(count):
        below = folder / f"{index // SMALL_IN_FOLDER:03d}" if count > SMALL_IN_FOLDER else folder
        below.mkdir(exist_ok=True)
        top, left = rng.integers(HEIGHT - SMALL_SIDE), rng.integers(WIDTH - SMALL_SIDE)
        piece = pictures[index % len(pictures)][top : top + SMALL_SIDE, left : left + SMALL_SIDE]
        cv2.imwrite(str(below / f"small-{index:06d}{suffix}"), piece)
