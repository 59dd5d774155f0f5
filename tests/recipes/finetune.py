"""Transfer: a model trained on many clean pictures, tuned on a hundred noisy ones."""

from common import Figures, Recipe, Work, digits, main, read_pictures, unit, write_pictures
from models import accuracy, classifier, fit, keras

SMALL = 100
STEPS = 150


def tuned(base: keras.Model, *data: object) -> keras.Model:
    """Return a copy of the base, trained a little more at the usual rate."""
    model = keras.models.clone_model(base)
    model.set_weights(base.get_weights())
    model.compile("adam", "sparse_categorical_crossentropy")
    return fit(model, *data, steps=STEPS)


def run(work: Work) -> Figures:
    data = digits(work.seed)
    small, small_y = data.x[:SMALL], data.y[:SMALL]
    write_pictures(work / "small", small, small_y)
    write_pictures(work / "test", data.test_x, data.test_y)
    work.noisecli("images", "small", "noisy-small", "--std", "100", "--copies", "5")
    work.noisecli("images", "test", "noisy-test", "--std", "100")
    noisy_small, noisy_test = read_pictures(work / "noisy-small"), read_pictures(work / "noisy-test")

    base = fit(classifier(), unit(data.x[SMALL:]), data.y[SMALL:], steps=400)
    return {
        "base": accuracy(base, *noisy_test),
        "clean": accuracy(tuned(base, unit(small), small_y), *noisy_test),
        "noisy": accuracy(tuned(base, *noisy_small), *noisy_test),
        "scratch": accuracy(fit(classifier(), *noisy_small, steps=400 + STEPS), *noisy_test),
    }


RECIPE = Recipe(
    use="Fine-tuning on a small noisy set",
    bought="accuracy at std 100: trained model {base:.1%}, tuned on 100 clean {clean:.1%}, on 100 noisy {noisy:.1%};"
    " the 100 noisy alone {scratch:.1%}",
    run=run,
)

if __name__ == "__main__":
    main(RECIPE)
