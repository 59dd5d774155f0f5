"""What a sheet says of itself: what its colours mean, on which scale they are, and how it was made."""

import cv2
import numpy as np
import pytest
import soundfile

from noisecli import __version__
from noisecli.model import Limits
from noisecli.views import sounds
from noisecli.views.canvas import CLEAN, CLEAN_WAVE, FAINT, INK, NOISY
from noisecli.views.legend import Legend
from noisecli.views.noisy_copy import Viewing
from noisecli.views.sheet import Row, compose
from noisecli.views.spectrum import decibels
from noisecli.views.text import width_of, write


@pytest.fixture(scope="session")
def drawn():
    """A text as it is drawn on a sheet."""

    def picture(text, colour=FAINT, room=4):
        canvas = np.full((20, width_of(text) + room, 3), 255, np.uint8)
        write(canvas, text, 0, 14, colour=colour)
        return canvas

    return picture


def keyed(colour, word):
    """A square of a colour, and the word for it."""
    canvas = np.full((20, 18, 3), 255, np.uint8)
    canvas[2:14, :12] = colour
    return np.hstack([canvas, word])


def occurrences(sheet, picture):
    """How many times a sheet shows a picture, sample for sample."""
    differences = cv2.matchTemplate(sheet, picture, cv2.TM_SQDIFF)
    found = differences <= 1e-5 * differences.max()
    height, width = picture.shape[:2]
    return sum((sheet[y : y + height, x : x + width] == picture).all() for y, x in np.argwhere(found))


@pytest.mark.parametrize(("kind", "clean"), [("images", CLEAN), ("audio", CLEAN_WAVE)])
def test_a_legend_names_the_colours(preview, save, photo, write_wav, samples, holds, drawn, tmp_path, kind, clean):
    if kind == "images":
        source = save("a.png", photo())
    else:
        write_wav(source := tmp_path / "a.wav", frames=400)
    assert preview(source, tmp_path / "sheet.png", "--std", "10%").status == 0
    top = samples(tmp_path / "sheet.png")[:60]
    assert holds(top, keyed(clean, drawn("clean", INK)))
    assert holds(top, keyed(NOISY, drawn("noisy", INK)))


def test_a_triangle_is_explained_where_there_is_one(holds, drawn):
    words = drawn("higher than shown", INK)
    cut, whole = (Row("a", "", legend=Legend(CLEAN, "note", is_cut)) for is_cut in (True, False))
    assert holds(compose([whole, cut]), words)
    assert not holds(compose([whole, whole]), words)


def test_a_long_note_does_not_widen_a_sheet(holds, drawn):
    note = "many words " * 8
    sheet = compose([Row("a", "", legend=Legend(CLEAN, note.strip()))])
    assert sheet.shape[1] == compose([Row("a", "")]).shape[1]
    assert holds(sheet, drawn("many words", room=0))


def test_equal_colours_are_equal_decibels_on_all_of_a_sheet(preview, samples, tmp_path):
    (tmp_path / "src").mkdir()
    wave = np.sin(np.arange(4000)) * np.linspace(0.1, 1, 4000)
    for name, size in (("loud", 0.9), ("soft", 0.009)):
        soundfile.write(tmp_path / f"src/{name}.wav", wave * size, 8000, subtype="FLOAT")
    assert preview(tmp_path / "src", tmp_path / "sheet.png", "--snr-db", "30").status == 0
    sheet = samples(tmp_path / "sheet.png")
    for name in ("loud", "soft"):
        found, _ = soundfile.read(tmp_path / f"src/{name}.wav")
        # the louder one's highest level is between -10 and 0 dB
        shares = np.clip(decibels(found, 8000, 144, 320) / 80 + 1, 0, 1)
        assert occurrences(sheet, cv2.applyColorMap(np.rint(shares * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)) == 1
    row = sounds.draw_row(str(tmp_path / "src/loud.wav"), "loud.wav", [], Viewing(Limits()))
    bar = row.cells[-1].panels[1]
    assert occurrences(sheet, bar) == 2


@pytest.mark.parametrize("peak", [0.03, 0.11, 0.3, 0.45, 0.55, 0.9, 1.0, 1.4, 3e8])
def test_amplitudes_have_numbers_on_both_sides_of_0(peak):
    axis = sounds._left_scales(peak, 8000).panels[0]
    rows = np.flatnonzero((axis[:, -1] == FAINT).all(axis=1))
    assert len(rows) >= 3
    assert rows.min() < 47 < rows.max()


@pytest.mark.parametrize(
    ("words", "footer"),
    [
        (["--std", "5,25"], "--std 5,25 --seed 0"),
        (["--seed=7", "--std", "10%", "--shared-channels"], "--std 10% --seed 7 --shared-channels"),
        (["--std", "25", "-q", "-j", "2", "--timeout", "30", "--force"], "--std 25 --seed 0"),
        (
            ["--std", "25", "--include", "*.png", "--include", "a b", "--rows", "1"],
            "--std 25 --seed 0 --include '*.png' --include 'a b' --rows 1",
        ),
    ],
)
def test_a_footer_says_how_a_sheet_was_made(preview, save, photo, samples, holds, drawn, tmp_path, words, footer):
    save("a.png", photo())
    assert preview(tmp_path / "src", tmp_path / "sheet.png", *words).status == 0
    sheet = samples(tmp_path / "sheet.png")
    assert holds(sheet[-40:], drawn(f"noisecli preview src {footer}, noisecli {__version__}"))


def test_a_long_footer_is_on_several_lines(holds, drawn):
    footer = "noisecli preview photos " + "--include '*.png' " * 30
    sheet, without = compose([Row("a", "")], footer), compose([Row("a", "")])
    assert sheet.shape[1] == without.shape[1]
    assert sheet.shape[0] > without.shape[0] + 100
    assert holds(sheet, drawn("noisecli preview photos", room=0))
