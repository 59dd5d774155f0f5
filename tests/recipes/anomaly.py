"""A detector of noise: half of the patches get a little, the manifest says which, and that is the label."""

import cv2
import numpy as np
from common import Figures, Floats, Labels, Recipe, Work, main, patches, read_pictures, rows_of, write_pictures
from models import fit, keras, predict

MASK = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
"""Immerkaer's (1996): what is left of a picture when all that is smooth is gone."""


STEPS = 400


def residual(x: Floats) -> Floats:
    """Return each patch's response to the mask, without the rim that lacks neighbours; noise of std 1 has std 6."""
    return np.stack([cv2.filter2D(patch, -1, MASK)[1:-1, 1:-1] for patch in x])[..., None]


def network() -> keras.Model:
    """Return a small convolutional network from a residual to the chance that its patch is noisy."""
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Rescaling(10.0),
            layers.Conv2D(16, 3, activation="relu"),
            layers.Conv2D(16, 3, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(32, activation="relu"),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    decay = keras.optimizers.schedules.CosineDecay(0.003, STEPS)
    model.compile(keras.optimizers.Adam(decay), "binary_crossentropy")
    return model


def labelled(work: Work, part: str) -> tuple[Floats, Labels]:
    """Return the residuals of one part's patches and whether noise was added, as the manifest tells it."""
    rows = {row["file_name"]: row["applied"] for row in rows_of(work / "maybe/manifest.jsonl")}
    applied = [rows[name] for name in sorted(rows) if name.startswith(f"{part}/")]
    return residual(read_pictures(work / "maybe" / part)[0]), np.array(applied, np.int64)


def run(work: Work) -> Figures:
    from sklearn.metrics import roc_auc_score

    left, right = patches()
    write_pictures(work / "photos/train", left)
    write_pictures(work / "photos/test", right)
    work.noisecli("images", "photos", "maybe", "--std", "5", "--prob", "0.5")
    x, y = labelled(work, "test")
    model = fit(network(), *labelled(work, "train"), steps=STEPS)
    return {
        "classic": roc_auc_score(y, np.abs(x).mean(axis=(1, 2, 3))),
        "trained": roc_auc_score(y, predict(model, x)[:, 0]),
    }


RECIPE = Recipe(
    use="Anomaly detector, on clean-or-noisy labels",
    bought="ROC AUC at std 5, patches never seen: Immerkaer's estimate {classic:.3f}, trained detector {trained:.3f}",
    run=run,
)

if __name__ == "__main__":
    main(RECIPE)
