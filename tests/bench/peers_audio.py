"""Ways of adding Gaussian noise to a folder of sounds, each as a script that does nothing else.

floor: decode the source, encode an already noisy sound of its shape, without the fsync that soundfile adds when it
closes a file; floor-fsync: with it, as soundfile.write() does.
textbook: what everybody writes. float32: the same with care for speed. audiomentations: AddGaussianSNR.
"""

import argparse
import multiprocessing
import os
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import soundfile

parser = argparse.ArgumentParser()
parser.add_argument("mode", choices=["floor", "floor-fsync", "textbook", "float32", "audiomentations"])
parser.add_argument("src")
parser.add_argument("dst")
parser.add_argument("--jobs", type=int, default=2, help="0: no pool at all")
parser.add_argument("--snr-db", type=float, default=20)
args = parser.parse_args()

NOISY: dict[tuple[int, ...], Any] = {}

if args.mode == "audiomentations":
    from audiomentations import AddGaussianSNR

    NOISE = AddGaussianSNR(min_snr_db=args.snr_db, max_snr_db=args.snr_db, p=1.0)


class WithoutFsync(soundfile.SoundFile):  # type: ignore[misc]
    """A sound whose closing does not wait for the disk."""

    def flush(self) -> None:
        """Do nothing."""


def read(name: str, dtype: str) -> Any:
    return soundfile.read(os.path.join(args.src, name), dtype=dtype)


def target(name: str) -> str:
    return os.path.join(args.dst, name)


def rms(audio: Any) -> Any:
    return np.sqrt(np.mean(np.square(audio)))


def already_noisy(audio: Any) -> Any:
    if audio.shape not in NOISY:  # once for a shape and process
        rng = np.random.default_rng(0)
        noise = rng.standard_normal(audio.shape) * rms(audio.astype(np.float64)) / 10 ** (args.snr_db / 20)
        NOISY[audio.shape] = np.clip(audio + noise, -32768, 32767).astype(np.int16)
    return NOISY[audio.shape]


def floor(name: str) -> None:
    audio, rate = read(name, "int16")
    with WithoutFsync(target(name), "w", rate, 1, "PCM_16") as file:
        file.write(already_noisy(audio))


def floor_fsync(name: str) -> None:
    audio, rate = read(name, "int16")
    soundfile.write(target(name), already_noisy(audio), rate)


def textbook(name: str) -> None:
    audio, rate = read(name, "float64")
    std = rms(audio) / 10 ** (args.snr_db / 20)
    soundfile.write(target(name), np.clip(audio + np.random.randn(*audio.shape) * std, -1, 1), rate)


def float32(name: str) -> None:
    audio, rate = read(name, "float32")
    rng = np.random.Generator(np.random.SFC64(zlib.crc32(name.encode())))
    noise = rng.standard_normal(audio.shape, dtype=np.float32)
    noise *= rms(audio) / 10 ** (args.snr_db / 20)
    noise += audio
    soundfile.write(target(name), np.clip(noise, -1, 1, out=noise), rate)


def with_audiomentations(name: str) -> None:
    audio, rate = read(name, "float32")
    soundfile.write(target(name), NOISE(samples=audio, sample_rate=rate), rate)


WAYS: dict[str, Callable[[str], None]] = {
    "floor": floor,
    "floor-fsync": floor_fsync,
    "textbook": textbook,
    "float32": float32,
    "audiomentations": with_audiomentations,
}

if __name__ == "__main__":
    names = sorted(os.listdir(args.src))
    if args.jobs == 0:
        for each in names:
            WAYS[args.mode](each)
    else:
        chunk = max(1, min(32, len(names) // (args.jobs * 8)))
        with multiprocessing.get_context("fork").Pool(args.jobs) as pool:
            for _ in pool.imap_unordered(WAYS[args.mode], names, chunksize=chunk):
                pass
