"""Any name can be drawn, by any OpenCV."""

import numpy as np
import pytest

from noisecli.views.canvas import ticks
from noisecli.views.preview import spread
from noisecli.views.sheet import Row, compose
from noisecli.views.text import legible, shorten, width_of, wrap

NAMES = ["plain.png", "café 日本.png", "a\nb\tc.png", "bad\udcff.png", "a\u202eb.png", "x" * 300, "🎈", "\0"]


@pytest.fixture
def opencv_4(monkeypatch):
    """Draw as with an OpenCV that has the letters of ASCII alone."""
    monkeypatch.setattr("noisecli.views.text._font", lambda: None)


@pytest.fixture(params=["this OpenCV", "OpenCV 4"])
def opencv(request):
    if request.param == "OpenCV 4":
        request.getfixturevalue("opencv_4")
    return request.param


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_every_name_is_legible(opencv, name):
    text = legible(name)
    assert text.isprintable()
    assert text.encode()  # no byte that is no text: OpenCV dies of those
    assert text.isascii() or opencv == "this OpenCV"
    sheet = compose([Row(name, "about", problem=f"failed: {name}")])
    assert sheet.shape[1] <= 520
    assert (sheet < 255).any()


def test_names_that_differ_stay_different_in_ascii(opencv_4):
    assert legible("café.png") == "cafe.png"
    assert legible("日.png") != legible("本.png")


@pytest.mark.parametrize("width", [40, 100, 300])
def test_what_is_too_wide_loses_its_middle(opencv, width):
    text = shorten("folder/" + "long " * 50 + "name.png", width)
    assert width_of(text) <= width
    assert text.startswith("fo"[: width // 40])
    assert text.endswith("png"[-(width // 40) :])


def test_words_are_wrapped(opencv):
    lines = wrap("what happened to which file and what to do " + "x" * 200, 200)
    assert len(lines) > 2
    assert all(width_of(line) <= 200 for line in lines)


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (0, 1.7), (-0.3, 0.3), (12, 22), (0, 24), (-80, 0), (0, 1e-4), (3, 3)]
)
def test_numbers_beside_plots_are_round_and_inside(low, high):
    found = ticks(low, high, 6)
    assert 1 <= len(found) <= 7
    assert all(low - 1e-9 <= number <= high + 1e-9 for number in found)
    steps = np.diff(found)
    assert np.allclose(steps, steps[0] if len(steps) else 0)


@pytest.mark.parametrize("count", [1, 2, 3, 7, 100])
def test_files_are_spread_evenly(count):
    names = [f"{number:02}" for number in range(20)]
    chosen = spread(names, count)
    assert len(chosen) == min(count, 20)
    assert chosen == sorted(set(chosen))
    assert chosen[0] == "00"
    if count > 1:
        assert chosen[-1] == "19"
        gaps = np.diff([int(name) for name in chosen])
        assert gaps.max() - gaps.min() <= 1
