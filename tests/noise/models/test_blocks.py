"""The block size shows nowhere."""

import numpy as np
import pytest

COUNT = 300_007
CASES = [
    ("uint8", 25, 0),
    ("int16", 327.68, 2.5),
    ("uint16", 6425, 0),
    ("uint16", 12850, 5),
    ("int32", 1000, 0),
    ("int64", 1000, 0),
    ("float32", 0.1, 0.1),
    ("float64", 0.1, 0),
    ("float16", 0.1, 0),
]
SPLITS = {
    "one sample first": [1],
    "small blocks": list(range(0, COUNT, 9973)),
    "tiny blocks, then one": [*range(0, 300, 7), 16_383, 32_767],
    "around the piece": [131_071, 131_072, 131_073, 262_143],
    "empty blocks": [0, 0, 5, 5, 16_384, 16_384],
}


@pytest.mark.parametrize(("dtype", "std", "mean"), CASES)
@pytest.mark.parametrize("split", SPLITS.values(), ids=SPLITS.keys())
def test_any_split_gives_the_same_samples(field_of, operations, dtype, std, mean, split):
    x = np.zeros(COUNT, dtype)
    whole, parts = field_of(x, std, mean, number=31), field_of(x, std, mean, number=31)
    y = np.concatenate([parts.add(block) for block in np.split(x, split)])
    np.testing.assert_array_equal(y, whole.add(x))
    assert parts.measure.count == whole.measure.count
    assert parts.measure.clipped == whole.measure.clipped
    assert parts.measure.std == pytest.approx(whole.measure.std, rel=1e-9)


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("channels", [1, 2, 3, 6])
@pytest.mark.parametrize("dtype", ["int16", "int32", "float32", "float64"])
def test_sounds_with_odd_frame_counts(field_of, dtype, channels, shared):
    x = np.zeros((50_001, channels), dtype)
    std = 0.1 if dtype.startswith("f") else 300
    more = {"number": 32, "shared_channels": shared, "sample_rate": 8000, "clip": False}
    parts = field_of(x, std, **more)
    y = np.concatenate([parts.add(block) for block in np.split(x, [1, 8, 4097, 33_000, 49_998])])
    np.testing.assert_array_equal(y, field_of(x, std, **more).add(x))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_a_small_block_equals_the_start_of_a_large_one(add_noise, dtype):
    x = np.zeros(100_000, dtype)
    for std in (0.3, 25, 100):
        whole = add_noise(x, std, number=33)
        for count in (1, 100, 16_383, 16_384, 16_385):
            np.testing.assert_array_equal(add_noise(x[:count], std, number=33), whole[:count])


def test_frames_of_a_picture_follow_each_other(field_of):
    frames = np.full((4, 50, 61, 3), 128, np.uint8)
    parts = field_of(frames, 25, number=34)
    y = np.stack([parts.add(frame) for frame in frames])
    np.testing.assert_array_equal(y, field_of(frames, 25, number=34).add(frames.reshape(-1)).reshape(frames.shape))
