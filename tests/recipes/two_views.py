"""A few labels and many pictures without: two noisy views of one picture should get one answer."""

import numpy as np
from common import Figures, Floats, Labels, Recipe, Work, digits, main, read_pictures, unit, write_pictures
from models import accuracy, classifier, fit, keras

LABELLED = 30
STEPS = 400
BATCH = 64
WEIGHT = 0.5


class Agreement(keras.layers.Layer):
    """Adds the squared distance of two answers to the loss."""

    def call(self, answers: tuple[object, object]) -> object:
        first, second = answers
        self.add_loss(WEIGHT * keras.ops.mean(keras.ops.sum((first - second) ** 2, axis=-1)))
        return first


def fit_agreeing(x: Floats, y: Labels, views: tuple[Floats, Floats]) -> keras.Model:
    """Train on labelled pictures, and on two views of unlabelled ones beside them, as many steps as without."""
    model = classifier()
    labelled, first, second = (keras.Input(x.shape[1:]) for _ in range(3))
    agreed = Agreement()((model(first), model(second)))
    both = keras.Model([labelled, first, second], [model(labelled), agreed])
    both.compile("adam", ["sparse_categorical_crossentropy", None])
    known = np.resize(np.random.permutation(len(x)), STEPS * BATCH)
    unknown = np.concatenate([np.random.permutation(len(views[0])) for _ in range(-(-STEPS * BATCH // len(views[0])))])
    unknown = unknown[: STEPS * BATCH]
    inputs = [x[known], views[0][unknown], views[1][unknown]]
    both.fit(inputs, [y[known], np.zeros(len(known))], batch_size=BATCH, verbose=0)
    return model


def run(work: Work) -> Figures:
    data = digits(work.seed)
    write_pictures(work / "pictures/few", data.x[:LABELLED])
    write_pictures(work / "pictures/many", data.x[LABELLED:])
    write_pictures(work / "test", data.test_x, data.test_y)
    work.noisecli("images", "pictures", "views", "--std", "40", "--copies", "2")
    work.noisecli("images", "test", "noisy-test", "--std", "80")
    few, few_y = unit(data.x[:LABELLED]), data.y[:LABELLED]
    noisy_few, _ = read_pictures(work / "views/few")
    seen, _ = read_pictures(work / "views/many")

    models = {
        "clean": fit(classifier(), few, few_y, STEPS),
        "noisy": fit(classifier(), noisy_few, np.repeat(few_y, 2), STEPS),
        "views": fit_agreeing(few, few_y, (seen[0::2], seen[1::2])),
    }
    tests = {"0": (unit(data.test_x), data.test_y), "80": read_pictures(work / "noisy-test")}
    return {f"{name}_{std}": accuracy(model, *test) for name, model in models.items() for std, test in tests.items()}


RECIPE = Recipe(
    use="Two views of unlabelled images",
    bought="accuracy with 30 labels: {clean_0:.1%}, with noise on these {noisy_0:.1%}, with two views of 970 others"
    " {views_0:.1%}; at std 80 {clean_80:.1%}, {noisy_80:.1%}, {views_80:.1%}",
    run=run,
)

if __name__ == "__main__":
    main(RECIPE)
