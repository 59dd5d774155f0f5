"""A discriminator that sees noise on real and made digits alike does not saturate, and still tells a generator the way.

Without noise the two lie on thin sheets that hardly meet: the discriminator is soon sure of itself, and the gradient
that reaches the generator vanishes (Arjovsky and Bottou 2017).
"""

import numpy as np
from common import Figures, Floats, Recipe, Work, digits, main, unit
from models import classifier, fit, keras, predict

LATENTS = 8
PROBES = 16
STEP = 0.02


def generated(real: Floats, latents: Floats) -> Floats:
    """Return digits made by a linear generator: principal components, as strong as in the real ones."""
    mean = real.mean(axis=0)
    _, strengths, directions = np.linalg.svd(real - mean, full_matrices=False)
    spread = strengths[:LATENTS, None] * directions[:LATENTS] / np.sqrt(len(real))
    return (mean + latents @ spread).clip(0, 1).astype(np.float32)


def saved(work: Work, folder: str, part: str) -> tuple[Floats, Floats]:
    """Return real and made digits of one part, and which are real."""
    x = {kind: [np.load(file) for file in sorted((work / folder / part).glob(f"{kind}*"))] for kind in ("real", "made")}
    real, made = np.concatenate(x["real"]), np.concatenate(x["made"])
    return np.concatenate([real, made]), np.repeat([1, 0], [len(real), len(made)])


def slope(model: keras.Model, made: Floats, seed: int) -> float:
    """Return the median length of the gradient of log(1 - D) at made digits, by differences in random directions."""
    rng = np.random.default_rng(seed)
    squares = []
    for _ in range(PROBES):
        direction = rng.standard_normal(made.shape).astype(np.float32)
        ahead, behind = (predict(model, made + side * STEP * direction)[:, 0] for side in (0.5, -0.5))
        squares.append(((np.log(np.maximum(ahead, 1e-30)) - np.log(np.maximum(behind, 1e-30))) / STEP) ** 2)
    return float(np.median(np.sqrt(np.mean(squares, axis=0))))


def run(work: Work) -> Figures:
    data = digits(work.seed)
    real, test = unit(data.x).reshape(-1, 64), unit(data.test_x).reshape(-1, 64)
    work.noisecli("latents", "latents", "--shape", LATENTS, "--count", len(real) + len(test))
    latents = np.concatenate([np.load(file) for file in sorted((work / "latents").glob("*.npy"))])
    for part, kinds in {
        "train": {"real": real, "made": generated(real, latents[: len(real)])},
        "test": {"real": test, "made": generated(real, latents[len(real) :])},
    }.items():
        (work / "samples" / part).mkdir(parents=True)
        for kind, x in kinds.items():
            np.save(work / "samples" / part / f"{kind}-{part}.npy", x)
    work.noisecli("arrays", "samples", "noisy", "--std", "0.5", "--copies", "5")

    figures = {}
    for name, folder in (("without", "samples"), ("trained", "noisy")):
        model = fit(classifier(2), *saved(work, folder, "train"), steps=600)
        x, y = saved(work, folder, "test")
        chances = predict(model, x)
        figures[f"{name}_right"] = float(np.mean(chances.argmax(axis=1) == y))
        figures[f"{name}_sure"] = float(np.mean(chances[y == 0, 1] < 0.01))
        figures[f"{name}_slope"] = slope(model, x[y == 0], work.seed)
    return figures


RECIPE = Recipe(
    use="Instance noise for a generator's discriminator",
    bought="discriminator right {without_right:.1%} → {trained_right:.1%}; made digits it is 99% sure of"
    " {without_sure:.1%} → {trained_sure:.1%}; median gradient there {without_slope:.2f} → {trained_slope:.2f}",
    run=run,
)

if __name__ == "__main__":
    main(RECIPE)
