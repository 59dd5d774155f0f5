"""A classifier that has seen noise in training, and one that has not, on noisy pictures."""

from common import Figures, Recipe, Work, digits, main, read_pictures, unit, write_pictures
from models import accuracy, classifier, fit


def run(work: Work) -> Figures:
    data = digits(work.seed)
    write_pictures(work / "train", data.x, data.y)
    write_pictures(work / "test", data.test_x, data.test_y)
    work.noisecli("images", "train", "noisy", "--std", "0..120", "--copies", "5")
    work.noisecli("images", "test", "harder", "--std", "50,100")

    without = fit(classifier(), unit(data.x), data.y, steps=600)
    trained = fit(classifier(), *read_pictures(work / "noisy"), steps=600)
    tests = {
        "0": (unit(data.test_x), data.test_y),
        "50": read_pictures(work / "harder/std-50"),
        "100": read_pictures(work / "harder/std-100"),
    }
    figures = {f"without_{std}": accuracy(without, *test) for std, test in tests.items()}
    return figures | {f"trained_{std}": accuracy(trained, *test) for std, test in tests.items()}


RECIPE = Recipe(
    use="Classifier of noisy images",
    bought="accuracy at std 100: {without_100:.1%} → {trained_100:.1%}; at std 50: {without_50:.1%} → {trained_50:.1%};"
    " on clean images: {without_0:.1%} → {trained_0:.1%}",
    run=run,
)

if __name__ == "__main__":
    main(RECIPE)
