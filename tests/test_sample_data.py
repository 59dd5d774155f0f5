"""sample_data keeps what its generator's docstring promises."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import soundfile
from PIL import Image

SAMPLES = Path(__file__).resolve().parents[1] / "sample_data"
IMAGES = SAMPLES / "images"
AUDIO = SAMPLES / "audio"
PICTURES = sorted(path for path in IMAGES.glob("*/*") if path.suffix in {".png", ".jpg"})
SOUNDS = sorted(path for path in AUDIO.glob("*/*") if path.suffix != ".txt")
LABELS = sorted(IMAGES.glob("*/*.txt"))
JPEG_END = b"\xff\xd9"


def run_generator(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run generate.py as a user would, without leaving compiled files beside it."""
    command = [sys.executable, "-B", SAMPLES / "generate.py", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the generator has just filled."""
    folder = tmp_path_factory.mktemp("made")
    finished = run_generator(folder)
    assert (finished.returncode, finished.stderr) == (0, "")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def decode(path: Path) -> np.ndarray:
    return cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)


def boxes(label: Path, width: int, height: int) -> list[tuple[int, int, int, int]]:
    """Left, top, right, bottom of every line of a YOLO label, in pixels."""
    found = []
    for line in label.read_text().splitlines():
        _, x, y, w, h = (float(field) for field in line.split())
        edges = ((x - w / 2) * width, (y - h / 2) * height, (x + w / 2) * width, (y + h / 2) * height)
        found.append(tuple(round(edge) for edge in edges))
    return found


def test_everything_together_is_small() -> None:
    assert sum(map(len, contents(SAMPLES).values())) < 1_500_000


def test_committed_files_pass_the_check() -> None:
    finished = run_generator("--check")
    assert (finished.returncode, finished.stderr) == (0, "")


@pytest.mark.slow
def test_generator_makes_the_same_bytes_twice(made: Path, tmp_path: Path) -> None:
    assert run_generator(tmp_path).returncode == 0
    assert contents(tmp_path) == contents(made)


@pytest.mark.slow
def test_check_names_what_is_changed_missing_or_too_much(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    noon = tmp_path / "images/boats/noon.png"
    noon.write_bytes(cv2.imencode(".png", 255 - decode(noon))[1].tobytes())
    (tmp_path / "images/boats/new.png").write_bytes(b"")
    (tmp_path / "audio/strings/tune.txt").write_text("another tune\n")
    (tmp_path / "broken/images/cut.jpg").unlink()
    finished = run_generator("--check", tmp_path)
    assert finished.returncode == 1
    assert finished.stderr.splitlines() == [
        "images/boats/new.png: not made here",
        "audio/strings/tune.txt: differs",
        "images/boats/noon.png: differs",
        "broken/images/cut.jpg: differs",
    ]


def test_pictures_are_two_classes_of_png_and_jpeg() -> None:
    assert {path.parent.name for path in PICTURES} == {"boats", "balloons"}
    for name in ("boats", "balloons"):
        suffixes = [path.suffix for path in PICTURES if path.parent.name == name]
        assert len(suffixes) >= 6
        assert set(suffixes) == {".png", ".jpg"}


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.stem)
def test_picture_has_the_format_of_its_suffix_and_something_to_see(path: Path) -> None:
    with Image.open(path) as picture:
        assert picture.format == {".png": "PNG", ".jpg": "JPEG"}[path.suffix]
        assert all(120 <= side <= 320 for side in picture.size)
        assert np.asarray(picture.convert("L")).std() > 15


def test_special_pictures_are_there() -> None:
    with Image.open(IMAGES / "boats/upright.jpg") as lying:
        assert lying.getexif() == {0x0112: 6}
        assert lying.width > lying.height
    assert decode(IMAGES / "boats/fog.png").ndim == 2
    deep = decode(IMAGES / "boats/deep.png")
    assert deep.dtype == np.uint16
    assert np.unique(deep % 257).size == 257, "the low byte must say something of its own"
    alpha = decode(IMAGES / "balloons/sticker.png")[..., 3]
    assert (alpha.min(), alpha.max()) == (0, 255)
    assert np.unique(alpha).size > 50


def test_labels_are_beside_most_pictures_and_name_their_class() -> None:
    classes = (IMAGES / "classes.txt").read_text().split()
    assert len(LABELS) >= 8
    for label in LABELS:
        assert any(label.with_suffix(suffix) in PICTURES for suffix in (".png", ".jpg"))
        for line in label.read_text().splitlines():
            number, *box = line.split()
            assert f"{classes[int(number)]}s" == label.parent.name
            assert all(0 < float(field) < 1 for field in box)


@pytest.mark.parametrize(
    "label",
    [pytest.param(label, marks=() if place % 5 == 0 else pytest.mark.slow) for place, label in enumerate(LABELS)],
    ids=lambda label: label.stem,
)
def test_boxes_hold_exactly_what_was_drawn(label: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw the scene with and without each thing: the difference is the box, but for the mirror image below a boat."""
    monkeypatch.syspath_prepend(str(SAMPLES))
    from dataclasses import replace

    from pictures import draw
    from scenes import SCENES

    scene = next(SCENES[name] for name in SCENES if name.startswith(f"{label.parent.name}/{label.stem}."))
    empty, _ = draw(replace(scene, things=()))
    for thing, (left, top, right, bottom) in zip(scene.things, boxes(label, scene.width, scene.height), strict=True):
        drawn, _ = draw(replace(scene, things=(thing,)))
        differs = np.abs(drawn - empty).max(axis=2) > 1e-6
        below = differs[bottom:].copy()
        differs[bottom:] = False
        assert not differs[:, :left].any()
        assert not differs[:, right:].any()
        assert not differs[:top].any()
        assert scene.kind == "boats" or not below.any()
        for edge in (differs[top, left:right], differs[bottom - 1, left:right]):
            assert edge.any()
        for edge in (differs[top:bottom, left], differs[top:bottom, right - 1]):
            assert edge.any()


@pytest.mark.parametrize("label", LABELS, ids=lambda label: label.stem)
def test_boxes_look_unlike_what_is_around_them(label: Path) -> None:
    path = next(path for path in PICTURES if path.with_suffix("") == label.with_suffix(""))
    pixels = decode(path).astype(float)
    height, width = pixels.shape[:2]
    for left, top, right, bottom in boxes(label, width, height):
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height
        inside = pixels[top:bottom, left:right]
        around = np.concatenate(
            [pixels[top:bottom, max(0, left - 8) : left], pixels[top:bottom, right : right + 8]], axis=1
        )
        nearest = np.median(around, axis=1, keepdims=True)
        assert np.mean(np.abs(inside - nearest)) > 0.03 * np.ptp(pixels)


def test_sounds_are_of_every_promised_kind() -> None:
    kinds = {(info.format, info.subtype) for info in map(soundfile.info, map(str, SOUNDS))}
    assert kinds == {("WAV", "PCM_16"), ("WAV", "PCM_24"), ("WAV", "FLOAT"), ("FLAC", "PCM_16"), ("OGG", "VORBIS")}
    assert {path.parent.name for path in SOUNDS} == {"strings", "vowels"}
    assert {soundfile.info(str(path)).channels for path in SOUNDS} == {1, 2}


@pytest.mark.parametrize("path", SOUNDS, ids=lambda path: path.stem)
def test_sound_is_short_audible_not_clipped_and_transcribed(path: Path) -> None:
    samples, rate = soundfile.read(path)
    assert 8000 <= rate <= 16000
    assert 1 <= len(samples) / rate <= 2
    assert np.sqrt(np.mean(samples**2)) > 0.03
    assert np.abs(samples).max() < 0.8
    assert path.with_suffix(".txt").read_text().strip()


def test_broken_files_are_broken_and_their_neighbours_are_whole() -> None:
    broken = SAMPLES / "broken"
    assert not (broken / "images/cut.jpg").read_bytes().endswith(JPEG_END)
    assert decode(broken / "images/whole.jpg") is not None
    cut = (broken / "audio/cut.wav").read_bytes()
    assert int.from_bytes(cut[4:8], "little") + 8 > len(cut)
    whole = (broken / "audio/whole.wav").read_bytes()
    assert int.from_bytes(whole[4:8], "little") + 8 == len(whole)
    assert soundfile.read(io.BytesIO(whole))[0].size
