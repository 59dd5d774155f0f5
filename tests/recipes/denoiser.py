"""A denoising autoencoder: learned on clean and noisy patches of photographs, tested on other parts of them."""

import cv2
import numpy as np
from common import Figures, Floats, Recipe, Work, main, patches, read_pictures, write_pictures
from models import fit, keras, predict


def autoencoder() -> keras.Model:
    """Return a small convolutional network from a noisy patch to its noise; the patch less that noise is the answer."""
    noisy = keras.Input((16, 16, 1))
    inner = noisy
    for _ in range(3):
        inner = keras.layers.Conv2D(24, 3, padding="same", activation="relu")(inner)
    noise = keras.layers.Conv2D(1, 3, padding="same")(inner)
    model = keras.Model(noisy, keras.layers.Subtract()([noisy, noise]))
    model.compile(keras.optimizers.Adam(0.003), "mse")
    return model


def psnr_db(x: Floats, clean: Floats) -> float:
    """Return the peak signal-to-noise ratio over all patches, full scale 1."""
    return float(-10 * np.log10(np.mean((x - clean) ** 2)))


def best_blur(noisy: Floats, clean: Floats) -> float:
    """Return the PSNR of the Gaussian blur that does best on these very patches: more than a blur could know."""
    widths = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
    blurs = ([cv2.GaussianBlur(patch, (0, 0), width) for patch in noisy] for width in widths)
    return max(psnr_db(np.stack(blur)[..., None], clean) for blur in blurs)


def run(work: Work) -> Figures:
    left, right = patches()
    write_pictures(work / "photos/train", left)
    write_pictures(work / "photos/test", right)
    work.noisecli("images", "photos", "pairs", "--std", "25", "--with-clean")
    noisy, clean = (read_pictures(work / f"pairs/{side}/train")[0] for side in ("noisy", "clean"))
    test, test_clean = (read_pictures(work / f"pairs/{side}/test")[0] for side in ("noisy", "clean"))

    model = fit(autoencoder(), noisy, clean, steps=200)
    return {
        "noisy": psnr_db(test, test_clean),
        "blurred": best_blur(test, test_clean),
        "denoised": psnr_db(predict(model, test), test_clean),
    }


RECIPE = Recipe(
    use="Denoising autoencoder",
    bought="PSNR of patches never seen: noisy {noisy:.1f} dB, best"
    " Gaussian blur {blurred:.1f} dB, denoised {denoised:.1f} dB",
    run=run,
)

if __name__ == "__main__":
    main(RECIPE)
