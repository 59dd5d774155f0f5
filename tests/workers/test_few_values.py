"""What has few values, or the flat areas of instances, and smooth photographs, which have neither."""

import cv2
import numpy as np
import pytest

from noisecli.workers.few_values import count_instances, count_values


def scene(side=640):
    """Blur a picture until it is smooth, and make its sky one even white, as 48 bits."""
    noise = np.random.default_rng(5).integers(0, 65536, (side, side, 3), np.uint16)
    smooth = cv2.GaussianBlur(noise, (0, 0), 15).astype(np.float64)
    smooth = (smooth - smooth.min()) / (smooth.max() - smooth.min()) * 65535
    smooth[: side // 2] = 65535
    return smooth.astype(np.uint16)


FINE = scene()
PLAIN = (FINE // 256).astype(np.uint8)


@pytest.mark.parametrize(
    "image",
    [
        *(FINE, FINE[..., 0], PLAIN, PLAIN[..., 0]),
        PLAIN[..., 0].astype(np.uint16) * 257,
        PLAIN[..., 0].astype(np.uint16) * 256,
        np.dstack([PLAIN[..., 0]] * 3),
        PLAIN.astype(np.uint16).sum(2).astype(np.uint16) * 80,
        cv2.resize(PLAIN, None, fx=4, fy=4)[1280:],
    ],
)
def test_a_smooth_scene_is_no_mask(image):
    assert count_values([image]) is None
    assert count_instances([image]) is None


@pytest.mark.parametrize("name", ["boats/noon.png", "boats/sunset.jpg", "balloons/dusk.jpg", "balloons/valley.jpg"])
@pytest.mark.parametrize("quality", [5, 20])
def test_a_photograph_enlarged_and_packed_hard_is_no_mask(sample_data, name, quality):
    image = cv2.resize(cv2.imread(str(sample_data / "images" / name)), None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    image = cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)
    for form in (image, image.astype(np.uint16).sum(2).astype(np.uint16) * 80):
        assert count_values([form]) is None
        assert count_instances([form]) is None


@pytest.mark.parametrize(("count", "side", "known"), [(16, 12, 16), (17, 12, None), (17, 33, 17), (64, 64, 64)])
def test_more_values_need_more_pixels(count, side, known):
    assert count_values([np.sort(np.arange(side * side) % count).reshape(side, side).astype(np.uint8)]) == known


def test_instances_without_a_ground_between_them():
    cells = np.random.default_rng(3).permutation(400).reshape(20, 20).astype(np.uint16)
    image = np.kron(cells, np.ones((16, 16), np.uint16))
    assert count_values([image]) is None
    assert count_instances([image]) == 400
    assert count_instances([image[:160], image[160:]]) == 400
