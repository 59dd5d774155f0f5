"""The place of a patch: its centre uniform over the image, cut at the border, the same at every call."""

import numpy as np
import pytest

from noisecli.noise.patch import draw_patch
from noisecli.noise.stream import Streams

COUNT = 20_000


def streams(number):
    return Streams(number.to_bytes(16, "big"))


def limit(cells):
    """A chi-square of so many cells exceeds this once in some hundred thousand."""
    return cells - 1 + 4.5 * (2 * (cells - 1)) ** 0.5


@pytest.mark.parametrize(("width", "height"), [(13, 7), (20, 31)])
def test_centres_are_uniform_over_the_image(width, height):
    # a side of 1: the patch is its centre
    places = [draw_patch(streams(number), (1, 1), width, height) for number in range(COUNT)]
    assert {(patch.width, patch.height) for patch in places} == {(1, 1)}
    counts = np.bincount([patch.y * width + patch.x for patch in places], minlength=width * height)
    expected = COUNT / (width * height)
    assert counts.size == width * height
    assert np.square(counts - expected).sum() / expected < limit(width * height)


def test_sides_are_uniform_over_their_range():
    # the image is so large that hardly a patch is cut
    sides = [draw_patch(streams(number), (20, 39), 1 << 19, 1 << 19).width for number in range(COUNT)]
    counts = np.bincount(sides)[20:]
    assert counts.size == 20
    assert np.square(counts - COUNT / 20).sum() / (COUNT / 20) < limit(20)


@pytest.mark.parametrize("side", [1, 2, 5, 6, 12, 100])
def test_a_patch_is_cut_at_the_border_as_published(side):
    width, height = 12, 9
    found = set()
    for number in range(400):
        centre = draw_patch(streams(number), (1, 1), width, height)
        x, y, across, down = draw_patch(streams(number), (side, side), width, height)
        found.add((centre.x, centre.y))
        columns = [c for c in range(centre.x - side // 2, centre.x - side // 2 + side) if 0 <= c < width]
        rows = [r for r in range(centre.y - side // 2, centre.y - side // 2 + side) if 0 <= r < height]
        assert (x, y, across, down) == (columns[0], rows[0], len(columns), len(rows))
    assert len(found) > 90


def test_no_number_of_the_noise_is_taken():
    one, other = streams(7), streams(7)
    draw_patch(one, (3, 30), 100, 100)
    assert one.uniform() == other.uniform()
    assert (one.slots.uint16(100) == other.slots.uint16(100)).all()
    assert [one.number(place) for place in range(3)] == [other.number(place) for place in range(3)]
    assert draw_patch(one, (3, 30), 100, 100) == draw_patch(other, (3, 30), 100, 100)
