"""Outside a mask or a patch, every sample is the source's; inside it is that of a run without; rows say where."""

import json

import numpy as np
import pytest

from tests.run.where.conftest import HEIGHT, WIDTH, read, round_part, save

LOSSLESS = ("--format", "png")
STDS = {"uint8": 25.0, "uint16": 25 * 257.0, "float32": 25 / 255}


def compared(shots, name, output):
    """Yield the frames of a source and of its output, without alpha."""
    for clean, noisy in zip(read(shots / name), read(output), strict=True):
        assert (clean.dtype, clean.shape) == (noisy.dtype, noisy.shape)
        if clean.ndim == 3 and clean.shape[2] == 4:
            assert (clean[..., 3] == noisy[..., 3]).all()
            yield clean[..., :3], noisy[..., :3]
        else:
            yield clean, noisy


def check(shots, name, output, row, inside):
    """Compare an output with its source and its row; it is without noise outside."""
    added = []
    for clean, noisy in compared(shots, name, output):
        assert (noisy[~inside] == clean[~inside]).all()
        added.append((noisy[inside].astype(np.float64) - clean[inside]).reshape(-1))
    values = np.concatenate(added)
    std = STDS[row["dtype"]]
    # five standard deviations of a standard deviation of so many samples
    assert abs(values.std() / std - 1) < 5 / np.sqrt(2 * values.size)
    assert abs(values.mean()) < 5 * std / np.sqrt(values.size)
    assert row["measured_std"] == pytest.approx(values.std(), rel=1e-4)
    assert row["inside_fraction"] == pytest.approx(np.count_nonzero(inside) / inside.size, rel=1e-8)
    assert row["applied"] is True


def rectangle(place):
    x, y, width, height = place
    inside = np.zeros((HEIGHT, WIDTH), np.bool_)
    inside[y : y + height, x : x + width] = True
    return inside


@pytest.fixture
def run(noisy, shots, tmp_path):
    """Run into a folder of its own; return it."""

    def carry_out(name, *words, status=0):
        level = () if "--severity" in words else ("--std", "25")
        done = noisy("images", shots, tmp_path / name, *level, *words)
        assert done.status == status, done
        return tmp_path / name

    return carry_out


def files_of(folder, rows):
    return {row["source"]: (folder / name, row) for name, row in rows(folder).items()}


def test_a_mask(run, shots, masks, rows, all_images):
    # a lossy output would be another one everywhere
    folder = run("masked", "--mask", masks, "--exclude", "*.jpg")
    found = files_of(folder, rows)
    assert found.keys() == all_images.keys() - {"photo.jpg"}
    for name, (path, row) in found.items():
        check(shots, name, path, row, round_part())
        assert "patch" not in row


def test_a_patch(run, shots, rows, all_images):
    folder = run("patched", "--patch", "40", "--exclude", "*.jpg")
    found = files_of(folder, rows)
    assert found.keys() == all_images.keys() - {"photo.jpg"}
    for name, (path, row) in found.items():
        x, y, width, height = row["patch"]
        assert 0 <= x < x + width <= WIDTH
        assert 0 <= y < y + height <= HEIGHT
        assert max(width, height) <= 40
        check(shots, name, path, row, rectangle(row["patch"]))
        assert not {"mask", "mask_sha256"} & row.keys()
    assert len({tuple(row["patch"]) for _, row in found.values()}) == len(found)


def test_a_photo_as_png(run, shots, masks, rows):
    folder = run("masked", "--mask", masks, "--include", "*.jpg", *LOSSLESS)
    check(shots, "photo.jpg", folder / "photo.png", rows(folder)["photo.png"], round_part())


def test_both_are_inside_both(run, shots, masks, rows):
    folder = run("both", "--mask", masks, "--patch", "60..90", "--include", "colour.png")
    row = rows(folder)["colour.png"]
    inside = rectangle(row["patch"]) & round_part()
    assert 0 < np.count_nonzero(inside) < np.count_nonzero(round_part())
    check(shots, "colour.png", folder / "colour.png", row, inside)


WAYS = [
    (),
    ("--shared-channels",),
    ("--mean", "9", "--seed", "4"),
    ("--copies", "2", "--with-clean"),
    ("--prob", "60%"),
    ("--full-scale", "65535", "--include", "deep.png"),
    ("--shot", "1e-3..0.01", "--shared-channels-prob", "50%"),
    ("--speckle", "0.1", "--linear"),
    ("--severity", "3", "--corruption", "impulse"),
    ("--severity", "2", "--corruption", "shot"),
    ("--dtype", "float32", "--format", "tiff", "--no-clip", "--exclude", "rgba.png"),
]


@pytest.mark.parametrize("words", WAYS, ids=" ".join)
def test_whatever_else_is_asked_the_noise_inside_is_that_of_a_run_without(words, run, masks, rows):
    words = (*words, "--exclude", "*.jpg")
    whole, masked = run("whole", *words), run("masked", "--mask", masks, *words)
    patched = run("patched", "--patch", "30..50", *words)
    for name, row in rows(whole).items():
        with_mask, with_patch = rows(masked)[name], rows(patched)[name]
        assert row["key"] == with_mask["key"] == with_patch["key"]
        assert row["std"] == with_mask["std"] == with_patch["std"]
        assert row["settings"] not in (with_mask["settings"], with_patch["settings"])
        if not row["applied"]:
            assert with_patch["patch"] is None
            assert with_mask["inside_fraction"] == with_patch["inside_fraction"] == 0
            assert (whole / name).read_bytes() == (masked / name).read_bytes() == (patched / name).read_bytes()
            continue
        for folder, inside in ((masked, round_part()), (patched, rectangle(with_patch["patch"]))):
            for everywhere, part in zip(read(whole / name), read(folder / name), strict=True):
                assert (part[inside] == everywhere[inside]).all()
                assert (part[~inside] != everywhere[~inside]).any()
        if "clean_file_name" in row:
            clean = row["clean_file_name"]
            assert (whole / clean).read_bytes() == (masked / clean).read_bytes()


def test_snr_is_that_of_the_whole_image(noisy, shots, masks, tmp_path, rows):
    dark_inside = (read(shots / "colour.png")[0] >> round_part().astype(np.uint8)[..., None]).astype(np.uint8)
    save(shots / "colour.png", dark_inside)
    for name, words in (("whole", ()), ("masked", ("--mask", masks))):
        done = noisy("images", shots, tmp_path / name, "--snr-db", "10", "--include", "colour.png", *words)
        assert done.status == 0
        assert "from what was asked" not in done.err
    whole, masked = (rows(tmp_path / name)["colour.png"] for name in ("whole", "masked"))
    assert whole["std"] == masked["std"]
    # half the amplitude is 6 dB less
    assert masked["snr_db"] < whole["snr_db"] - 3


def test_levels_and_copies_have_places_of_their_own(noisy, shots, tmp_path, rows):
    done = noisy(
        *("images", shots, tmp_path / "swept", "--std", "10,20,40", "--copies", "4"),
        *("--patch", "20..60", "--include", "colour.png"),
    )
    assert done.status == 0
    places = {tuple(row["patch"]) for row in rows(tmp_path / "swept").values()}
    assert len(places) == 12
    assert len({max(place[2:]) for place in places}) > 4


def test_the_same_bytes_for_any_number_of_jobs(run, masks, tree):
    words = ("--mask", masks, "--patch", "50..90", "--copies", "2")
    one, two = run("one", *words, "-j", "1"), run("two", *words, "-j", "2")
    assert tree(one) == tree(two)


def test_lossy_files_are_measured_inside_alone(noisy, shots, tmp_path):
    for name, words in (("whole", ()), ("patched", ("--patch", "30"))):
        done = noisy(
            *("images", shots, tmp_path / name, "--std", "25", "--include", "colour.png", "--format", "jpg"),
            *("--quality", "60", *words),
        )
        assert done.status == 0
    kept = {}
    for name in ("whole", "patched"):
        survival = json.loads((tmp_path / name / "run.json").read_text())["survival"]
        kept[name] = survival["colour.jpg"]["std"]
    assert kept["patched"] == pytest.approx(kept["whole"], abs=0.12)
