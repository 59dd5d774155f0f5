"""noisecli preview: nobody's file is lost, one broken file costs nobody the sheet."""

import os
import shutil

import cv2
import numpy as np
import pytest


def count_red(sheet):
    """Count the pixels of the colour in which problems are told; letters have soft edges."""
    return int((np.abs(sheet.astype(int) - (40, 40, 190)) < 50).all(axis=2).sum())


@pytest.fixture
def preview(noisy, pictures, tmp_path):
    """Run `noisecli preview src sheet.png --std 25` with more arguments."""

    def run(*arguments, source=pictures, out=tmp_path / "sheet.png"):
        level = () if {"--std", "--severity"} & set(map(str, arguments)) else ("--std", "25")
        return noisy("preview", source, out, *level, *arguments)

    return run


@pytest.mark.parametrize(("suffix", "magic"), [("png", b"\x89PNG"), ("jpg", b"\xff\xd8"), ("webp", b"RIFF")])
def test_the_name_says_the_format(preview, tmp_path, suffix, magic):
    done = preview(out=tmp_path / f"sheet.{suffix}")
    assert (done.status, done.out) == (0, "")
    assert "4 files on" in done.err
    assert (tmp_path / f"sheet.{suffix}").read_bytes().startswith(magic)


def test_the_same_words_give_the_same_bytes(preview, tmp_path):
    sheets = [tmp_path / f"{number}.png" for number in range(3)]
    for sheet, words in zip(sheets, [["-j", "1"], ["-j", "2"], ["--seed", "1"]], strict=True):
        assert preview(*words, out=sheet).status == 0
    first, second, other = (sheet.read_bytes() for sheet in sheets)
    assert first == second
    assert first != other


def test_folders_and_names_do_not_change_a_sheet(preview, pictures, tmp_path, monkeypatch):
    (tmp_path / "other").mkdir()
    shutil.copytree(pictures, tmp_path / "other/src")
    assert preview("-j", "1").status == 0
    assert preview("-q", "--timeout", "9", source=f"{tmp_path}/other/src/", out=tmp_path / "other/b.png").status == 0
    monkeypatch.chdir(tmp_path / "other/src")
    assert preview("-v", "--progress", "never", source=".", out="../c.png").status == 0
    first, *others = ((tmp_path / name).read_bytes() for name in ("sheet.png", "other/b.png", "other/c.png"))
    assert others == [first, first]


def test_nothing_is_left_behind(preview, tmp_path, monkeypatch):
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    assert preview("-q").err == ""
    assert os.listdir(tmp_path / "scratch") == []
    assert sorted(os.listdir(tmp_path)) == ["scratch", "sheet.png", "src"]


def test_a_broken_file_is_named_in_its_row(preview, pictures, sample_data, tmp_path, samples):
    assert preview("--rows", "9").status == 0
    whole = samples(tmp_path / "sheet.png")
    shutil.copy(sample_data / "broken/images/cut.jpg", pictures / "c.jpg")
    done = preview("--rows", "9", "--force")
    assert done.status == 1
    assert "c.jpg: failed: is cut short" in done.err
    sheet = samples(tmp_path / "sheet.png")
    # the same pictures have the same noise: what is new is the problem's words
    assert count_red(sheet) > count_red(whole) + 100
    assert sheet.shape[0] > whole.shape[0]


def test_where_all_are_broken_there_is_no_sheet(preview, tmp_path, sample_data):
    (tmp_path / "bad").mkdir()
    shutil.copy(sample_data / "broken/images/cut.jpg", tmp_path / "bad")
    done = preview(source=tmp_path / "bad")
    assert done.status == 1
    assert "not written" in done.err
    assert not (tmp_path / "sheet.png").exists()


def test_rows_are_as_many_as_asked_for(preview, tmp_path, samples):
    heights = []
    for rows in ("1", "2", "5", "50"):
        assert preview("--rows", rows, "--force").status == 0
        heights.append(samples(tmp_path / "sheet.png").shape[0])
    assert heights[0] < heights[1] < heights[2] == heights[3]
    assert preview("--rows", "5", "--exclude", "cats/*", "--force").status == 0
    assert heights[1] < samples(tmp_path / "sheet.png").shape[0] < heights[2]


def test_any_name_has_a_row(preview, png, tmp_path, samples):
    odd = tmp_path / "odd"
    odd.mkdir()
    for name in (b"bad\xff.png", "日本.png".encode(), b"new\nline.png", b"-dash.png", b"n" * 250 + b".png"):
        with open(os.fsencode(odd) + b"/" + name, "wb") as file:
            file.write(png())
    assert preview("--rows", "9", source=odd).status == 0
    # two versions of 320 pixels, margins, and no more for the longest name
    assert samples(tmp_path / "sheet.png").shape[1] < 760


def test_what_stands_is_replaced_only_by_force(preview, tmp_path):
    (tmp_path / "sheet.png").write_bytes(b"precious")
    done = preview()
    assert done.status == 2
    assert "--force" in done.err
    assert (tmp_path / "sheet.png").read_bytes() == b"precious"
    assert preview("--force").status == 0
    assert (tmp_path / "sheet.png").read_bytes().startswith(b"\x89PNG")


def test_a_sheet_does_not_become_a_source(preview, pictures, tree, tmp_path):
    before = tree(pictures)
    assert preview(out=pictures / "sheet.png").status == 2
    assert preview(out=pictures / "cats/sheet.png").status == 2
    assert preview(source=pictures / "a.png", out=pictures / "a.png").status == 2
    (tmp_path / "link").symlink_to(pictures)
    assert preview(out=tmp_path / "link/sheet.png").status == 2
    assert tree(pictures) == before
    assert preview(source=pictures / "a.png", out=pictures / "sheet.png").status == 0


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--std", "5", "--var", "5"],
        ["--std", "0.1"],
        ["--std", "5", "--format", "wav"],
        ["--std", "5", "--rows", "0"],
        ["--std", "5", "--kind", "audio"],
        ["--std", "0..50", "--levels", "1"],
    ],
    ids=" ".join,
)
def test_words_that_do_not_fit_are_refused(noisy, pictures, tmp_path, words):
    done = noisy("preview", pictures, tmp_path / "sheet.png", *words)
    assert done.status == 2
    assert done.err.count("\n") == 1
    assert sorted(os.listdir(tmp_path)) == ["src"]


@pytest.mark.parametrize("out", ["sheet.gif", "sheet", "none/sheet.png", "src"])
def test_a_name_that_cannot_be_written_is_refused(preview, tmp_path, out):
    assert preview(out=tmp_path / out).status == 2
    assert sorted(os.listdir(tmp_path)) == ["src"]


@pytest.mark.parametrize("word", ["--corruption", "--subsampling", "--range", "--zoom"])
def test_words_for_pictures_are_not_ignored_for_sounds(noisy, write_wav, tmp_path, word):
    write_wav(tmp_path / "a.wav")
    value = "444" if word == "--subsampling" else "2"
    level = [] if word == "--severity" else ["--std", "0.1"]
    done = noisy("preview", tmp_path / "a.wav", tmp_path / "sheet.png", word, value, *level)
    assert done.status == 2
    assert word in done.err


def test_a_folder_of_both_kinds_asks_which(preview, pictures, fill, samples, tmp_path):
    fill(pictures, "a.wav")
    done = preview()
    assert done.status == 2
    assert "--kind" in done.err
    assert preview("--kind", "images").status == 0
    assert preview("--kind", "audio", "--std", "0.1", "--force").status == 0
    assert preview("--include", "*.wav", "--std", "0.1", "--force").status == 0


def test_a_folder_or_a_file_that_is_none_is_refused(preview, fill, tmp_path):
    fill(tmp_path / "texts", "a.txt")
    for source in ("texts", "texts/a.txt", "none", "none.png", "-"):
        assert preview(source=source if source == "-" else tmp_path / source).status == 2
        assert not (tmp_path / "sheet.png").exists()


def test_standard_output(spawn, pictures):
    process = spawn("preview", pictures / "a.png", "-", "--std", "25")
    out, err = process.communicate()
    assert process.returncode == 0, err
    assert cv2.imdecode(np.frombuffer(out, np.uint8), cv2.IMREAD_COLOR) is not None


def test_without_a_display_a_window_is_refused(preview, tmp_path, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    done = preview("--show")
    assert done.status == 2
    assert "no display" in done.err
    assert not (tmp_path / "sheet.png").exists()


def test_a_display_that_does_not_answer_costs_no_sheet(preview, tmp_path, monkeypatch):
    monkeypatch.setenv("DISPLAY", ":59999")
    done = preview("--show")
    if "opencv-python-headless" in done.err:
        assert done.status == 2
    else:
        assert done.status == 3
        assert "no window can be opened" in done.err
        assert (tmp_path / "sheet.png").exists()
