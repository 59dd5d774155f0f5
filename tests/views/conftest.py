"""Sheets drawn, and pictures found on them."""

import shutil

import cv2
import numpy as np
import pytest


@pytest.fixture
def preview(noisy):
    """Run `noisecli preview src out`."""

    def run(*arguments):
        return noisy("preview", *arguments)

    return run


@pytest.fixture(scope="session")
def holds():
    """Whether a sheet shows a picture (8 bits, blue green red), sample for sample."""

    def look(sheet, picture):
        assert sheet.dtype == picture.dtype
        assert sheet.shape[2:] == picture.shape[2:]
        height, width = picture.shape[:2]
        first, pixel = picture[0].tobytes(), picture[0, 0].nbytes
        for top in range(sheet.shape[0] - height + 1):
            line = sheet[top].tobytes()
            at = line.find(first)
            while at >= 0:
                left, odd = divmod(at, pixel)
                if not odd and (sheet[top : top + height, left : left + width] == picture).all():
                    return True
                at = line.find(first, at + 1)
        return False

    return look


@pytest.fixture(scope="session")
def enlarged():
    def times(picture, number):
        return cv2.resize(picture, None, fx=number, fy=number, interpolation=cv2.INTER_NEAREST)

    return times


@pytest.fixture(scope="session")
def photo():
    """Smooth colour with a little grain; 240 x 320 unless said otherwise."""

    def made(height=240, width=320, seed=7):
        random = np.random.default_rng(seed)
        coarse = random.uniform(30, 225, (6, 8, 3)).astype(np.float32)
        smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
        return np.clip(smooth + random.normal(0, 3, smooth.shape), 0, 255).astype(np.uint8)

    return made


@pytest.fixture
def save(tmp_path):
    """Write a picture by OpenCV below a source folder."""

    def write(name, picture, *options):
        path = tmp_path / "src" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(path), picture, list(options))
        return path

    return write


@pytest.fixture
def broken(sample_data, tmp_path):
    """Put a cut picture among the sources."""

    def put(name):
        (tmp_path / "src").mkdir(exist_ok=True)
        return shutil.copy(sample_data / "broken/images/cut.jpg", tmp_path / "src" / name)

    return put
