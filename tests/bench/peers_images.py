"""Ways of adding Gaussian noise to a folder of pictures, each as a script that does nothing else.

floor: decode the source, encode an already noisy picture of its shape with the same settings.
textbook: what everybody writes. float32: the same with care for speed. albumentations: GaussNoise.
"""

import argparse
import multiprocessing
import os
import zlib
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

parser = argparse.ArgumentParser()
parser.add_argument("mode", choices=["floor", "textbook", "float32", "albumentations"])
parser.add_argument("src")
parser.add_argument("dst")
parser.add_argument("--format", default="jpg", choices=["jpg", "png"])
parser.add_argument("--jobs", type=int, default=2, help="0: no pool at all")
parser.add_argument("--std", type=float, default=25)
parser.add_argument("--quality", type=int, default=95)
parser.add_argument("--subsampling", default="420", choices=["420", "444"])
args = parser.parse_args()

ENCODERS = {
    "jpg": [
        cv2.IMWRITE_JPEG_QUALITY,
        args.quality,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
        getattr(cv2, f"IMWRITE_JPEG_SAMPLING_FACTOR_{args.subsampling}"),
    ],
    "png": [
        cv2.IMWRITE_PNG_STRATEGY,
        cv2.IMWRITE_PNG_STRATEGY_HUFFMAN_ONLY,
        cv2.IMWRITE_PNG_FILTER,
        cv2.IMWRITE_PNG_FILTER_NONE,
    ],
}
ENCODER = ENCODERS[args.format]
NOISY: dict[tuple[int, ...], Any] = {}

if args.mode == "albumentations":
    import albumentations

    NOISE = albumentations.GaussNoise(std_range=(args.std / 255, args.std / 255), p=1.0)


def write(name: str, picture: Any) -> None:
    cv2.imwrite(os.path.join(args.dst, f"{os.path.splitext(name)[0]}.{args.format}"), picture, ENCODER)


def read(name: str) -> Any:
    return cv2.imread(os.path.join(args.src, name))


def floor(name: str) -> None:
    image = read(name)
    if image.shape not in NOISY:  # once for a shape and process
        rng = np.random.default_rng(0)
        NOISY[image.shape] = np.clip(image + rng.standard_normal(image.shape) * args.std, 0, 255).astype(np.uint8)
    write(name, NOISY[image.shape])


def textbook(name: str) -> None:
    image = read(name)
    noise = np.random.randn(*image.shape) * args.std
    write(name, np.clip(image + noise, 0, 255).astype(np.uint8))


def float32(name: str) -> None:
    image = read(name)
    rng = np.random.Generator(np.random.SFC64(zlib.crc32(name.encode())))
    noise = rng.standard_normal(image.shape, dtype=np.float32)
    noise *= args.std
    write(name, cv2.add(image, noise, dtype=cv2.CV_8U))


def with_albumentations(name: str) -> None:
    write(name, NOISE(image=read(name))["image"])


WAYS: dict[str, Callable[[str], None]] = {
    "floor": floor,
    "textbook": textbook,
    "float32": float32,
    "albumentations": with_albumentations,
}

if __name__ == "__main__":
    cv2.setNumThreads(1)
    names = sorted(os.listdir(args.src))
    if args.jobs == 0:
        for each in names:
            WAYS[args.mode](each)
    else:
        chunk = max(1, min(8, len(names) // (args.jobs * 8)))
        with multiprocessing.get_context("fork").Pool(args.jobs) as pool:
            for _ in pool.imap_unordered(WAYS[args.mode], names, chunksize=chunk):
                pass
