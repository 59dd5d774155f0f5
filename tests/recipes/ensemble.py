"""Ten members around one trained model, by noise on its weights: is their mean better calibrated?"""

import numpy as np
from common import Figures, Floats, Labels, Recipe, Work, digits, main, read_pictures, unit, write_pictures
from models import classifier, fit, predict

BINS = 15


def negative_log_likelihood(chances: Floats, y: Labels) -> float:
    return float(-np.log(np.maximum(chances[np.arange(len(y)), y], 1e-12)).mean())


def calibration_error(chances: Floats, y: Labels) -> float:
    """Return the expected calibration error: |accuracy - confidence| over 15 bins of confidence (Guo et al. 2017)."""
    confidence, right = chances.max(axis=1), chances.argmax(axis=1) == y
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [abs(right[bins == b].mean() - confidence[bins == b].mean()) * np.mean(bins == b) for b in np.unique(bins)]
    return float(sum(gaps))


def run(work: Work) -> Figures:
    data = digits(work.seed)
    write_pictures(work / "test", data.test_x, data.test_y)
    work.noisecli("images", "test", "noisy-test", "--std", "80")
    x, y = read_pictures(work / "noisy-test")

    model = fit(classifier(), unit(data.x), data.y, steps=1000)
    alone = predict(model, x)
    (work / "trained").mkdir()
    model.save_weights(work / "trained/model.weights.h5")
    work.noisecli("weights", "trained", "members", "--std", "40%", "--copies", "10")
    answers = []
    for member in sorted((work / "members").glob("*.weights.h5")):
        model.load_weights(member)
        answers.append(predict(model, x))
    together = np.mean(answers, axis=0)
    return {
        "alone_accuracy": float(np.mean(alone.argmax(axis=1) == y)),
        "together_accuracy": float(np.mean(together.argmax(axis=1) == y)),
        "alone_nll": negative_log_likelihood(alone, y),
        "together_nll": negative_log_likelihood(together, y),
        "alone_ece": calibration_error(alone, y),
        "together_ece": calibration_error(together, y),
    }


RECIPE = Recipe(
    use="Ensemble of noisy weights",
    bought="on images noisier than the training: negative log likelihood {alone_nll:.2f} → {together_nll:.2f},"
    " calibration error {alone_ece:.3f} → {together_ece:.3f}, accuracy {alone_accuracy:.1%} → {together_accuracy:.1%}",
    run=run,
)

if __name__ == "__main__":
    main(RECIPE)
