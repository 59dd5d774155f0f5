"""A table of 64 features: noise on the features in training, none on the labels, for sensors that are noisy later."""

import numpy as np
from common import Figures, Floats, Labels, Path, Recipe, Work, digits, main
from models import accuracy, classifier, fit


def read_tables(folder: Path) -> tuple[Floats, Labels]:
    """Return features and labels of all files of a folder."""
    tables = [np.load(file) for file in sorted(folder.glob("*.npz"))]
    return np.concatenate([table["x"] for table in tables]), np.concatenate([table["y"] for table in tables])


def run(work: Work) -> Figures:
    data = digits(work.seed)
    for name, x, y in (("train", data.x, data.y), ("test", data.test_x, data.test_y)):
        (work / name).mkdir()
        np.savez(work / name / f"{name}.npz", x=x.reshape(-1, 64).astype(np.float32) / 255, y=y)
    work.noisecli("arrays", "train", "noisy", "--std", "100%", "--per-feature", "--copies", "5")
    work.noisecli("arrays", "test", "noisy-test", "--std", "100%", "--per-feature")

    without = fit(classifier(), *read_tables(work / "train"), steps=600)
    trained = fit(classifier(), *read_tables(work / "noisy"), steps=600)
    tests = {"clean": read_tables(work / "test"), "noisy": read_tables(work / "noisy-test")}
    figures = {f"without_{name}": accuracy(without, *test) for name, test in tests.items()}
    return figures | {f"trained_{name}": accuracy(trained, *test) for name, test in tests.items()}


RECIPE = Recipe(
    use="Table of features",
    bought="accuracy on features as noisy again as they vary: {without_noisy:.1%} → {trained_noisy:.1%};"
    " on clean ones: {without_clean:.1%} → {trained_clean:.1%}",
    run=run,
)

if __name__ == "__main__":
    main(RECIPE)
