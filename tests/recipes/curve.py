"""Accuracy against std from one sweep; and the training sweep, taken level by level: start small, then raise it."""

import numpy as np
from common import Figures, Recipe, Work, digits, main, read_pictures, write_pictures
from models import accuracy, classifier, fit

LEVELS = (0, 20, 40, 60, 80, 100)
STEPS = 600


def run(work: Work) -> Figures:
    data = digits(work.seed)
    write_pictures(work / "train", data.x, data.y)
    write_pictures(work / "test", data.test_x, data.test_y)
    work.noisecli("images", "train", "curriculum", "--std", "0..100", "--levels", "6")
    work.noisecli("images", "test", "curve", "--std", "0..100", "--levels", "6")
    levels = {std: read_pictures(work / f"curriculum/std-{std}") for std in LEVELS}
    curve = {std: read_pictures(work / f"curve/std-{std}") for std in LEVELS}

    clean = fit(classifier(), *levels[0], steps=STEPS)
    together = [np.concatenate(arrays) for arrays in zip(*levels.values(), strict=True)]
    mixed = fit(classifier(), *together, steps=STEPS)
    raised = classifier()
    for level in levels.values():
        fit(raised, *level, steps=STEPS // len(LEVELS))
    models = {"clean": clean, "mixed": mixed, "raised": raised}
    return {f"{name}_{std}": accuracy(model, *curve[std]) for name, model in models.items() for std in LEVELS}


def line(name: str) -> str:
    return " ".join(f"{{{name}_{std}:.0%}}" for std in LEVELS)


RECIPE = Recipe(
    use="Accuracy against std, and raising it while you watch",
    bought=f"accuracy at std {' '.join(map(str, LEVELS))}: trained clean {line('clean')};"
    f" level by level {line('raised')}; all levels mixed {line('mixed')}",
    run=run,
)

if __name__ == "__main__":
    main(RECIPE)
