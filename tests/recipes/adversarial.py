"""Accuracy under a fast gradient sign attack, before and after training on such examples with noise on top."""

import numpy as np
from common import Figures, Floats, Labels, Recipe, Work, digits, main, read_pictures, unit, write_pictures
from models import accuracy, classifier, fit, keras

STEPS = 300


def attacked(work: Work, folder: str, name: str, model: keras.Model, std: str) -> tuple[Floats, Labels]:
    """Return the pictures of a folder, each one step up this very model's loss, and their labels."""
    model.save(work / f"{name}.keras")
    work.noisecli("adversarial", folder, name, "--model", f"{name}.keras", "--eps", "10%", "--std", std)
    return read_pictures(work / name)


def run(work: Work) -> Figures:
    data = digits(work.seed)
    write_pictures(work / "train", data.x, data.y)
    write_pictures(work / "test", data.test_x, data.test_y)
    clean, test = (unit(data.x), data.y), (unit(data.test_x), data.test_y)

    model = fit(classifier(), *clean, STEPS)
    examples = attacked(work, "train", "examples", model, "5%")
    hardened = keras.models.clone_model(model)
    hardened.set_weights(model.get_weights())
    hardened.compile("adam", "sparse_categorical_crossentropy")
    both = [np.concatenate(arrays) for arrays in zip(clean, examples, strict=True)]
    fit(model, *clean, STEPS)
    fit(hardened, *both, STEPS)
    return {
        "without": accuracy(model, *attacked(work, "test", "attacked", model, "0")),
        "trained": accuracy(hardened, *attacked(work, "test", "attacked-hardened", hardened, "0")),
        "without_clean": accuracy(model, *test),
        "trained_clean": accuracy(hardened, *test),
    }


RECIPE = Recipe(
    use="Adversarial training with noise on top",
    bought="accuracy under an attack of its own, eps 10%: {without:.1%} → {trained:.1%};"
    " on clean images: {without_clean:.1%} → {trained_clean:.1%}",
    run=run,
)

if __name__ == "__main__":
    main(RECIPE)
