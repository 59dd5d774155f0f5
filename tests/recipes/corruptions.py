"""A classifier under the four noises of ImageNet-C: trained clean, on white noise, on a camera's, and on both at once.

No training sees a corruption. How strong each training noise is was chosen by the mean accuracy under all four, on 300
of the 1,000 training pictures, the others for training.
"""

import numpy as np
from common import Figures, Recipe, Work, digits, main, read_pictures, unit, write_pictures
from models import accuracy, classifier, fit

CORRUPTIONS = ("gaussian", "shot", "impulse", "speckle")
TRAININGS = {
    "white": ("--std", "0..120"),
    "shot": ("--shot", "0.01..1"),
    "both": ("--std", "0..120", "--shot", "0.01..1"),
}
STEPS = 600


def run(work: Work) -> Figures:
    data = digits(work.seed)
    write_pictures(work / "train", data.x, data.y)
    write_pictures(work / "test", data.test_x, data.test_y)
    models = {"clean": fit(classifier(), unit(data.x), data.y, STEPS)}
    for name, noise in TRAININGS.items():
        work.noisecli("images", "train", f"train-{name}", *noise, "--copies", "5")
        models[name] = fit(classifier(), *read_pictures(work / f"train-{name}"), STEPS)

    figures = {f"{name}_none": accuracy(model, unit(data.test_x), data.test_y) for name, model in models.items()}
    for corruption in CORRUPTIONS:
        work.noisecli("images", "test", f"test-{corruption}", "--corruption", corruption, "--severity", "1,3,5")
        tests = [read_pictures(folder) for folder in (work / f"test-{corruption}").glob("severity-*")]
        for name, model in models.items():
            figures[f"{name}_{corruption}"] = float(np.mean([accuracy(model, *test) for test in tests]))
    return figures


def line(corruption: str) -> str:
    return f"{corruption} " + " ".join(f"{{{name}_{corruption}:.1%}}" for name in ("clean", *TRAININGS))


RECIPE = Recipe(
    use="Classifier under the noises of ImageNet-C",
    bought="accuracy, mean of severities 1, 3 and 5, trained clean, on white noise, on shot noise, on both: "
    + "; ".join(map(line, (*CORRUPTIONS, "none"))),
    run=run,
)

if __name__ == "__main__":
    main(RECIPE)
