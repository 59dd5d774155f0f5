"""A denoiser for the noise of phones: trained on white noise, on theirs, and on theirs with the noise level told.

White noise is as loud as theirs on average. What is told is one number for each patch, the root mean square of its map
of std: a camera knows as much of its own noise. The map of every pixel is made from the clean picture, which no camera
has: a network that is told this is measured for comparison only.
"""

import cv2
import numpy as np
from common import Figures, Floats, Path, Recipe, Work, main, patches, read_pictures, write_pictures
from denoiser import psnr_db
from models import fit, keras, predict

STEPS = 300


def network(channels: int) -> keras.Model:
    """Return a small network from a noisy patch, and what it is told beside, to the patch; at first to what it got."""
    seen = keras.Input((16, 16, channels))
    inner = seen
    for _ in range(3):
        inner = keras.layers.Conv2D(24, 3, padding="same", activation="relu")(inner)
    noise = keras.layers.Conv2D(1, 3, padding="same", kernel_initializer="zeros")(inner)
    model = keras.Model(seen, keras.layers.Subtract()([seen[..., :1], noise]))
    decay = keras.optimizers.schedules.CosineDecay(0.003, STEPS)
    model.compile(keras.optimizers.Adam(decay), "mse")
    return model


def read_maps(folder: Path) -> Floats:
    """Return the maps of std beside patches, n x 16 x 16 x 1, full scale 1."""
    files = sorted(folder.rglob("*.tiff"), key=lambda file: file.name)
    return np.stack([cv2.imread(str(file), cv2.IMREAD_UNCHANGED) for file in files])[..., None]


def levels(maps: Floats) -> Floats:
    """Return one number for each map, n x 1 x 1 x 1."""
    return np.sqrt((maps**2).mean(axis=(1, 2, 3), keepdims=True))


def part(work: Work, name: str) -> tuple[dict[str, Floats], Floats, Floats]:
    """Return what each network sees of one part's patches, the clean ones, and how loud the noise is on each."""
    noisy, clean = (read_pictures(work / f"camera/{side}/{name}")[0] for side in ("noisy", "clean"))
    maps = read_maps(work / f"camera/std-map/{name}")
    loud = levels(maps)
    told = np.concatenate([noisy, np.broadcast_to(loud, maps.shape)], axis=-1)
    return {"blind": noisy, "told": told, "map": np.concatenate([noisy, maps], axis=-1)}, clean, loud[:, 0, 0, 0]


def run(work: Work) -> Figures:
    left, right = patches()
    write_pictures(work / "photos/train", left)
    write_pictures(work / "photos/test", right)
    work.noisecli("images", "photos", "white", "--std", "13", "--with-clean")
    work.noisecli("images", "photos", "camera", "--camera", "sidd", "--with-clean", "--with-std-map")
    white, white_clean = (read_pictures(work / f"white/{side}/train")[0] for side in ("noisy", "clean"))
    seen, clean, _ = part(work, "train")
    test, test_clean, loud = part(work, "test")

    answers = {"noisy": test["blind"]}
    answers["white"] = predict(fit(network(1), white, white_clean, STEPS), test["blind"])
    for name, x in seen.items():
        answers[name] = predict(fit(network(x.shape[-1]), x, clean, STEPS), test[name])
    quiet = loud < np.quantile(loud, 1 / 3)
    figures = {name: psnr_db(answer, test_clean) for name, answer in answers.items()}
    return figures | {f"{name}_quiet": psnr_db(x[quiet], test_clean[quiet]) for name, x in answers.items()}


def line(suffix: str = "") -> str:
    names = {"noisy": "noisy", "white": "trained on white noise", "blind": "on the camera's", "told": "told its level"}
    return ", ".join(f"{said} {{{name}{suffix}:.1f}} dB" for name, said in names.items())


RECIPE = Recipe(
    use="Denoiser that is told the noise level",
    bought=f"PSNR of patches never seen: {line()}; of the quietest third: {line('_quiet')}",
    run=run,
)

if __name__ == "__main__":
    main(RECIPE)
