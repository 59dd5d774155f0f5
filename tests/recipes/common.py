"""What the recipes share: real data, noisecli run as a command, figures told as a line or as JSON."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Labels = NDArray[np.int64]
Figures = dict[str, float]


@dataclass
class Recipe:
    """One use of noise.

    `bought` says what came of it, with the names of the figures in braces: `{trained:.1%}`.
    """

    use: str
    bought: str
    run: Callable[[Work], Figures]


@dataclass
class Work:
    """An empty folder to work in, a seed, and the command lines run so far."""

    folder: Path
    seed: int
    commands: list[str] = field(default_factory=list)

    def noisecli(self, *words: str | Path) -> None:
        """Run noisecli in the folder, with the seed; what is wrong is told on standard error and ends the recipe."""
        line = [str(word) for word in words]
        self.commands.append("noisecli " + " ".join(line))
        options = ["--seed", str(self.seed), "--quiet", "--jobs", "1"]
        subprocess.run([sys.executable, "-m", "noisecli", *line, *options], cwd=self.folder, check=True)

    def __truediv__(self, name: str) -> Path:
        return self.folder / name


def measured(recipe: Recipe, seed: int) -> tuple[Figures, list[str]]:
    """Run a recipe with everything drawn from one seed; return its figures and the command lines it ran."""
    if "models" in sys.modules:
        sys.modules["models"].keras.utils.set_random_seed(seed)
    with tempfile.TemporaryDirectory(prefix="recipe-") as folder:
        work = Work(Path(folder), seed)
        figures = {name: float(value) for name, value in recipe.run(work).items()}
        return figures, work.commands


def main(recipe: Recipe) -> None:
    """Run a recipe from the command line and say what noise bought."""
    parser = argparse.ArgumentParser(description=recipe.use)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print the figures as one JSON object")
    args = parser.parse_args()
    figures, commands = measured(recipe, args.seed)
    if args.json:
        print(json.dumps({"use": recipe.use, "commands": commands, "figures": figures}))
        return
    print(f"{recipe.use}, seed {args.seed}")
    for line in commands:
        print(f"  {line}")
    print(f"  {recipe.bought.format(**figures)}")


@dataclass(frozen=True)
class Split:
    """Pictures or features and their labels, for training and for the test, which no training ever sees."""

    x: NDArray[Any]
    y: Labels
    test_x: NDArray[Any]
    test_y: Labels


def digits(seed: int, train: int = 1000) -> Split:
    """Return scikit-learn's 1,797 digits, written by 43 people, as grey pictures of 8x8 pixels in 0..255, uint8."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    x, y = load_digits(return_X_y=True)
    pictures = np.rint(x * (255 / 16)).astype(np.uint8).reshape(-1, 8, 8)
    first, second, first_y, second_y = train_test_split(
        pictures, y.astype(np.int64), train_size=train, stratify=y, random_state=seed
    )
    return Split(first, first_y, second, second_y)


def patches(size: int = 16) -> tuple[Bytes, Bytes]:
    """Return grey squares of scikit-learn's two photographs, n x size x size, uint8: of the left for training.

    The right third is for the test, with a gap of one square between.
    """
    from sklearn.datasets import load_sample_image

    left, right = [], []
    for name in ("china.jpg", "flower.jpg"):
        grey = cv2.cvtColor(load_sample_image(name), cv2.COLOR_RGB2GRAY)
        rows, columns = (length // size for length in grey.shape)
        cut = grey[: rows * size, : columns * size].reshape(rows, size, columns, size).transpose(2, 0, 1, 3)
        gap = columns * 2 // 3
        left.append(cut[:gap].reshape(-1, size, size))
        right.append(cut[gap + 1 :].reshape(-1, size, size))
    return np.concatenate(left), np.concatenate(right)


def write_pictures(folder: Path, pictures: Bytes, labels: Labels | None = None) -> None:
    """Write PNGs; with labels, into a folder for each class, as Keras and torchvision read them.

    A file's path is part of the key of its noise, so the folder's name stands in it: no picture of the test may get
    the very noise that a picture of the training got.
    """
    for number, picture in enumerate(pictures):
        place = folder if labels is None else folder / str(labels[number])
        place.mkdir(parents=True, exist_ok=True)
        if not cv2.imwrite(str(place / f"{folder.name}-{number:05}.png"), picture):
            raise OSError(f"{place}: cannot write picture {number}")


def read_pictures(folder: Path) -> tuple[Floats, Labels]:
    """Return all PNGs of class folders as n x height x width x 1 in 0..1, float32, and their classes' numbers."""
    files = sorted(folder.rglob("*.png"), key=lambda file: file.name)
    x = np.stack([cv2.imread(str(file), cv2.IMREAD_GRAYSCALE) for file in files])
    named = [file.parent.name for file in files]
    return unit(x), np.array([int(name) if name.isdigit() else -1 for name in named])


def unit(pictures: Bytes) -> Floats:
    """Return pictures in 0..1, float32, with a channel axis."""
    return (pictures[..., None] / np.float32(255)).astype(np.float32)


def rows_of(manifest: Path) -> list[dict[str, Any]]:
    """Return the rows of a manifest."""
    return [json.loads(line) for line in manifest.read_text().splitlines()]
