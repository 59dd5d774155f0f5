"""Images of many formats with masks of many forms, and what a run made of them, read by OpenCV alone."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

HEIGHT, WIDTH = 90, 120


def read(path):
    """Return the frames of a file as they are stored."""
    content = np.frombuffer(Path(path).read_bytes(), np.uint8)
    done, frames = cv2.imdecodemulti(content, cv2.IMREAD_UNCHANGED)
    assert done
    return list(frames)


def grey(dtype="uint8", channels=(), seed=1):
    """Return an even image far from black and white: the clip takes nothing."""
    scale = {"uint8": 255, "uint16": 65535, "float32": 1}[dtype]
    values = np.random.default_rng(seed).uniform(0.45, 0.55, (HEIGHT, WIDTH, *channels))
    return (values * scale).astype(dtype)


def round_part(height=HEIGHT, width=WIDTH):
    """Return which pixels of a mask are inside."""
    y, x = np.mgrid[:height, :width]
    return (x - 70) ** 2 + (y - 40) ** 2 < 30**2


def save(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(image, list):
        assert cv2.imwritemulti(os.fspath(path), image)
    else:
        assert cv2.imwrite(os.fspath(path), image)
    return path


@pytest.fixture(scope="session")
def all_images():
    rgba = grey(channels=(4,))
    rgba[::2, ::3, 3] = 7
    return {
        "colour.png": grey(channels=(3,)),
        "grey.png": grey(),
        "rgba.png": rgba,
        "deep.png": grey("uint16", (3,)),
        "photo.jpg": grey(channels=(3,)),
        "sub/float.tif": grey("float32"),
        "sub/pages.tif": [grey("uint16", seed=seed) for seed in (1, 2, 3)],
        "lossless.webp": grey(channels=(3,)),
    }


@pytest.fixture
def shots(tmp_path, all_images):
    for name, image in all_images.items():
        save(tmp_path / "shots" / name, image)
    return tmp_path / "shots"


@pytest.fixture
def masks(tmp_path, all_images):
    for name in all_images:
        path = tmp_path / "masks" / name
        save(path.with_suffix(".png"), round_part().astype(np.uint8) * 255)
    return tmp_path / "masks"
