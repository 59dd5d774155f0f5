"""A file cut anywhere is refused, or its samples are those of the whole file."""

import contextlib

import cv2
import numpy as np
import pytest
from PIL import Image

from noisecli.errors import FileFailed

POSITIONS = 40

CASES = {
    "jpeg": (".jpg", "colour", ()),
    "jpeg-progressive": (".jpg", "colour", (cv2.IMWRITE_JPEG_PROGRESSIVE, 1)),
    "jpeg-restarts": (".jpg", "colour", (cv2.IMWRITE_JPEG_RST_INTERVAL, 3)),
    "jpeg-grey": (".jpg", "grey", ()),
    "png": (".png", "colour", ()),
    "png-16": (".png", "deep", ()),
    "tiff-bare": (".tiff", "colour", (cv2.IMWRITE_TIFF_COMPRESSION, 1)),
    "tiff-lzw": (".tiff", "colour", (cv2.IMWRITE_TIFF_COMPRESSION, 5)),
    "tiff-deflate": (".tiff", "deep", (cv2.IMWRITE_TIFF_COMPRESSION, 8)),
    "webp-lossless": (".webp", "colour", ()),
    "webp-lossy": (".webp", "alpha", (cv2.IMWRITE_WEBP_QUALITY, 80)),
    "bmp": (".bmp", "colour", ()),
    "bmp-alpha": (".bmp", "alpha", ()),
    "ppm": (".ppm", "colour", ()),
    "pgm-16": (".pgm", "deep", ()),
    "ppm-text": (".ppm", "colour", (cv2.IMWRITE_PXM_BINARY, 0)),
    "pbm": (".pbm", "grey", ()),
    "avif": (".avif", "colour", ()),
    "avif-alpha": (".avif", "alpha", (cv2.IMWRITE_AVIF_QUALITY, 100)),
    "jp2": (".jp2", "colour", ()),
    "gif": (".gif", "colour", ()),
}
PILLOW_CASES = {
    "tiff-header-first": ("TIFF", {}),
    "tiff-lzw": ("TIFF", {"compression": "tiff_lzw"}),
    "tiff-jpeg": ("TIFF", {"compression": "jpeg"}),
    "tiff-pages": ("TIFF", {"save_all": True}),
    "gif": ("GIF", {}),
    "jp2-tiles": ("JPEG2000", {"tile_size": (32, 32)}),
    "jpeg-metadata": ("JPEG", {"comment": b"hello", "dpi": (72, 72)}),
}


@pytest.fixture
def check(open_picture, frames_of):
    def cut_everywhere(data, suffix):
        whole = frames_of(open_picture(data, suffix))
        positions = {*np.linspace(0, len(data) - 1, POSITIONS).astype(int).tolist(), *range(len(data) - 4, len(data))}
        for position in sorted(positions):
            with contextlib.suppress(FileFailed):
                frames = frames_of(open_picture(data[:position], suffix))
                np.testing.assert_array_equal(np.array(frames), np.array(whole), f"cut at {position} of {len(data)}")

    return cut_everywhere


@pytest.mark.parametrize("case", CASES)
def test_cuts(case, photo, encode, check):
    suffix, samples, options = CASES[case]
    grey = photo[..., 0]
    picture = {"colour": photo, "grey": grey, "alpha": np.dstack([photo, grey]), "deep": grey.astype(np.uint16) * 257}
    check(encode(suffix, picture[samples], *options), suffix)


@pytest.mark.parametrize("case", PILLOW_CASES)
def test_cuts_of_other_writers(case, photo, pillow_file, check):
    kind, options = PILLOW_CASES[case]
    if options.get("save_all"):
        options = {**options, "append_images": [Image.fromarray(photo[::-1].copy())]}
    check(pillow_file(photo, kind, **options), ".tif" if kind == "TIFF" else f".{kind.lower()}")
