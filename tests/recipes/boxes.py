"""A detector trained on a noisy copy of pictures with YOLO labels beside them: noise moves no box."""

import cv2
import numpy as np
from common import Bytes, Figures, Floats, Path, Recipe, Work, digits, main, unit
from models import fit, keras, predict

CANVAS = 24


def write_scenes(folder: Path, pictures: Bytes, copies: int, seed: int) -> None:
    """Paste each digit somewhere on an empty canvas, in some size, and write its box beside it as YOLO does."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    for number, digit in enumerate(np.repeat(pictures, copies, axis=0)):
        width, height = rng.integers(6, 13, 2)
        left, top = rng.integers(0, CANVAS - width + 1), rng.integers(0, CANVAS - height + 1)
        scene = np.full((CANVAS, CANVAS), 40, np.uint8)
        scene[top : top + height, left : left + width] = np.maximum(40, cv2.resize(digit, (int(width), int(height))))
        box = np.array([left + width / 2, top + height / 2, width, height]) / CANVAS
        name = f"{folder.name}-{number:05}"
        cv2.imwrite(str(folder / f"{name}.png"), scene)
        (folder / f"{name}.txt").write_text("0 " + " ".join(f"{side:.6f}" for side in box) + "\n")


def read_scenes(folder: Path) -> tuple[Floats, Floats]:
    """Return pictures and the boxes in the label files beside them, as centre, width and height in 0..1."""
    files = sorted(folder.glob("*.png"))
    x = np.stack([cv2.imread(str(file), cv2.IMREAD_GRAYSCALE) for file in files])
    boxes = [file.with_suffix(".txt").read_text().split()[1:] for file in files]
    return unit(x), np.array(boxes, np.float32)


def detector() -> keras.Model:
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Conv2D(16, 5, strides=2, padding="same", activation="relu"),
            layers.Conv2D(32, 3, strides=2, padding="same", activation="relu"),
            layers.Flatten(),
            layers.Dense(96, activation="relu"),
            layers.Dense(4, activation="sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.002), "mse")
    return model


def mean_iou(model: keras.Model, x: Floats, boxes: Floats) -> float:
    """Return the mean of intersection over union of the boxes found and the true ones."""
    found = predict(model, x)
    low = np.maximum(found[:, :2] - found[:, 2:] / 2, boxes[:, :2] - boxes[:, 2:] / 2)
    high = np.minimum(found[:, :2] + found[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2)
    shared = np.prod(np.clip(high - low, 0, None), axis=1)
    return float(np.mean(shared / (found[:, 2:].prod(axis=1) + boxes[:, 2:].prod(axis=1) - shared)))


def run(work: Work) -> Figures:
    data = digits(work.seed)
    write_scenes(work / "scenes/train", data.x, copies=2, seed=work.seed)
    write_scenes(work / "scenes/test", data.test_x, copies=1, seed=work.seed + 1_000_000)
    work.noisecli("images", "scenes", "noisy", "--std", "40", "--sidecars", "copy")
    tests = {"clean": read_scenes(work / "scenes/test"), "noisy": read_scenes(work / "noisy/test")}
    without = fit(detector(), *read_scenes(work / "scenes/train"), steps=500)
    trained = fit(detector(), *read_scenes(work / "noisy/train"), steps=500)
    figures = {f"without_{name}": mean_iou(without, *test) for name, test in tests.items()}
    return figures | {f"trained_{name}": mean_iou(trained, *test) for name, test in tests.items()}


RECIPE = Recipe(
    use="Detector, with copied boxes",
    bought="mean IoU on noisy scenes: {without_noisy:.2f} → {trained_noisy:.2f};"
    " on clean ones: {without_clean:.2f} → {trained_clean:.2f}",
    run=run,
)

if __name__ == "__main__":
    main(RECIPE)
