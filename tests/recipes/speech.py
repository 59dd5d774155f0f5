"""Spoken digits, recognised at several signal-to-noise ratios, with and without noise in the training."""

import itertools
import subprocess

import numpy as np
import soundfile
from common import Figures, Floats, Labels, Path, Recipe, Work, main
from models import accuracy, fit, keras

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
ACCENTS = ("en-us", "en-gb", "en-gb-scotland", "en-029")
TRAINING_VOICES = ("m1", "m3", "m5", "m7", "f1", "f3", "f5")
TEST_VOICES = ("m2", "m4", "f2", "f4")
RATE = 22050
FRAME, HOP, FRAMES, BANDS = 512, 256, 64, 32
SNRS_DB = (0, 10, 20)


def speak(folder: Path, voices: tuple[str, ...], seed: int) -> None:
    """Let every voice say every digit in every accent, each time a little faster or slower, higher or lower."""
    rng = np.random.default_rng(seed)
    folder.mkdir()
    for accent, voice, (digit, word) in itertools.product(ACCENTS, voices, enumerate(WORDS)):
        speed, pitch = str(rng.integers(130, 190)), str(rng.integers(35, 65))
        sound = folder / f"{digit}-{accent}-{voice}.wav"
        command = ["espeak-ng", "-v", f"{accent}+{voice}", "-s", speed, "-p", pitch, "-w", str(sound), word]
        subprocess.run(command, check=True)


def bands() -> Floats:
    """Return triangular filters, evenly spaced on the mel scale, frequencies x bands."""
    edges = 700 * (np.exp(np.linspace(0, np.log(1 + RATE / 2 / 700), BANDS + 2)) - 1)
    frequencies = np.fft.rfftfreq(FRAME, 1 / RATE)[:, None]
    rise = (frequencies - edges[:-2]) / (edges[1:-1] - edges[:-2])
    fall = (edges[2:] - frequencies) / (edges[2:] - edges[1:-1])
    return np.clip(np.minimum(rise, fall), 0, None).astype(np.float32)


def features(folder: Path) -> tuple[Floats, Labels]:
    """Return log-mel spectrograms of one mean and std each, n x frames x bands, and the digits spoken."""
    filters, x, y = bands(), [], []
    for file in sorted(folder.rglob("*.wav")):
        samples, _ = soundfile.read(file, dtype="float32")
        samples = np.pad(samples, (0, FRAME + HOP * FRAMES))[: FRAME + HOP * FRAMES]
        frames = np.lib.stride_tricks.sliding_window_view(samples, FRAME)[::HOP][:FRAMES] * np.hanning(FRAME)
        mel = np.log(np.abs(np.fft.rfft(frames)) ** 2 @ filters + 1e-4)
        x.append((mel - mel.mean()) / mel.std())
        y.append(int(file.name[0]))
    return np.stack(x).astype(np.float32), np.array(y)


def recogniser() -> keras.Model:
    """Return a small convolutional network over time."""
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Conv1D(48, 5, strides=2, activation="relu"),
            layers.Conv1D(48, 5, strides=2, activation="relu"),
            layers.GlobalMaxPooling1D(),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.003), "sparse_categorical_crossentropy")
    return model


def run(work: Work) -> Figures:
    speak(work / "speech", TRAINING_VOICES, work.seed)
    speak(work / "others", TEST_VOICES, work.seed)
    work.noisecli("audio", "speech", "noisy", "--snr-db", "0..30", "--copies", "3")
    work.noisecli("audio", "others", "tests", "--snr-db", ",".join(map(str, SNRS_DB)))

    tests = {"clean": features(work / "others")}
    tests |= {str(snr_db): features(work / f"tests/snr-db-{snr_db}") for snr_db in SNRS_DB}
    without = fit(recogniser(), *features(work / "speech"), steps=300)
    trained = fit(recogniser(), *features(work / "noisy"), steps=300)
    figures = {f"without_{name}": accuracy(without, *test) for name, test in tests.items()}
    return figures | {f"trained_{name}": accuracy(trained, *test) for name, test in tests.items()}


RECIPE = Recipe(
    use="Speech recognition",
    bought="spoken digits right at 0 dB: {without_0:.1%} → {trained_0:.1%}; 10 dB: {without_10:.1%} → {trained_10:.1%};"
    " 20 dB: {without_20:.1%} → {trained_20:.1%}; clean: {without_clean:.1%} → {trained_clean:.1%}",
    run=run,
)

if __name__ == "__main__":
    main(RECIPE)
