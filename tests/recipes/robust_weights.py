"""A model that bears noise on its weights, because each training step took its gradient beside them.

This is not weight decay, which pulls weights towards zero: here they are shaken, the gradient is taken there, and the
step is made from where they were. It looks for wide minima, and for hardware that keeps weights inexactly.
"""

import numpy as np
from common import Figures, Recipe, Work, digits, main, unit
from models import accuracy, classifier, fit, keras

from noisecli import add_gaussian_noise

LEVELS = (0, 20, 40, 60, 80)
COPIES = 5
SHARE = 0.8
STEPS = 500


class NoisyStep(keras.callbacks.Callback):
    """Noise on the weights while a batch's gradient is taken; gone before the next, so the step alone remains."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.rng = np.random.default_rng(seed)

    def on_train_batch_begin(self, batch: int, logs: object = None) -> None:
        self.noise = []
        for variable in self.model.trainable_variables:
            weights = keras.ops.convert_to_numpy(variable.value)
            self.noise.append(add_gaussian_noise(np.zeros_like(weights), SHARE * weights.std(), rng=self.rng))
            variable.assign_add(self.noise[-1])

    def on_train_batch_end(self, batch: int, logs: object = None) -> None:
        for variable, noise in zip(self.model.trainable_variables, self.noise, strict=True):
            variable.assign_sub(noise)


def run(work: Work) -> Figures:
    data = digits(work.seed)
    test = unit(data.test_x), data.test_y
    models = {"without": classifier(), "trained": classifier()}
    fit(models["without"], unit(data.x), data.y, STEPS)
    fit(models["trained"], unit(data.x), data.y, STEPS, callbacks=[NoisyStep(work.seed)])
    for name, model in models.items():
        (work / "models").mkdir(exist_ok=True)
        model.save_weights(work / f"models/{name}.weights.h5")
    work.noisecli("weights", "models", "shaken", "--std", "0..80%", "--levels", len(LEVELS), "--copies", COPIES)

    figures = {}
    for name, model in models.items():
        for share in LEVELS:
            files = sorted((work / f"shaken/std-{share}pct").glob(f"{name}*"))
            shares = []
            for file in files:
                model.load_weights(file)
                shares.append(accuracy(model, *test))
            figures[f"{name}_{share}"] = float(np.mean(shares))
    return figures


def line(name: str) -> str:
    return " ".join(f"{{{name}_{share}:.0%}}" for share in LEVELS)


RECIPE = Recipe(
    use="Robust optimisation: a model that tolerates noisy weights",
    bought=f"accuracy at {' '.join(map(str, LEVELS))}% of each tensor's std: plain steps {line('without')};"
    f" gradient at weights + noise {line('trained')}",
    run=run,
)

if __name__ == "__main__":
    main(RECIPE)
